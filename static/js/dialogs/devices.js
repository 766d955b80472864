// Using another device as the same user: a link that signs it in, to scan or to copy.

import { request } from "../net/api.js"
import { copy } from "../lib/clipboard.js"
import { leftWords } from "./links.js"
import { find, part } from "../lib/page.js"

/** How long "Copied" stays on the button. */
const COPIED_MS = 2_000

/** @param {HTMLButtonElement} button @param {import("../lib/mounting.js").Life} life */
export function mountDevices(button, { on, later, every }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#device"))
  const code = /** @type {HTMLImageElement} */ (part(dialog, "code"))
  const link = /** @type {HTMLInputElement} */ (part(dialog, "link"))
  const [left, error, offer] = [part(dialog, "left"), part(dialog, "error"), part(dialog, "offer")]
  const copyButton = find(dialog, '[data-action="copy"]')
  const renew = find(dialog, '[data-action="renew"]')
  let expiresAt = 0
  let ticking = 0

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
  const copyLink = async () => {
    const copied = await copy(link.value)
    link.select()
    copyButton.textContent = copied ? "Copied" : "Selected"
    later(() => (copyButton.textContent = "Copy"), COPIED_MS)
  }

  on(button, "click", () => {
    dialog.showModal()
    make()
  })
  on(renew, "click", make)
  on(copyButton, "click", copyLink)
  on(dialog, "close", forget)
}
