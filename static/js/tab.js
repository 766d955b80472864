// The tab: its title and its icon tell what is unread.

import { hear } from "./bus.js"
import { find, here } from "./page.js"
import { badge, tally, titled } from "./tally.js"

export function mountTab() {
  const icon = /** @type {HTMLLinkElement} */ (find(document, 'link[rel="icon"]'))
  const plain = icon.href
  let title = document.title.replace(/ · Houston$/, "")
  /** @type {import("./destinations.js").Known[]} */
  let channels = []
  let shown = ""

  const draw = async () => {
    const sum = tally(channels, document.hidden ? "" : here().channel)
    document.title = titled(title, sum)
    const sign = badge(sum)
    if (sign === shown) return
    shown = sign
    const href = sign ? await badged(plain, sign) : plain
    if (sign === shown) icon.href = href
  }

  hear("titled", (words) => {
    title = words
    draw()
  })
  hear("channels", (known) => {
    channels = known
    draw()
  })
  document.addEventListener("visibilitychange", draw)
}

/**
 * The icon with something over it. Without the icon there is nothing to put it on.
 *
 * @param {string} icon
 * @param {string} sign
 */
async function badged(icon, sign) {
  try {
    const picture = await (await fetch(icon)).text()
    return `data:image/svg+xml,${encodeURIComponent(picture.replace("</svg>", `${sign}</svg>`))}`
  } catch {
    return icon
  }
}
