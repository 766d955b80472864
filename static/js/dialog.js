// A dialog over the page: what names it in `data-opens` opens it, also a click beside it closes it.
// Escape and giving the focus back are the browser's.

/** @param {HTMLDialogElement} dialog */
export function mountDialog(dialog) {
  // What lies behind stays as it is.
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.stopPropagation()
  })
  let pressed = /** @type {EventTarget | null} */ (null)
  dialog.addEventListener("pointerdown", ({ target }) => (pressed = target))
  dialog.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="close"]')
    // A selection that ends beside the dialog began in it.
    if ((target === dialog && pressed === dialog) || button) dialog.close()
  })
  for (const opener of document.querySelectorAll(/** @type {"button"} */ (`[data-opens="${dialog.id}"]`))) {
    opener.hidden = false
    opener.addEventListener("click", () => {
      const menu = opener.closest("details")
      // The focus comes back to what can still have it then.
      menu?.querySelector("summary")?.focus()
      if (menu) menu.open = false
      dialog.showModal()
    })
  }
}
