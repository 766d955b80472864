// Where the words that were searched for stand in a text. Decides only.

/** Text before the first of the words: more would push them out of sight. */
const LEAD_CHARS = 60

/**
 * @typedef {object} Piece
 * @property {string} text
 * @property {boolean} marked
 */

/** @param {string} typed */
export function wordsIn(typed) {
  return typed.trim().split(/\s+/u).filter((word) => word !== "")
}

/**
 * The text in pieces, on one line, beginning shortly before the first word found.
 *
 * @param {string} text
 * @param {string[]} words
 * @returns {Piece[]}
 */
export function markedPieces(text, words) {
  const line = text.replace(/\s+/gu, " ").trim()
  if (words.length === 0) return [{ text: line, marked: false }]
  // The longer first: of "go" and "golf", all of "golf" is marked.
  const any = words.toSorted((a, b) => b.length - a.length).map(literally).join("|")
  const matches = [...line.matchAll(new RegExp(any, "giu"))]
  const start = startBefore(line, matches[0]?.index ?? 0)
  const pieces = start > 0 ? [{ text: "…", marked: false }] : []
  let at = start
  for (const match of matches) {
    if (match.index > at) pieces.push({ text: line.slice(at, match.index), marked: false })
    pieces.push({ text: match[0], marked: true })
    at = match.index + match[0].length
  }
  if (at < line.length) pieces.push({ text: line.slice(at), marked: false })
  return pieces
}

/** @param {string} word */
function literally(word) {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
}

/**
 * The beginning of a word, not much before this place.
 *
 * @param {string} line
 * @param {number} first
 */
function startBefore(line, first) {
  if (first <= LEAD_CHARS) return 0
  const space = line.indexOf(" ", first - LEAD_CHARS)
  return space === -1 || space >= first ? first : space + 1
}
