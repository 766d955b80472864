// How long a link for another device is good for, in words. Decides only.

/** @param {number} ms until it ends */
export function leftWords(ms) {
  if (ms <= 0) return "This link has expired."
  const seconds = Math.ceil(ms / 1000)
  const minutes = Math.ceil(seconds / 60)
  if (seconds < 60) return `Works once, for ${seconds} more ${seconds === 1 ? "second" : "seconds"}.`
  return `Works once, for ${minutes} more ${minutes === 1 ? "minute" : "minutes"}.`
}
