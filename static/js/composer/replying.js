// Answering a message: a line over the message box says which, and what is sent begins with it as a
// quotation. It is kept with the draft.

import { quote } from "./quote.js"
import { write } from "./writing.js"
import { anchorOf, permalink } from "../lib/addresses.js"
import { recall, remember } from "../lib/browser.js"
import { say } from "../lib/mounting.js"
import { find, here, part, place } from "../lib/page.js"

/** @typedef {{author: string, link: string, text: string}} Answered */

/** Where it stands what is answered in the open channel. */
const keyOf = () => `reply.${here().user}.${here().channel}`

/** @returns {Answered | null} */
function answered() {
  return JSON.parse(recall(keyOf()) ?? "null")
}

/** The quotation that the next message of the open channel begins with; nothing without an answer. */
export function quotation() {
  const message = answered()
  return message ? quote(message) : ""
}

/** @param {Answered | null} message what is answered from here on */
export function answer(message) {
  remember(keyOf(), message && JSON.stringify(message))
  say("answering", message)
}

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
export function mountReplying(form, { hear, on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const chip = part(form, "reply")

  /** @param {Answered | null} message */
  const draw = (message) => {
    chip.hidden = !message
    part(chip, "author").textContent = message?.author ?? ""
    part(chip, "said").textContent = message?.text ?? ""
  }
  const dismiss = () => {
    answer(null)
    text.focus()
  }

  hear("reply", ({ id }) => {
    const item = document.getElementById(anchorOf(id))
    if (!item || text.disabled) return
    const author = find(item, ".message__author").textContent ?? ""
    answer({ author, link: permalink(place(), id), text: item.dataset.text || find(item, ".message__files").innerText.trim() })
    text.focus()
  })
  hear("answering", draw)
  hear("opened", () => draw(answered()))
  on(part(chip, "dismiss"), "click", dismiss)
  on(form, "keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || chip.hidden) return
    event.preventDefault()
    dismiss()
  })
  // What was typed into a message that is gone.
  hear("left-over", ({ words }) => {
    write(text, [text.value.trim(), words].filter(Boolean).join("\n\n"))
    say("tell", { text: "That message is gone. What you wrote is in the message box." })
  })
}
