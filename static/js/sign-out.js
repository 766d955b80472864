// Signing out: what was written and not sent does not stay behind on this device.

import { forget } from "./memory.js"
import { here } from "./page.js"

/** @param {HTMLFormElement} form */
export function mountSignOut(form) {
  form.addEventListener("submit", () => {
    const { user } = here()
    forget(`draft.${user}.`)
    forget(`outbox.${user}.`)
  })
}
