// Who is typing, in words. Decides only.

/** Nobody types longer than this without saying so again. */
export const TYPING_MS = 5_000

/** @typedef {{name: string} | {words: string}} Piece names keep their own direction among the words */

/**
 * @param {string[]} names in the order in which they began
 * @returns {Piece[]}
 */
export function typingWords(names) {
  const [one, two] = names.map((name) => ({ name }))
  if (names.length === 0) return []
  if (names.length === 1) return [one, { words: " is typing…" }]
  if (names.length === 2) return [one, { words: " and " }, two, { words: " are typing…" }]
  return [{ words: "Several people are typing…" }]
}
