// How much of a conversation is kept, in words. Decides only. The server says the same.

import { briefWords } from "./local-time.js"

/**
 * @param {{count: number, kept: number, since: string | undefined}} ring how many there are of how
 *   many there can be, and when the oldest was sent, RFC 3339
 * @param {import("./local-time.js").Locale} locale
 * @param {Date} now
 */
export function keptWords({ count, kept, since }, locale, now) {
  const words = `${count} of ${kept} kept${since ? `, since ${briefWords(new Date(since), locale, now)}` : ""}`
  return count < kept ? words : `${words}. The oldest goes next.`
}
