// Taking another name.

import { hear, say } from "./bus.js"
import { askWith } from "./form.js"
import { here } from "./page.js"

/** @param {HTMLFormElement} form is of no use without a script, so it comes hidden */
export function mountRename(form) {
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("display_name"))
  const disclosure = /** @type {HTMLDetailsElement} */ (form.closest("details"))
  form.hidden = false

  askWith(form, "PATCH", "/session", ({ user }) => {
    say("renamed", user)
    disclosure.open = false
    disclosure.querySelector("summary")?.focus()
  })
  hear("renamed", (user) => {
    if (user.id === here().user) name.value = user.display_name
  })
}
