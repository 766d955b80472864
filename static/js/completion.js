// Completing a name that begins with `@`, or a channel that begins with `#`. Decides only.

import { fitOf, folded } from "./matching.js"

/** The longest name of a channel; people's are shorter. */
const LONGEST_CHARS = 64

/** As many as can be looked over at a glance. */
const MOST = 8

/**
 * @typedef {object} Token
 * @property {"@" | "#"} sign
 * @property {number} start where the sign stands
 * @property {string} query what follows it, up to the cursor
 */

/**
 * What is being named at the cursor. Names may have spaces in them, so a query may too.
 *
 * @param {string} text
 * @param {number} cursor
 * @returns {Token | null}
 */
export function tokenAt(text, cursor) {
  const before = text.slice(Math.max(0, cursor - LONGEST_CHARS - 1), cursor)
  // A sign within a word, as in a mail address, names nobody.
  const found = /(?<![\p{L}\p{N}])([@#])([^@#\n]*)$/u.exec(before)
  if (!found) return null
  const [, sign, query] = found
  if (/^\s/.test(query) || (sign === "#" && /\s/.test(query))) return null
  return { sign: sign === "@" ? "@" : "#", start: cursor - query.length - 1, query }
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
    .slice(0, MOST)
    .map(({ candidate }) => candidate)
}

/** @param {{candidate: Candidate, fit: number}} rated */
const rank = ({ candidate, fit }) => (candidate.near ? 0 : 2) + fit

/**
 * The text with the name in full, and where the cursor is then.
 *
 * @param {string} text
 * @param {number} cursor
 * @param {Token} token
 * @param {string} name
 */
export function complete(text, cursor, { sign, start }, name) {
  const inserted = `${sign}${name} `
  const rest = text.slice(cursor)
  return {
    text: text.slice(0, start) + inserted + (rest.startsWith(" ") ? rest.slice(1) : rest),
    cursor: start + inserted.length,
  }
}
