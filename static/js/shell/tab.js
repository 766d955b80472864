// The tab: its title and its icon tell what is unread.

import { find, here } from "../lib/page.js"
import { tally } from "../sidebar/waiting.js"

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
export function mountTab(_, { hear, on }) {
  const icon = /** @type {HTMLLinkElement} */ (find(document, 'link[rel="icon"]'))
  const plain = icon.href
  /** @type {import("../sidebar/destinations.js").Known[]} */
  let channels = []
  let shown = ""

  const draw = async () => {
    const sum = tally(channels, document.hidden ? "" : here().channel)
    const { kind, title } = here()
    document.title = titled(kind === "public" ? `#${title}` : title, sum)
    const sign = badge(sum)
    if (sign === shown) return
    shown = sign
    const href = sign ? await badged(plain, sign) : plain
    if (sign === shown) icon.href = href
  }

  hear("opened", draw)
  hear("titled", draw)
  hear("listed", (known) => {
    channels = known
    draw()
  })
  on(document, "visibilitychange", draw)
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

/** @typedef {ReturnType<typeof tally>} Tally */

/**
 * The document's title: how many call, or a dot when only other things are unread.
 *
 * @param {string} title
 * @param {Tally} tally
 */
export function titled(title, { calls, rest }) {
  if (calls > 0) return `(${calls}) ${title} · Houston`
  return `${rest > 0 ? "• " : ""}${title} · Houston`
}

/**
 * What the tab's icon carries, as SVG over a picture of 32 by 32: a number, or a dot.
 *
 * @param {Tally} tally
 */
export function badge({ calls, rest }) {
  if (calls > 0) {
    const number = calls > 9 ? "9+" : String(calls)
    return `<circle cx="22" cy="10" r="10" fill="#d6323a"/><text x="22" y="15.2" fill="#fff" text-anchor="middle" font-family="system-ui, sans-serif" font-weight="700" font-size="${calls > 9 ? 12 : 15}">${number}</text>`
  }
  return rest > 0 ? '<circle cx="26" cy="6" r="6" fill="#152238"/><circle cx="26" cy="6" r="4.5" fill="#ff7a45"/>' : ""
}
