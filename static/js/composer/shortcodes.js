// Finding emoji by their shortcodes: `:tada:`, or a part of it. Decides only.

import { fitOf } from "../lib/matching.js"

/** An emoji and its shortcodes, best known first. @typedef {[string, string[]]} NamedEmoji */

/** As many as can be looked over at a glance. */
const MOST_EMOJI = 8

/**
 * The emoji of a shortcode without its colons: case does not count, and `-` counts as `_` where it
 * is not part of a name itself, as on the server.
 *
 * @param {NamedEmoji[]} known
 * @param {string} shortcode
 * @returns {string | undefined}
 */
export function emojiOf(known, shortcode) {
  const name = shortcode.toLowerCase()
  const named = (/** @type {string} */ wanted) => known.find(([, names]) => names.includes(wanted))?.[0]
  return named(name) ?? named(name.replaceAll("-", "_"))
}

/**
 * The emoji that a shortcode's beginning may mean: the one that is called so, then those whose name
 * begins so, then those of which a word does, then those that have it in them.
 *
 * @param {NamedEmoji[]} known
 * @param {string} query
 * @param {number} [most] how many
 * @returns {{emoji: string, name: string, others: string[]}[]} each by the name that fits best
 */
export function emojiFor(known, query, most = MOST_EMOJI) {
  const rated = known.flatMap(([emoji, names], at) => {
    const [best] = names.map((name) => ({ name, rank: rankOf(name, query) })).filter(({ rank }) => rank < Infinity).sort((a, b) => a.rank - b.rank)
    return best ? [{ emoji, name: best.name, others: names.filter((name) => name !== best.name), rank: best.rank, at }] : []
  })
  return rated.sort((a, b) => a.rank - b.rank || a.at - b.at).slice(0, most).map(({ emoji, name, others }) => ({ emoji, name, others }))
}

/** Lower is better; of equal fits the shorter name is. @param {string} name @param {string} query */
function rankOf(name, query) {
  if (name === query.toLowerCase()) return 0
  const fit = fitOf(name, query)
  // `:-p` is a face of signs, and no part of `non-potable_water`.
  if (fit < 0 || (fit > 0 && !/^[a-z0-9]/i.test(query))) return Infinity
  return (fit + 1) * 100 + name.length
}
