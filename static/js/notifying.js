// Telling of new messages outside the page, as far as each channel's bell says. One tab of a
// browser does it for all of them, and knows at which channels the others look.

import { channelPath, request } from "./api.js"
import { bellOf, newsAmong, rings, SILENT, wordsOf } from "./bells.js"
import { hear } from "./bus.js"
import { isTaken, takeTurn } from "./locks.js"
import { recall, remember } from "./memory.js"
import { here } from "./page.js"
import { permissionOf } from "./permission.js"

const ICON = new URL("../img/mark.svg", import.meta.url).href

/** @typedef {import("./destinations.js").Known} Known */

export function mountNotifying() {
  const { channel: open, user: me } = here()
  /** @type {Map<string, Known>} */
  let channels = new Map()
  let notifier = false
  let lookAway = () => {}

  const look = () => {
    lookAway()
    lookAway = document.hidden ? () => {} : takeTurn(`looking.${open}`, () => {}, "shared")
  }

  /** @param {Known} channel @param {import("./bells.js").Bell} bell */
  const ring = async (channel, bell) => {
    if (await isTaken(`looking.${channel.id}`)) return
    const { ok, body } = await request("GET", `${channelPath(channel.id)}/messages`)
    const key = `told.${me}.${channel.id}`
    const news = ok && newsAmong(body.messages, bell, me, Number(recall(key)))
    if (!news) return
    remember(key, String(news.seq))
    show(channel, news)
  }

  // Whoever tells the other tabs what happens also notifies.
  hear("leads", (leads) => (notifier = leads))
  hear("channels", (/** @type {Known[]} */ known) => {
    const before = channels
    channels = new Map(known.map((channel) => [channel.id, channel]))
    // The first list is what there was, not what is new.
    if (before.size === 0 || !notifier || permissionOf(me) !== "on") return
    for (const channel of known) {
      const was = before.get(channel.id) ?? SILENT
      if (channel.lastAt === was.lastAt || (!document.hidden && channel.id === open)) continue
      const bell = bellOf(recall(`bell.${me}.${channel.id}`), channel.kind)
      if (rings(bell, was, channel)) ring(channel, bell)
    }
  })
  document.addEventListener("visibilitychange", look)
  // A page that is kept for going back to must not stand in the way of the others.
  addEventListener("pagehide", () => lookAway())
  addEventListener("pageshow", (event) => event.persisted && look())
  look()
}

/**
 * @param {Known} channel
 * @param {import("./api.js").Message} message
 */
function show(channel, message) {
  const { title, body } = wordsOf(message, channel)
  try {
    const notification = new Notification(title, /** @type {NotificationOptions & {renotify: boolean}} */ ({ body, tag: channel.id, renotify: true, icon: ICON }))
    notification.addEventListener("click", () => {
      window.focus()
      if (here().channel !== channel.id) location.assign(channel.href)
      notification.close()
    })
  } catch {
    // Some browsers have the permission and let only a service worker use it.
  }
}
