// A disclosure for people with a keyboard: its first field has the focus, Escape closes it. One
// that lies over the page (`data-popover`) also closes when something else is clicked.

/** @param {HTMLDetailsElement} disclosure @param {import("./mounting.js").Life} life */
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
