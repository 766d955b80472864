// How much of a conversation is kept, in words. Decides only.

/**
 * @param {{count: number, kept: number, since: string | undefined}} ring how many there are of how
 *   many there can be, and when the oldest was sent, RFC 3339
 * @param {Date} now
 */
export function keptWords({ count, kept, since }, now) {
  const words = `${count} of ${kept} kept${since ? `, since ${sinceWords(new Date(since), now)}` : ""}`
  return count < kept ? words : `${words}. The oldest goes next.`
}

/**
 * The time, with its day when that is not today.
 *
 * @param {Date} then
 * @param {Date} now
 */
export function sinceWords(then, now) {
  const time = then.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })
  if (then.toDateString() === now.toDateString()) return time
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric"
  return `${then.toLocaleDateString(undefined, { day: "numeric", month: "short", year })}, ${time}`
}
