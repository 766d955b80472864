// Dialogs over the page: what names one in `data-opens` opens it, also a click beside it closes it.
// Escape and giving the focus back are the browser's.

import { find } from "../lib/page.js"

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
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

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
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
