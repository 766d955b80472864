// Telling of new messages outside the page, as far as each channel's bell says.

import { channelPath, request } from "./api.js"
import { bellOf, newsAmong, rings, SILENT, wordsOf } from "./bells.js"
import { hear } from "./bus.js"
import { alone } from "./locks.js"
import { recall, remember } from "./memory.js"
import { find, here } from "./page.js"
import { permissionOf } from "./permission.js"

/** @typedef {import("./destinations.js").Known} Known */

export function mountNotifying() {
  const { channel: open, user: me } = here()
  /** @type {Map<string, Known>} */
  let channels = new Map()

  /** @param {string} channel */
  const toldKey = (channel) => `told.${me}.${channel}`
  /** What is on the screen of any tab needs no telling. @param {number} seq */
  const see = (seq) => {
    if (!document.hidden && seq > Number(recall(toldKey(open)))) remember(toldKey(open), String(seq))
  }

  /** @param {Known} channel @param {import("./bells.js").Bell} bell */
  const ring = (channel, bell) =>
    alone(`told.${channel.id}`, async () => {
      const { ok, body } = await request("GET", `${channelPath(channel.id)}/messages`)
      const self = { id: me, display_name: find(document, '[data-mount~="room"]').dataset.userName ?? "" }
      const news = ok && newsAmong(body.messages, bell, self, Number(recall(toldKey(channel.id))))
      if (!news) return
      remember(toldKey(channel.id), String(news.seq))
      show(channel, news)
    })

  hear("channels", (/** @type {Known[]} */ known) => {
    const before = channels
    channels = new Map(known.map((channel) => [channel.id, channel]))
    if (permissionOf(me) !== "on") return
    for (const channel of known) {
      const was = before.get(channel.id)
      // One that was not in the list may have begun just now; at first none was.
      if (!was && before.size === 0) continue
      if (!document.hidden && channel.id === open) continue
      const bell = bellOf(recall(`bell.${me}.${channel.id}`), channel.kind)
      if (rings(bell, was ?? SILENT, channel)) ring(channel, bell)
    }
  })
  hear("message", ({ seq }) => see(seq))
}

/**
 * @param {Known} channel
 * @param {import("./api.js").Message} message
 */
function show(channel, message) {
  const { title, body } = wordsOf(message, channel)
  try {
    const notification = new Notification(title, { body, tag: channel.id, icon: "/static/img/mark.svg" })
    notification.addEventListener("click", () => {
      window.focus()
      if (here().channel !== channel.id) location.assign(channel.href)
      notification.close()
    })
  } catch {
    // Some browsers have the permission and let only a service worker use it.
  }
}
