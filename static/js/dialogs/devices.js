// Using another device as the same user: a link that signs it in, to scan or to copy. Whoever came
// aboard by it is told, and can be signed out again.

import { leftWords } from "./links.js"
import { newDevices, sessionName } from "./session-view.js"
import { copy } from "../lib/clipboard.js"
import { fill, find, part } from "../lib/page.js"
import { request } from "../net/api.js"

/** How long "Copied" stays on the button. */
const COPIED_MS = 2_000

/** How often is looked who came. */
const LOOK_MS = 2_000

/** @param {HTMLButtonElement} button @param {import("../lib/mounting.js").Life} life */
export function mountDevices(button, { on, later, every }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#device"))
  const code = /** @type {HTMLImageElement} */ (part(dialog, "code"))
  const link = /** @type {HTMLInputElement} */ (part(dialog, "link"))
  const [left, error, offer] = [part(dialog, "left"), part(dialog, "error"), part(dialog, "offer")]
  const copyButton = find(dialog, '[data-action="copy"]')
  const renew = find(dialog, '[data-action="renew"]')
  const aboard = part(dialog, "aboard")
  let expiresAt = 0
  let ticking = 0
  let looking = 0
  /** The sessions that there were before, by id. @type {Set<string> | null} */
  let known = null
  /** Who came, and in what words that is told, by the session's id. @type {Map<string, {words: string, over: boolean}>} */
  const came = new Map()

  const tick = () => {
    const ms = expiresAt - Date.now()
    left.textContent = leftWords(ms)
    offer.toggleAttribute("data-expired", ms <= 0)
    copyButton.toggleAttribute("disabled", ms <= 0)
    if (ms <= 0) clearInterval(ticking)
  }
  const forget = () => {
    clearInterval(ticking)
    // A secret: it stays in the page no longer than it is shown.
    code.removeAttribute("src")
    link.value = ""
    offer.hidden = true
    left.textContent = ""
    error.hidden = true
  }
  const make = async () => {
    forget()
    const { ok, body, why } = await request("POST", "/session/links")
    if (!dialog.open) return
    error.hidden = ok
    error.textContent = ok ? "" : `No link could be made. ${why}`
    offer.hidden = !ok
    if (!ok) return
    // As a picture, never as markup: what is in it cannot run.
    code.src = `data:image/svg+xml,${encodeURIComponent(body.qr_svg)}`
    link.value = body.url
    expiresAt = Date.parse(body.expires_at)
    ticking = every(tick, 1_000)
    tick()
  }
  const tellAboard = () => fill(aboard, { aboard: [...came].map(([key, told]) => ({ template: "aboard", key, ...told })) })
  const look = async () => {
    const { ok, body } = await request("GET", "/sessions")
    if (!ok || !dialog.open) return
    known ??= new Set(body.sessions.map((/** @type {{id: string}} */ { id }) => id))
    const devices = newDevices(body.sessions, known)
    for (const device of devices) {
      known.add(device.id)
      came.set(device.id, { words: `${sessionName(device)} came aboard just now.`, over: false })
    }
    if (devices.length === 0) return
    tellAboard()
    // A link works once.
    expiresAt = 0
    tick()
    left.textContent = "This link was used."
  }
  /** @param {string} id @param {HTMLElement} item */
  const signOut = async (id, item) => {
    const { ok, status, why } = await request("DELETE", `/sessions/${id}`)
    const done = ok || status === 404
    if (done && item.contains(document.activeElement)) renew.focus()
    came.set(id, done ? { words: "It is signed out again.", over: true } : { words: `It could not be signed out. ${why}`, over: false })
    tellAboard()
  }
  const copyLink = async () => {
    const copied = await copy(link.value)
    link.select()
    copyButton.textContent = copied ? "Copied" : "Selected"
    later(() => (copyButton.textContent = "Copy"), COPIED_MS)
  }

  on(button, "click", () => {
    dialog.showModal()
    make()
    clearInterval(looking)
    looking = every(look, LOOK_MS)
    look()
  })
  on(aboard, "click", ({ target }) => {
    const item = /** @type {Element} */ (target).closest('[data-action="sign-out"]')?.closest("li")
    if (item) signOut(item.dataset.key ?? "", item)
  })
  on(renew, "click", make)
  on(copyButton, "click", copyLink)
  on(dialog, "close", () => {
    forget()
    clearInterval(looking)
    known = null
    came.clear()
    tellAboard()
  })
}
