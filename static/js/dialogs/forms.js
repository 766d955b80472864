// Forms that ask the API and say what is wrong where it was typed: for a channel, its settings, and another
// name.

import { folded } from "../lib/choosing.js"
import { say } from "../lib/mounting.js"
import { here } from "../lib/page.js"
import { answerOf, channelPath, request } from "../net/api.js"
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
 * Asks the API when the form is submitted, and says what is wrong.
 *
 * @param {HTMLFormElement} form with a part `error`, or one in each field, and maybe one `taken`, the ways on
 *   where a name is
 * @param {import("../lib/mounting.js").Life["on"]} on
 * @param {(fields: Record<string, any>) => Promise<import("../net/api.js").Answer>} ask
 * @param {(body: any) => void} done
 */
export function askWith(form, on, ask, done) {
  const errors = /** @type {HTMLElement[]} */ ([...form.querySelectorAll('[data-part="error"]')])
  const taken = /** @type {HTMLElement | null} */ (form.querySelector('[data-part="taken"]'))
  const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")])
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('[type="submit"]'))

  const forgive = () => {
    errors.forEach((error) => (error.hidden = true))
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
    if (taken) taken.hidden = answer.body?.type !== "/problems/display-name-taken"
    const atFault = fields.find((field) => field.name === answer.body?.field) ?? fields[0]
    const error = errors.find(({ parentNode }) => parentNode === atFault.parentNode) ?? errors[0]
    error.textContent = answer.why
    error.hidden = false
    atFault.ariaInvalid = "true"
    atFault.focus()
  })
}

/**
 * The settings of the channel that is open, for whoever may change them: the server draws no others.
 *
 * @param {HTMLDialogElement} dialog
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountChannelSettings(dialog, { hear, on }) {
  const { channel, name } = here()
  const path = channelPath(channel)
  const topic = /** @type {HTMLFormElement | null} */ (dialog.querySelector('[data-part="topic-form"]'))
  const end = /** @type {HTMLFormElement | null} */ (dialog.querySelector('[data-part="delete-form"]'))

  if (topic) {
    const field = /** @type {HTMLInputElement} */ (topic.elements.namedItem("topic"))
    askWith(topic, on, (fields) => request("PATCH", path, fields), () => {
      dialog.close()
      say("tell", { text: "The topic is set." })
    })
    hear("channel-updated", (told) => {
      if (document.activeElement !== field) field.value = told.topic
    })
  }
  if (end) {
    const refused = answerOf(422, { detail: `That is not its name: type “${name}” to delete it.` })
    const ask = async (/** @type {Record<string, any>} */ { confirmed }) =>
      folded(confirmed.trim().replace(/^#/, "")) === name ? request("DELETE", path) : refused
    askWith(end, on, ask, () => {
      go("/channels/general")
      say("tell", { text: `#${name} is deleted.` })
    })
  }
}
