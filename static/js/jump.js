// The button that opens the switcher, and says by which keys that also goes.

import { say } from "./bus.js"
import { part } from "./page.js"
import { APPLE } from "./platform.js"

/** @param {HTMLButtonElement} button */
export function mountJump(button) {
  part(button, "keys").textContent = APPLE ? "⌘K" : "Ctrl K"
  button.setAttribute("aria-keyshortcuts", APPLE ? "Meta+K" : "Control+K")
  button.hidden = false
  button.addEventListener("click", () => say("jump"))
}
