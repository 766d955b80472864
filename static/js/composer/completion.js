// Completing a name that begins with `@`, or a channel that begins with `#`. Decides only.

import { isInCode } from "../conversation/code.js"
import { fitOf, folded } from "../lib/choosing.js"

/** The longest name, in UTF-16 units: 64 characters of up to two. */
const LONGEST_UNITS = 128

/** As many as can be looked over at a glance. */
const MOST_NAMES = 8

/** What begins a name, in either width. @type {Record<string, "@" | "#">} */
const SIGNS = { "@": "@", "＠": "@", "#": "#", "＃": "#" }

/** Letters of scripts that are written without spaces: what follows them may begin a word. */
const WITHOUT_SPACES =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u

/** In characters that are drawn as emoji, though one of letters or digits: 1️⃣, ℹ️. */
const DRAWN_AS_EMOJI = /[\uFE0F\u20E3]/
const CHARACTERS = new Intl.Segmenter()

/** A shortcode that has not been closed. */
const SHORTCODE = /:([a-z0-9_+-]+)$/i

/** As much is typed before any is offered: `:)` and `:D` stay. */
const LEAST_OF_SHORTCODE = 2

/**
 * @typedef {object} Token
 * @property {"@" | "#" | ":"} sign
 * @property {number} start where the sign stands
 * @property {string} query what follows it, up to the cursor
 */

/**
 * What is being named at the cursor: a person, a channel or an emoji. Names of people may have
 * spaces in them, so a query may too.
 *
 * @param {string} text
 * @param {number} cursor
 * @param {(sign: "@" | "#", name: string) => boolean} [isName] whether a user or channel has this name
 * @returns {Token | null}
 */
export function tokenAt(text, cursor, isName = () => false) {
  const emoji = emojiAt(text, cursor)
  return emoji && emoji.query.length >= LEAST_OF_SHORTCODE ? emoji : nameAt(text, cursor, isName)
}

/**
 * The shortcode that the colon before the cursor closes, if there is one.
 *
 * @param {string} text
 * @param {number} cursor
 */
export function closedAt(text, cursor) {
  return text[cursor - 1] === ":" ? emojiAt(text, cursor - 1) : null
}

/** @param {string} text @param {number} cursor @returns {Token | null} */
function emojiAt(text, cursor) {
  const from = Math.max(0, cursor - LONGEST_UNITS)
  const found = SHORTCODE.exec(text.slice(from, cursor))
  if (!found) return null
  const start = from + found.index
  const before = [...CHARACTERS.segment(text.slice(from, start))].at(-1)?.segment
  // In `10:30`, `https://` and `std::vector` none begins.
  const none = before === ":" || !beginsAfter(before) || isInCode(text.slice(0, start))
  return none ? null : { sign: ":", start, query: found[1] }
}

/**
 * @param {string} text
 * @param {number} cursor
 * @param {(sign: "@" | "#", name: string) => boolean} isName
 * @returns {Token | null}
 */
function nameAt(text, cursor, isName) {
  const from = Math.max(0, cursor - LONGEST_UNITS)
  let token = /** @type {Token | null} */ (null)
  let before = /** @type {string | undefined} */ (text[from - 1])
  for (const { segment, index } of CHARACTERS.segment(text.slice(from, cursor))) {
    const start = from + index
    const sign = SIGNS[segment]
    if (sign) {
      const named = token && token.sign !== ":" && isName(token.sign, token.query)
      token = named || beginsAfter(before) ? { sign, start, query: "" } : null
    } else if (token) token.query += segment
    before = segment
  }
  const none = token?.sign === "#" ? /\s/ : /^\s|\n/
  return token && !none.test(token.query) ? token : null
}

/**
 * Whether a sign right after this character begins a name: not within a word, as in a mail address.
 *
 * @param {string | undefined} before with its marks
 */
function beginsAfter(before = "") {
  const letter = /^[\p{L}\p{N}]/u.exec(before)?.[0]
  return !letter || DRAWN_AS_EMOJI.test(before) || WITHOUT_SPACES.test(letter)
}

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {boolean} near here now, and so more likely to be meant
 */

/**
 * Those that the query may mean: who is near first, then whose name begins so. None when there is
 * nothing left to complete.
 *
 * @template {Candidate} T
 * @param {T[]} candidates
 * @param {string} query
 * @returns {T[]}
 */
export function completions(candidates, query) {
  // After a whole name and a space, the sentence goes on.
  const whole = candidates.some(({ name }) => folded(`${name} `) === folded(query))
  const rated = candidates.map((candidate) => ({ candidate, fit: fitOf(candidate.name, query) }))
  const fitting = rated.filter(({ fit }) => fit === 0 || fit === 1)
  const done = fitting.length === 1 && folded(fitting[0].candidate.name) === folded(query)
  if (whole || done) return []
  return fitting
    .sort((a, b) => rank(a) - rank(b) || a.candidate.name.localeCompare(b.candidate.name))
    .slice(0, MOST_NAMES)
    .map(({ candidate }) => candidate)
}

/** @param {{candidate: Candidate, fit: number}} rated */
const rank = ({ candidate, fit }) => (candidate.near ? 0 : 2) + fit

/**
 * The edit that completes a token: what is replaced, and by what.
 *
 * @param {string} text
 * @param {number} cursor
 * @param {Token} token
 * @param {string} chosen a name without its sign, or an emoji
 * @returns {{start: number, end: number, words: string}}
 */
export function complete(text, cursor, { sign, start }, chosen) {
  if (sign === ":") return { start, end: cursor, words: chosen }
  // The sign stays as wide as it is, and there is one space after the name.
  return { start, end: text[cursor] === " " ? cursor + 1 : cursor, words: `${text[start]}${chosen} ` }
}
