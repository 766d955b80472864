// A form that asks the API and says what is wrong where it was typed.

import { request } from "./api.js"
import { part } from "./page.js"

/**
 * @param {HTMLFormElement} form with a part `error`
 * @param {string} method
 * @param {string} path below `/api`
 * @param {(body: any) => void} done
 */
export function askWith(form, method, path, done) {
  const error = part(form, "error")
  const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")])
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('[type="submit"]'))

  const forgive = () => {
    error.hidden = true
    error.textContent = ""
    fields.forEach((field) => field.removeAttribute("aria-invalid"))
  }

  form.addEventListener("input", forgive)
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    // Stays focusable, unlike a disabled one; a second press does nothing.
    if (button.ariaDisabled === "true") return
    button.ariaDisabled = "true"
    const answer = await request(method, path, Object.fromEntries(new FormData(form)))
    button.ariaDisabled = null
    forgive()
    if (answer.ok) return done(answer.body)
    error.textContent = answer.why
    error.hidden = false
    const atFault = fields.find((field) => field.name === answer.body?.field) ?? fields[0]
    atFault.ariaInvalid = "true"
    atFault.focus()
  })
}
