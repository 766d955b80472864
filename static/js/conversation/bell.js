// The bell in a channel's header: what of this channel is told outside the page, on this device.

import { bellOf } from "../shell/bells.js"
import { say } from "../lib/bus.js"
import { recall, remember } from "../lib/memory.js"
import { here, part } from "../lib/page.js"
import { allow, permissionOf, silence } from "../shell/permission.js"

/** What is said of each state, and what the button then does. */
const STATES = {
  missing: { told: "This browser cannot show notifications here. They need HTTPS.", button: "" },
  refused: { told: "The browser refuses notifications for this site. Allow them in its settings for this site.", button: "" },
  ask: { told: "Be told of new messages while you are elsewhere. The browser will ask first.", button: "Notify me" },
  off: { told: "Be told of new messages while you are elsewhere.", button: "Notify me" },
  on: { told: "Notifications are on, on this device.", button: "Turn off" },
}

/** @param {HTMLDetailsElement} details @param {import("../lib/mounting.js").Life} life */
export function mountBell(details, { hear, on }) {
  const { channel, kind, user: me } = here()
  const key = `bell.${me}.${channel}`
  const choices = details.querySelectorAll("input")
  const button = /** @type {HTMLButtonElement} */ (part(details, "notify"))
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"))

  const draw = () => {
    const bell = bellOf(recall(key), kind === "direct" ? "direct" : "public")
    const permission = permissionOf(me)
    const { told, button: does } = STATES[permission]
    for (const choice of choices) choice.checked = choice.value === bell
    part(details, "told").textContent = told
    button.textContent = does
    button.hidden = does === ""
    summary.dataset.bell = permission === "on" && bell !== "nothing" ? "on" : "off"
  }

  on(details, "change", ({ target }) => {
    remember(key, /** @type {HTMLInputElement} */ (target).value)
    say("permission")
  })
  on(button, "click", () => (permissionOf(me) === "on" ? silence(me) : allow(me)))
  hear("permission", draw)
  // Another tab may have changed it.
  on(window, "storage", draw)
  draw()
}
