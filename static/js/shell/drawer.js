// The sidebar on a small screen: a page of its own, reached by its address, so that the browser's
// way back closes it and it works without a script. Here: nothing behind it can be reached, and
// Escape closes it.

import { find, part } from "../lib/page.js"

/** @param {HTMLElement} drawer @param {import("../lib/mounting.js").Life} life */
export function mountDrawer(drawer, { hear, on }) {
  const behind = find(document, "main")
  const close = part(drawer, "close")
  /** The stylesheet shows the way out exactly where the sidebar covers the page. */
  const covers = () => location.hash === `#${drawer.id}` && getComputedStyle(close).display !== "none"
  const look = () => {
    const wasOpen = behind.inert
    behind.inert = covers()
    if (!wasOpen && behind.inert) drawer.focus()
    if (wasOpen && !behind.inert) find(behind, '[data-mount~="menu"]').focus()
  }

  on(window, "hashchange", look)
  on(window, "resize", look)
  hear("opened", look)
  on(document, "keydown", ({ key }) => {
    if (key === "Escape" && behind.inert) close.click()
  })
  look()
}

/**
 * @param {HTMLElement} menu tells that there is something unread behind it
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountMenu(menu, { hear }) {
  hear("unread-elsewhere", (channels) => {
    part(menu, "news").hidden = channels === 0
    menu.toggleAttribute("data-unread", channels > 0)
  })
}
