// What opens over the page and closes again: dialogs, what opens them, and disclosures.

import { find } from "../lib/page.js"

/**
 * A dialog over the page: also a click beside it closes it. Escape and giving the focus back are the
 * browser's.
 *
 * @param {HTMLDialogElement} dialog
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDialog(dialog, { hear, on }) {
  // What lies behind stays as it is.
  on(dialog, "keydown", (event) => {
    if (event.key === "Escape") event.stopPropagation()
  })
  // Where one went lies behind it.
  hear("went", () => dialog.close())
  let pressed = /** @type {EventTarget | null} */ (null)
  on(dialog, "pointerdown", ({ target }) => (pressed = target))
  on(dialog, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="close"]')
    // A selection that ends beside the dialog began in it.
    if ((target === dialog && pressed === dialog) || button) dialog.close()
  })
}

/**
 * What names a dialog in `data-opens` opens it.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountOpeners(_, { on }) {
  on(document, "click", ({ target }) => {
    const opener = target instanceof Element && target.closest(/** @type {"button"} */ ("[data-opens]"))
    if (!opener) return
    const menu = opener.closest("details")
    // The focus comes back to what can still have it then.
    menu?.querySelector("summary")?.focus()
    if (menu) menu.open = false
    const dialog = /** @type {HTMLDialogElement} */ (find(document, `#${opener.dataset.opens}`))
    dialog.showModal()
  })
}

/**
 * A disclosure for people with a keyboard: its first field has the focus, Escape closes it. One that lies
 * over the page (`data-popover`) also closes when something else is clicked.
 *
 * @param {HTMLDetailsElement} disclosure
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDisclosure(disclosure, { hear, on }) {
  on(disclosure, "toggle", () => {
    if (disclosure.open) disclosure.querySelector(/** @type {"input"} */ ('input:not([type="radio"]), input:checked'))?.focus()
  })
  on(disclosure, "keydown", (event) => {
    if (event.key !== "Escape" || !disclosure.open) return
    event.stopPropagation()
    disclosure.open = false
    disclosure.querySelector("summary")?.focus()
  })
  if (!("popover" in disclosure.dataset)) return
  hear("went", () => (disclosure.open = false))
  on(document, "click", ({ target }) => {
    if (!disclosure.contains(/** @type {Node} */ (target))) disclosure.open = false
  })
}
