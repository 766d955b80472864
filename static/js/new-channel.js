// Creating a channel, with what is wrong said where it was typed.

import { request } from "./api.js"

/** @param {HTMLFormElement} form */
export function mountNewChannel(form) {
  const error = /** @type {HTMLElement} */ (form.querySelector('[data-part="error"]'))
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("name"))

  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const answer = await request("POST", "/channels", Object.fromEntries(new FormData(form)))
    if (answer.ok) {
      location.assign(`/channels/${encodeURIComponent(answer.body.name)}`)
      return
    }
    error.textContent = answer.why
    error.hidden = false
    name.setAttribute("aria-invalid", "true")
    name.focus()
  })
  form.addEventListener("input", () => {
    error.hidden = true
    name.removeAttribute("aria-invalid")
  })
}
