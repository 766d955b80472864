// Where the words that were searched for stand in a text. Decides only.

/** Text before the first of the words: more would push them out of sight. */
const LEAD_CHARS = 60

const ASCII = /^[\0-\x7F]*$/
/** What fonts are asked to ignore: searches do, too. */
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu
/** Characters that normalisation may put together: a base with its marks, the parts of a syllable. */
const CLUSTERS = /[\s\S][\p{M}\p{Default_Ignorable_Code_Point}\u1160-\u11FF\uFF9E\uFF9F]*/gu

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
 * The text in pieces, on one line, beginning shortly before the first word found. Words are found as
 * the server finds them, and what they stand for is marked: of `Straße`, all of `ß` for `ss`.
 *
 * @param {string} text
 * @param {string[]} words
 * @returns {Piece[]}
 */
export function markedPieces(text, words) {
  const line = text.replace(/\s+/gu, " ").trim()
  const wanted = words.flatMap((word) => foldedForSearch(word).split(/\s+/u)).filter((word) => word !== "")
  const matches = wanted.length === 0 ? [] : matchesIn(line, wanted)
  const start = startBefore(line, matches[0]?.start ?? 0)
  const pieces = start > 0 ? [{ text: "…", marked: false }] : []
  let at = start
  for (const match of matches) {
    if (match.start > at) pieces.push({ text: line.slice(at, match.start), marked: false })
    pieces.push({ text: line.slice(match.start, match.end), marked: true })
    at = match.end
  }
  if (at < line.length) pieces.push({ text: line.slice(at), marked: false })
  return pieces
}

/**
 * Where the line has one of these words, from left to right, without overlaps.
 *
 * @param {string} line
 * @param {string[]} words folded
 */
function matchesIn(line, words) {
  const { text, placeOf } = foldedWithPlaces(line)
  // The longer first: of "go" and "golf", all of "golf" is marked.
  const any = words.toSorted((a, b) => b.length - a.length).map(literally).join("|")
  /** @type {{start: number, end: number}[]} */
  const matches = []
  for (const { 0: found, index } of text.matchAll(new RegExp(any, "gu"))) {
    const [{ start }, { end }] = [placeOf(index), placeOf(index + found.length - 1)]
    if (start >= (matches.at(-1)?.end ?? 0)) matches.push({ start, end })
  }
  return matches
}

/**
 * The form of a text that searches compare, as `folded` of the server's `domain/search.rs`.
 *
 * @param {string} text
 */
function foldedForSearch(text) {
  if (ASCII.test(text)) return text.toLowerCase()
  // To capitals and back is what folding does where one letter becomes two.
  const small = text.normalize("NFKC").replace(IGNORED, "").toLowerCase().toUpperCase().toLowerCase()
  return small.normalize("NFKC").replaceAll("ς", "σ").replaceAll("i\u0307", "i").replaceAll("ı", "i")
}

/**
 * The folded line, and the characters of the line that each place in it comes from.
 *
 * @param {string} line
 */
function foldedWithPlaces(line) {
  /** @param {number} at */
  const same = (at) => ({ start: at, end: at + 1 })
  if (ASCII.test(line)) return { text: line.toLowerCase(), placeOf: same }
  let text = ""
  /** @type {{start: number, end: number}[]} */
  const places = []
  /** @type {Map<string, string>} */
  const known = new Map()
  for (const { 0: cluster, index } of line.matchAll(CLUSTERS)) {
    const part = known.get(cluster) ?? foldedForSearch(cluster)
    known.set(cluster, part)
    const place = { start: index, end: index + cluster.length }
    for (let at = 0; at < part.length; at += 1) places.push(place)
    text += part
  }
  return { text, placeOf: (/** @type {number} */ at) => places[at] }
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
