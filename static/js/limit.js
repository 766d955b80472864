// How much fits into a message.

/** Code points, as the server counts them. */
export const MAX_CHARS = 4_000

/** @param {string} text */
export function charsLeft(text) {
  let chars = 0
  for (const _ of text.trim()) chars += 1
  return MAX_CHARS - chars
}
