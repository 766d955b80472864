// Signing out: nothing of one's own stays behind on this device, what was not sent least of all.

import { forget, remember } from "../lib/memory.js"
import { here } from "../lib/page.js"
import { holderOf } from "./session.js"

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
export function mountSignOut(form, { on }) {
  on(form, "submit", () => {
    const { kind, user, userName } = here()
    for (const what of ["draft", "reply", "outbox", "told", "bell"]) forget(`${what}.${user}.`)
    forget(`notify.${user}`)
    remember(holderOf(userName), null)
    // To whoever signs in next, somebody else's conversation is not there.
    if (kind === "direct") remember("channel", null)
  })
}
