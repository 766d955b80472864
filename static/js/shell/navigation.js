// Going from channel to channel without leaving the page: the address changes, and whoever hears
// `went` shows what it stands for. By `history` everywhere, so that there is one way.

import { say } from "../lib/bus.js"

const CHANNEL = /^\/channels\/[^/]+$/

/** The sidebar of a small screen, which lies over the page while this is the address. */
const DRAWER = "#channels"

/**
 * Goes to a channel's page, or leaves for another one.
 *
 * @param {string} href
 */
export function go(href) {
  const { origin, pathname, hash } = new URL(href, location.href)
  if (origin !== location.origin || !CHANNEL.test(pathname)) return location.assign(href)
  if (location.hash === DRAWER) {
    // Only a navigation takes the drawer away; it leaves no trace of its own.
    location.replace("#conversation")
    history.replaceState(null, "", pathname + hash)
  } else if (pathname + hash !== location.pathname + location.hash) {
    history.pushState(null, "", pathname + hash)
  }
  say("went", { isBack: false })
}

/**
 * The place where links lead, if that is another channel of this page.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNavigation(_, { on }) {
  on(document, "click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a")
    const aside = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (!link || aside || event.defaultPrevented || link.target || link.hasAttribute("download")) return
    const { origin, pathname } = link
    // Within a channel, the browser finds the way.
    if (origin !== location.origin || !CHANNEL.test(pathname) || pathname === location.pathname) return
    event.preventDefault()
    go(link.href)
  })
  on(window, "popstate", () => say("went", { isBack: true }))
}
