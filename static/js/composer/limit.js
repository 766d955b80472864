// How much fits into a message.

/** Code points, as the server counts them. */
export const MAX_CHARS = 4_000

/** @param {string} text */
export function charsLeft(text) {
  let chars = 0
  for (const _ of text.trim()) chars += 1
  return MAX_CHARS - chars
}

/** With fewer characters left than this, they are counted. */
const NEAR_LIMIT_CHARS = 200

/**
 * What a writer should know of it.
 *
 * @param {number} left
 */
export function limitWords(left) {
  if (left < 0) return `${-left} character${left === -1 ? "" : "s"} too many (at most ${MAX_CHARS.toLocaleString()}).`
  return left < NEAR_LIMIT_CHARS ? `${left} characters left.` : ""
}
