// Forms that ask the API and say what is wrong where it was typed.

import { say } from "../lib/mounting.js"
import { here, part } from "../lib/page.js"
import { request } from "../net/api.js"
import { go } from "../shell/navigation.js"

/**
 * Creates a channel and goes there.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNewChannel(form, { on }) {
  askWith(form, on, (fields) => request("POST", "/channels", fields), ({ name }) => {
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
export function mountRename(form, { hear, on }) {
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("display_name"))
  const disclosure = /** @type {HTMLDetailsElement} */ (form.closest("details"))

  askWith(form, on, (fields) => request("PATCH", "/session", fields), ({ user }) => {
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
 * @param {import("../lib/mounting.js").Life["on"]} on
 * @param {(fields: Record<string, any>) => Promise<import("../net/api.js").Answer>} ask
 * @param {(body: any) => void} done
 */
export function askWith(form, on, ask, done) {
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

  on(form, "input", forgive)
  on(form, "submit", async (event) => {
    event.preventDefault()
    // Stays focusable, unlike a disabled one; a second press does nothing.
    if (button.ariaDisabled === "true") return
    button.ariaDisabled = "true"
    const answer = await ask(Object.fromEntries(new FormData(form)))
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
