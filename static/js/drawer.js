// The sidebar on a small screen: a page of its own, reached by its address, so that the browser's
// way back closes it and it works without a script. Here: nothing behind it can be reached, and
// Escape closes it.

import { hear } from "./bus.js"
import { find, part } from "./page.js"

/** @param {HTMLElement} drawer */
export function mountDrawer(drawer) {
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

  addEventListener("hashchange", look)
  addEventListener("resize", look)
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && behind.inert) close.click()
  })
  look()
}

/** @param {HTMLElement} menu tells that there is something unread behind it */
export function mountMenu(menu) {
  hear("unread-elsewhere", (channels) => {
    part(menu, "news").hidden = channels === 0
    menu.toggleAttribute("data-unread", channels > 0)
  })
}
