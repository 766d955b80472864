// A dialog over the page: also a click beside it closes it. Escape and giving the focus back are
// the browser's.

/** @param {HTMLDialogElement} dialog */
export function mountDialog(dialog) {
  // What lies behind stays as it is.
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.stopPropagation()
  })
  dialog.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="close"]')
    if (target === dialog || button) dialog.close()
  })
}
