// The list of emoji and their shortcodes, which is read once, when it is first needed.

import { say } from "../lib/bus.js"
import { find } from "../lib/page.js"

/** @type {import("./shortcodes.js").NamedEmoji[]} */
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
