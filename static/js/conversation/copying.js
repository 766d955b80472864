// Copying a message's address, a block of code, or several messages that are selected.

import { excerptHtml, excerptText, selectedIn } from "./excerpt.js"
import { anchorOf, permalink } from "../lib/addresses.js"
import { copy } from "../lib/clipboard.js"
import { say } from "../lib/mounting.js"
import { find, place } from "../lib/page.js"

/** @param {HTMLElement} list @param {import("../lib/mounting.js").Life} life */
export function mountCopying(list, { hear, on }) {
  hear("copy-text", ({ id }) => copyAndTell(document.getElementById(anchorOf(id))?.dataset.text ?? "", "Text copied."))
  hear("copy-link", ({ id }) => copyAndTell(permalink(place(), id), "Link copied."))
  on(list, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="copy-code"]')
    if (button?.parentElement) copyAndTell(find(button.parentElement, "pre").textContent ?? "", "Code copied.")
  })
  // Where the selection begins elsewhere, the list does not hear of it.
  on(document, "copy", (event) => {
    const isField = event.target instanceof Element && event.target.closest("textarea, input")
    const selection = getSelection()
    const messages = selection && !isField ? selectedIn(list, selection) : []
    // Within one message a browser's own way is better.
    if (messages.length < 2 || !event.clipboardData) return
    event.preventDefault()
    event.clipboardData.setData("text/plain", excerptText(messages))
    event.clipboardData.setData("text/html", excerptHtml(messages))
  })
}

/**
 * @param {string} text
 * @param {string} done
 */
async function copyAndTell(text, done) {
  const copied = await copy(text)
  say("tell", { text: copied ? done : `Your browser does not let us copy. It is: ${text}` })
}
