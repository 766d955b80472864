// The bell in a channel's header: what of this channel is told outside the page, on all devices, and
// whether this one tells anything.

import { here, part } from "../lib/page.js"
import { want } from "../net/api.js"
import { changePermission, drawPermission, permissionOf } from "../shell/notifications.js"

/** @param {HTMLDetailsElement} details @param {import("../lib/mounting.js").Life} life */
export function mountBell(details, { hear, on }) {
  const { channel, user: me } = here()
  const choices = [...details.querySelectorAll("input")]
  const [told, button] = [part(details, "told"), part(details, "notify")]
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"))

  /** The server's value. @type {string | undefined} */
  let bell = choices.find(({ defaultChecked }) => defaultChecked)?.value

  const draw = () => {
    for (const choice of choices) choice.checked = choice.value === bell
    drawPermission(told, button, me)
    summary.dataset.bell = permissionOf(me) === "on" && bell !== "nothing" ? "on" : "off"
  }

  on(details, "change", async ({ target }) => {
    const chosen = /** @type {import("../shell/notifications.js").Bell} */ (/** @type {HTMLInputElement} */ (target).value)
    const { ok, why } = await want(channel, { bell: chosen })
    if (ok) bell = chosen
    draw()
    if (!ok) told.textContent = `That could not be kept. ${why}`
  })
  on(button, "click", () => changePermission(me))
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
