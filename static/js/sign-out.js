// Signing out: nothing of one's own stays behind on this device, what was not sent least of all.

import { forget, remember } from "./memory.js"
import { here } from "./page.js"
import { holderOf } from "./session.js"

/** @param {HTMLFormElement} form */
export function mountSignOut(form) {
  form.addEventListener("submit", () => {
    const { kind, user, userName } = here()
    for (const what of ["draft", "outbox", "told", "bell"]) forget(`${what}.${user}.`)
    forget(`notify.${user}`)
    remember(holderOf(userName), null)
    // To whoever signs in next, somebody else's conversation is not there.
    if (kind === "direct") remember("channel", null)
  })
}
