// The user's devices and tokens: all of their sessions, each of which can be ended, and tokens for
// scripts.

import { sessionView } from "./session-view.js"
import { copy } from "../lib/clipboard.js"
import { fill, find, part, reader } from "../lib/page.js"
import { request } from "../net/api.js"

/** How long "Copied" stays on the button. */
const TOKEN_COPIED_MS = 2_000

/** @param {HTMLButtonElement} button @param {import("../lib/mounting.js").Life} life */
export function mountSessions(button, { on, later }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#sessions"))
  const [list, told, error, made] = [part(dialog, "list"), part(dialog, "told"), part(dialog, "error"), part(dialog, "made")]
  const form = /** @type {HTMLFormElement} */ (part(dialog, "form"))
  const name = /** @type {HTMLInputElement} */ (find(form, "input"))
  const token = /** @type {HTMLInputElement} */ (part(made, "token"))
  const copyButton = find(made, '[data-action="copy"]')

  /** @param {string} [words] to say of what was done */
  const read = async (words = "") => {
    const { ok, body, why } = await request("GET", "/sessions")
    if (!dialog.open) return
    told.textContent = ok ? words : `Your devices and tokens could not be loaded. ${why}`
    if (!ok) return
    const { locale } = reader()
    fill(list, { sessions: body.sessions.map((/** @type {import("./session-view.js").Session} */ each) => sessionView(each, locale, new Date())) })
    if (body.sessions.length === 1 && !words) told.textContent = "No other device is signed in, and there is no token."
  }
  /** @param {string} why */
  const complain = (why) => {
    error.textContent = why
    error.hidden = !why
    name.ariaInvalid = why ? "true" : null
  }
  /** A token is a secret: it stays in the page no longer than it is shown. */
  const forget = () => {
    token.value = ""
    made.hidden = true
    complain("")
  }
  /** @param {HTMLElement} item */
  const end = async (item) => {
    const called = find(item, ".session__name").textContent
    const { ok, status, why } = await request("DELETE", `/sessions/${item.dataset.key}`)
    if (!ok && status !== 404) return void (told.textContent = `${called} could not be ended. ${why}`)
    // The button that had the focus goes with its line.
    find(dialog, ".sessions__body").focus()
    read(`${called} has ended.`)
  }

  on(button, "click", () => {
    dialog.showModal()
    told.textContent = "Loading…"
    read()
  })
  on(list, "click", ({ target }) => {
    const item = /** @type {Element} */ (target).closest('[data-action="end"]')?.closest("li")
    if (item) end(item)
  })
  on(form, "submit", async (event) => {
    event.preventDefault()
    const { ok, body, why } = await request("POST", "/sessions", { name: name.value })
    if (!dialog.open) return
    if (!ok) {
      complain(why)
      return name.focus()
    }
    forget()
    form.reset()
    token.value = body.token
    made.hidden = false
    token.focus()
    token.select()
    read()
  })
  on(name, "input", () => complain(""))
  on(copyButton, "click", async () => {
    const copied = await copy(token.value)
    token.select()
    copyButton.textContent = copied ? "Copied" : "Selected"
    later(() => (copyButton.textContent = "Copy"), TOKEN_COPIED_MS)
  })
  on(dialog, "close", forget)
}
