// Making an emoji of a shortcode when its closing colon is typed.

import { closedAt, complete } from "./completion.js"
import { replace } from "./writing.js"
import { emojiOf, knownEmoji, readEmoji } from "../lib/emoji.js"

/** @param {HTMLTextAreaElement} text @param {import("../lib/mounting.js").Life} life */
export function mountShortening(text, { on }) {
  on(text, "input", async (event) => {
    // Not when it comes back by undoing, when it was pasted, or when a script wrote more than that.
    const { inputType, data, isComposing } = /** @type {InputEvent} */ (event)
    if (inputType !== "insertText" || data !== ":" || isComposing) return
    const [written, cursor] = [text.value, text.selectionStart]
    const closed = closedAt(written, cursor)
    if (!closed) return
    await readEmoji()
    const emoji = emojiOf(knownEmoji(), closed.query)
    const still = text.value === written && text.selectionStart === cursor
    if (emoji && still) replace(text, complete(written, cursor, closed, emoji))
  })
}
