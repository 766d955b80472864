// A disclosure for people with a keyboard: its first field has the focus, Escape closes it. One
// that lies over the page (`data-popover`) also closes when something else is clicked.

/** @param {HTMLDetailsElement} disclosure */
export function mountDisclosure(disclosure) {
  disclosure.addEventListener("toggle", () => {
    if (disclosure.open) disclosure.querySelector(/** @type {"input"} */ ('input:not([type="radio"]), input:checked'))?.focus()
  })
  disclosure.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !disclosure.open) return
    event.stopPropagation()
    disclosure.open = false
    disclosure.querySelector("summary")?.focus()
  })
  if (!("popover" in disclosure.dataset)) return
  document.addEventListener("click", ({ target }) => {
    if (!disclosure.contains(/** @type {Node} */ (target))) disclosure.open = false
  })
}
