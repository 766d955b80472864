// The bell in a channel's header: what of this channel is told outside the page, on all devices, and
// whether this one tells anything.

import { here, part } from "../lib/page.js"
import { want } from "../sidebar/preferences.js"
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
  const { channel, user: me } = here()
  const choices = [...details.querySelectorAll("input")]
  const button = /** @type {HTMLButtonElement} */ (part(details, "notify"))
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"))

  /** The server's value. @type {string | undefined} */
  let bell = choices.find(({ defaultChecked }) => defaultChecked)?.value

  const draw = () => {
    const permission = permissionOf(me)
    const { told, button: does } = STATES[permission]
    for (const choice of choices) choice.checked = choice.value === bell
    part(details, "told").textContent = told
    button.textContent = does
    button.hidden = does === ""
    summary.dataset.bell = permission === "on" && bell !== "nothing" ? "on" : "off"
  }

  on(details, "change", async ({ target }) => {
    const chosen = /** @type {import("../shell/bells.js").Bell} */ (/** @type {HTMLInputElement} */ (target).value)
    const { ok, why } = await want(channel, { bell: chosen })
    if (ok) bell = chosen
    draw()
    if (!ok) part(details, "told").textContent = `That could not be kept. ${why}`
  })
  on(button, "click", () => (permissionOf(me) === "on" ? silence(me) : allow(me)))
  hear("permission", draw)
  // Another tab may have changed the permission, another device the bell.
  on(window, "storage", draw)
  hear("channels", (/** @type {import("../sidebar/destinations.js").Known[]} */ known) => {
    const now = known.find(({ id }) => id === channel)?.bell
    if (!now || now === bell) return
    bell = now
    draw()
  })
  draw()
}
