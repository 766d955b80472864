// Emoji: which texts are one, the list of all with their shortcodes, and how one is found in it by a
// shortcode, `:tada:`, or by a part of it.

import { fitOf } from "./choosing.js"
import { say } from "./mounting.js"
import { find } from "./page.js"

/** Up to so many are shown large. */
const MOST_LARGE = 3

/** Built when it is needed first: that takes a twentieth of a second on a phone. @type {RegExp | undefined} */
let emojiPattern

/** @param {string} grapheme */
const isOne = (grapheme) => (emojiPattern ??= newPattern()).test(grapheme)

/**
 * Whether a message's HTML is one paragraph of a few emoji alone.
 *
 * @param {string} html
 */
export function isEmojiAlone(html) {
  if (!html.startsWith("<p>") || !html.endsWith("</p>")) return false
  const text = html.slice("<p>".length, -"</p>".length).replaceAll("<br>", "")
  const seen = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment).filter((each) => each.trim())
  return seen.length > 0 && seen.length <= MOST_LARGE && seen.every((each) => isOne(each))
}

/**
 * Whether a text is one emoji, and nothing else.
 *
 * @param {string} text
 */
export function isEmoji(text) {
  return [...new Intl.Segmenter().segment(text)].length === 1 && isOne(text)
}

/** Built at run time: a literal with `v` would keep an older browser from reading the module at all. */
function newPattern() {
  try {
    // A skin tone alone is a part of an emoji.
    return new RegExp("^[\\p{RGI_Emoji}--\\p{Emoji_Component}]$", "v")
  } catch {
    return /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)/u
  }
}

/** @type {NamedEmoji[]} */
let namedEmoji = []

/** @type {Promise<void> | undefined} */
let reading

/** Every emoji that has a shortcode; none before the list was read. */
export const knownEmoji = () => namedEmoji

/** Reads the list. Without a connection it stays empty, and is read when it is needed again. */
export function readEmoji() {
  reading ??= fetch(find(document, ".shell").dataset.emoji ?? "")
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.statusText)))
    .then((list) => {
      namedEmoji = list
      say("emoji")
    })
    .catch(() => {
      reading = undefined
    })
  return reading
}

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
