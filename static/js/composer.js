// Writing: the text is kept as a draft until it is sent.

import { attached, takeAttached } from "./attached.js"
import { hear, say } from "./bus.js"
import { charsLeft, limitWords } from "./limit.js"
import { recall, remember } from "./memory.js"
import { find, here, part } from "./page.js"
import { grow, isDone, TOUCH } from "./writing.js"

/** @param {HTMLFormElement} form */
export function mountComposer(form) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const limit = part(form, "limit")
  const { channel, user } = here()
  const draftKey = `draft.${user}.${channel}`

  const changed = () => {
    remember(draftKey, text.value)
    limit.toggleAttribute("data-over", charsLeft(text.value) < 0)
    limit.textContent = limitWords(charsLeft(text.value))
    grow(text)
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const written = text.value.trim()
    if ((written || attached().length > 0) && charsLeft(written) >= 0) {
      text.value = ""
      changed()
      say("send", { text: written, files: takeAttached() })
    }
    text.focus()
  })
  text.addEventListener("input", changed)
  text.addEventListener("keydown", (event) => {
    if (!isDone(event)) return
    event.preventDefault()
    form.requestSubmit()
  })
  hear("channel-deleted", () => {
    text.disabled = true
    find(form, 'button[type="submit"]').toggleAttribute("disabled", true)
    text.placeholder = "This channel was deleted."
  })

  // Sending nothing is no mistake that a browser should point at.
  form.noValidate = true
  text.value ||= recall(draftKey) ?? ""
  changed()
  if (!TOUCH.matches) text.focus()
}
