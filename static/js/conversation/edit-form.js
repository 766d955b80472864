// The form in which a message is written anew.

import { charsLeft, grow, isDone, limitWords } from "../composer/writing.js"
import { find, part, stamp } from "../lib/page.js"

/**
 * @param {{save: () => void, cancel: () => void}} acts
 * @returns {{form: HTMLElement, field: HTMLTextAreaElement}}
 */
export function editForm({ save, cancel }) {
  const form = stamp("edit")
  const field = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const limit = part(form, "limit")

  field.addEventListener("input", () => {
    limit.textContent = limitWords(charsLeft(field.value))
    limit.toggleAttribute("data-over", charsLeft(field.value) < 0)
    part(form, "error").textContent = ""
    grow(field)
  })
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) cancel()
    else if (event.target === field && isDone(event)) save()
    else return
    event.preventDefault()
  })
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    save()
  })
  part(form, "cancel").addEventListener("click", cancel)
  return { form, field }
}
