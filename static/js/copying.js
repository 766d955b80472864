// Copying a message's address, or a block of code.

import { hear, say } from "./bus.js"
import { permalink } from "./permalink.js"
import { find, place } from "./page.js"

/** @param {HTMLElement} list */
export function mountCopying(list) {
  hear("copy-link", ({ id }) => copy(permalink(place(), id), "Link copied."))
  list.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="copy-code"]')
    if (button?.parentElement) copy(find(button.parentElement, "pre").textContent ?? "", "Code copied.")
  })
}

/**
 * @param {string} text
 * @param {string} done
 */
async function copy(text, done) {
  const copied = (await copyNow(text)) || copyByField(text)
  say("tell", { text: copied ? done : `Your browser does not let us copy. It is: ${text}` })
}

/** @param {string} text */
async function copyNow(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/**
 * On plain HTTP there is no clipboard but the one of selected text.
 *
 * @param {string} text
 */
function copyByField(text) {
  const focused = document.activeElement
  const field = document.createElement("textarea")
  field.value = text
  field.className = "clipboard"
  document.body.append(field)
  field.select()
  const copied = document.execCommand("copy")
  field.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  return copied
}
