// Answering a message: its beginning is quoted in the message box.

import { say } from "../lib/bus.js"
import { anchorOf, permalink } from "../conversation/permalink.js"
import { find, place } from "../lib/page.js"
import { quote, withQuote } from "./quote.js"
import { write } from "./writing.js"

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
export function mountReplying(form, { hear }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))

  hear("reply", ({ id }) => {
    const item = document.getElementById(anchorOf(id))
    if (!item || text.disabled) return
    const author = find(item, ".message__author").textContent ?? ""
    const quotation = quote({ author, link: permalink(place(), id), text: item.dataset.text ?? "" })
    write(text, withQuote(text.value, quotation))
  })
  // What was typed into a message that is gone.
  hear("left-over", ({ words }) => {
    write(text, [text.value.trim(), words].filter(Boolean).join("\n\n"))
    say("tell", { text: "That message is gone. What you wrote is in the message box." })
  })
}
