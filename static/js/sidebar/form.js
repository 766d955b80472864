// Forms that ask the API and say what is wrong where it was typed.

import { request } from "../net/api.js"
import { say } from "../lib/bus.js"
import { go } from "../shell/navigation.js"
import { here, part } from "../lib/page.js"

/** Creates a channel and goes there. @param {HTMLFormElement} form */
export function mountNewChannel(form) {
  askWith(form, "POST", "/channels", ({ name }) => {
    form.reset()
    const disclosure = form.closest("details")
    if (disclosure) disclosure.open = false
    go(`/channels/${encodeURIComponent(name)}`)
  })
}

/**
 * Renames the user.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountRename(form, { hear }) {
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("display_name"))
  const disclosure = /** @type {HTMLDetailsElement} */ (form.closest("details"))

  askWith(form, "PATCH", "/session", ({ user }) => {
    say("renamed", user)
    disclosure.open = false
    disclosure.querySelector("summary")?.focus()
  })
  hear("renamed", (user) => {
    if (user.id === here().user) name.value = user.display_name
  })
}

/**
 * @param {HTMLFormElement} form with a part `error`, and maybe one `taken`, the ways on where a name is
 * @param {string} method
 * @param {string} path below `/api`
 * @param {(body: any) => void} done
 */
function askWith(form, method, path, done) {
  const error = part(form, "error")
  const taken = /** @type {HTMLElement | null} */ (form.querySelector('[data-part="taken"]'))
  const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")])
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('[type="submit"]'))

  const forgive = () => {
    error.hidden = true
    error.textContent = ""
    if (taken) taken.hidden = true
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
    if (taken) taken.hidden = answer.body?.type !== "/problems/display-name-taken"
    const atFault = fields.find((field) => field.name === answer.body?.field) ?? fields[0]
    atFault.ariaInvalid = "true"
    atFault.focus()
  })
}
