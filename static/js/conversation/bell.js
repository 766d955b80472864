// The bell in a channel's header: what of this channel is told outside the page, on this device.

import { bellOf } from "../shell/bells.js"
import { say } from "../lib/bus.js"
import { recall, remember } from "../lib/memory.js"
import { here, part } from "../lib/page.js"
import { changePermission, drawPermission, permissionOf } from "../shell/permission.js"

/** @param {HTMLDetailsElement} details @param {import("../lib/mounting.js").Life} life */
export function mountBell(details, { hear, on }) {
  const { channel, kind, user: me } = here()
  const key = `bell.${me}.${channel}`
  const choices = details.querySelectorAll("input")
  const [told, button] = [part(details, "told"), part(details, "notify")]
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"))

  const draw = () => {
    const bell = bellOf(recall(key), kind === "direct" ? "direct" : "public")
    for (const choice of choices) choice.checked = choice.value === bell
    drawPermission(told, button, me)
    summary.dataset.bell = permissionOf(me) === "on" && bell !== "nothing" ? "on" : "off"
  }

  on(details, "change", ({ target }) => {
    remember(key, /** @type {HTMLInputElement} */ (target).value)
    say("permission")
  })
  on(button, "click", () => changePermission(me))
  hear("permission", draw)
  // Another tab may have changed it.
  on(window, "storage", draw)
  draw()
}
