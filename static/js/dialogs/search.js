// Messages found by the server, as the options of a list.

import { briefWords } from "../conversation/local-time.js"
import { anchorOf } from "../lib/addresses.js"
import { markedPieces } from "../lib/choosing.js"
import { find, reader, stamp } from "../lib/page.js"

/** @typedef {import("../sidebar/destinations.js").Known} Known */
/** @typedef {import("../net/api.js").Message & {channel: string}} Found */

/**
 * @param {Found} message
 * @param {string[]} words that were searched for
 * @param {Known[]} channels
 */
export function foundOption(message, words, channels) {
  const option = stamp("found")
  const { label, href } = channelOfFound(message, channels)
  const id = anchorOf(message.id)
  Object.assign(option.dataset, { id, href: `${href}#${id}` })
  find(option, ".found__author").textContent = message.author.display_name
  find(option, ".found__channel").textContent = label
  const time = /** @type {HTMLTimeElement} */ (find(option, "time"))
  time.dateTime = message.sent_at
  time.textContent = briefWords(new Date(message.sent_at), reader().locale, new Date())
  find(option, ".found__text").append(...markedPieces(message.text, words).map(drawnPart))
  return option
}

/** @param {import("../lib/choosing.js").Piece} piece */
function drawnPart({ text, marked }) {
  if (!marked) return text
  const mark = document.createElement("mark")
  mark.textContent = text
  return mark
}

/**
 * What the message's channel is called, and where it is.
 *
 * @param {Found} message
 * @param {Known[]} channels
 */
function channelOfFound({ channel }, channels) {
  if (!channel.startsWith("id:")) return { label: `#${channel}`, href: `/channels/${encodeURIComponent(channel)}` }
  const direct = channels.find(({ id }) => `id:${id}` === channel)
  return { label: direct?.label ?? "Direct message", href: direct?.href ?? `/channels/${channel}` }
}
