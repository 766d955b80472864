// Telling of new messages outside the page, as far as each channel's bell says. One tab of a
// browser does it for all of them, and knows at which channels the others look.

import { channelPath, request } from "../net/api.js"
import { callsAmong, newsAmong, rings, SILENT, withCall, notificationWords } from "./bells.js"
import { isTaken, takeTurn } from "../lib/locks.js"
import { recall, remember } from "../lib/memory.js"
import { find, here } from "../lib/page.js"
import { go } from "./navigation.js"
import { permissionOf } from "./permission.js"
import { sendRememberedBells } from "../sidebar/preferences.js"

/** Whether `@here` was said in a channel is looked up at most so often. */
const LOOK_UP_AFTER_MS = 2_000

/** @typedef {import("../sidebar/destinations.js").Known} Known */

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
export function mountNotifying(_, { hear, on, later }) {
  const { user: me } = here()
  /** @type {Map<string, Known>} */
  let channels = new Map()
  let notifier = false
  let lookAway = () => {}
  let leave = () => {}
  /** @type {Set<string>} ids of the channels in which `@here` is about to be looked for */
  const gathering = new Set()

  const enter = () => {
    leave()
    leave = takeTurn(`open.${here().channel}`, () => {}, "shared")
  }
  const look = () => {
    lookAway()
    lookAway = document.hidden ? () => {} : takeTurn(`looking.${here().channel}`, () => {}, "shared")
  }

  /** @param {Known} channel @param {import("./bells.js").Bell} bell @param {string} [since] what is older is not told */
  const ring = async (channel, bell, since = "") => {
    if (await isTaken(`looking.${channel.id}`)) return
    const { ok, body } = await request("GET", `${channelPath(channel.id)}/messages`)
    if (!ok) return
    const isOpen = await isTaken(`open.${channel.id}`)
    const [told, called] = [`told.${me}.${channel.id}`, `called.${me}`]
    const calledAt = JSON.parse(recall(called) ?? "{}")
    const calls = isOpen ? callsAmong(body.messages, me, calledAt) : []
    const fresh = body.messages.filter((/** @type {import("../net/api.js").Message} */ { sent_at }) => sent_at > since)
    const news = newsAmong(fresh, bell, me, Number(recall(told)), calls)
    if (!news) return
    remember(told, String(news.seq))
    if (calls.includes(news)) remember(called, JSON.stringify(withCall(calledAt, news)))
    notify(channel, news)
  }
  /** `@here` is in no count: only the messages tell. @param {Known} channel @param {string} since */
  const ringIfCalled = async (channel, since) => {
    if (gathering.has(channel.id)) return
    gathering.add(channel.id)
    await new Promise((gathered) => setTimeout(gathered, LOOK_UP_AFTER_MS))
    gathering.delete(channel.id)
    if (await isTaken(`open.${channel.id}`)) ring(channel, "mentions", since)
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
      if (channel.lastAt === was.lastAt || (!document.hidden && channel.id === here().channel)) continue
      const { bell } = channel
      if (rings(bell, was, channel)) ring(channel, bell)
      else if (bell === "mentions" && rings("everything", was, channel)) ringIfCalled(channel, was.lastAt ?? "")
    }
  })
  hear("began", () => sendRememberedBells(me))
  on(document, "visibilitychange", look)
  hear("opened", () => {
    enter()
    look()
  })
  // A page that is kept for going back to must not stand in the way of the others.
  on(window, "pagehide", () => {
    lookAway()
    leave()
  })
  on(window, "pageshow", (event) => {
    if (!event.persisted) return
    enter()
    look()
  })
}

/**
 * @param {Known} channel
 * @param {import("../net/api.js").Message} message
 */
function notify(channel, message) {
  const { title, body } = notificationWords(message, channel)
  try {
    const notification = new Notification(title, /** @type {NotificationOptions & {renotify: boolean}} */ ({ body, tag: channel.id, renotify: true, icon: find(document, ".shell").dataset.icon }))
    notification.addEventListener("click", () => {
      window.focus()
      go(channel.href)
      notification.close()
    })
  } catch {
    // Some browsers have the permission and let only a service worker use it.
  }
}
