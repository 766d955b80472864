// Writing: the text is kept as a draft until it is sent.

import { hear, say } from "./bus.js"
import { charsLeft, MAX_CHARS } from "./limit.js"
import { recall, remember } from "./memory.js"
import { find, here, part } from "./page.js"

/** With fewer characters left than this, they are counted. */
const NEAR_LIMIT_CHARS = 200

/** Fingers have no Shift+Enter: for them Enter is a new line, and the button sends. */
const TOUCH = matchMedia("(pointer: coarse)")

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
    if (written && charsLeft(written) >= 0) {
      text.value = ""
      changed()
      say("send", { text: written })
    }
    text.focus()
  })
  text.addEventListener("input", changed)
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || TOUCH.matches) return
    // Safari ends composing before this key, and tells so only by its code.
    if (event.isComposing || event.keyCode === 229) return
    event.preventDefault()
    form.requestSubmit()
  })
  hear("channel-deleted", () => {
    text.disabled = true
    find(form, "button").toggleAttribute("disabled", true)
    text.placeholder = "This channel was deleted."
  })

  // Sending nothing is no mistake that a browser should point at.
  form.noValidate = true
  text.value ||= recall(draftKey) ?? ""
  changed()
  if (!TOUCH.matches) text.focus()
}

/** @param {number} left */
function limitWords(left) {
  if (left < 0) return `${-left} characters too many (at most ${MAX_CHARS.toLocaleString()}).`
  return left < NEAR_LIMIT_CHARS ? `${left} characters left.` : ""
}

/**
 * Where the stylesheet's `field-sizing` is unknown, the field is as high as its text.
 *
 * @param {HTMLTextAreaElement} text
 */
function grow(text) {
  if (CSS.supports("field-sizing", "content")) return
  text.style.blockSize = "auto"
  text.style.blockSize = `${text.scrollHeight}px`
}
