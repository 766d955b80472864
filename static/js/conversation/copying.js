// Copying a message's address, or a block of code.

import { say } from "../lib/bus.js"
import { copy } from "../lib/clipboard.js"
import { permalink } from "./permalink.js"
import { find, place } from "../lib/page.js"

/** @param {HTMLElement} list @param {import("../lib/mounting.js").Life} life */
export function mountCopying(list, { hear, on }) {
  hear("copy-link", ({ id }) => tell(permalink(place(), id), "Link copied."))
  on(list, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="copy-code"]')
    if (button?.parentElement) tell(find(button.parentElement, "pre").textContent ?? "", "Code copied.")
  })
}

/**
 * @param {string} text
 * @param {string} done
 */
async function tell(text, done) {
  const copied = await copy(text)
  say("tell", { text: copied ? done : `Your browser does not let us copy. It is: ${text}` })
}
