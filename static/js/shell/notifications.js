// What tells of new messages outside the conversation: notifications, as far as each channel's bell says
// and this device shows them; the tab's title and icon; and words for those who listen to the page.

import { recall, remember, remembered } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { find, here } from "../lib/page.js"
import { isTaken, takeTurn } from "../lib/tabs.js"
import { channelPath, request, want } from "../net/api.js"
import { go } from "./navigation.js"
import { permissionOf } from "./settings.js"
import { tally } from "../sidebar/destinations.js"

/** @typedef {import("../sidebar/destinations.js").Known} Known */
/** @typedef {import("../net/api.js").Message} Message */

/** Whether `@here` was said in a channel is looked up at most so often. */
const LOOK_UP_AFTER_MS = 2_000

/**
 * Notifies of new messages. One tab of a browser does it for all of them, and knows at which channels the
 * others look.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNotifying(_, { hear, on }) {
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

  /** @param {Known} channel @param {Bell} bell @param {string} [since] what is older is not told */
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

/**
 * Sends the bells that this browser kept before the server did, and forgets them.
 *
 * @param {string} me
 */
async function sendRememberedBells(me) {
  for (const channel of remembered(`bell.${me}.`)) {
    const key = `bell.${me}.${channel}`
    const bell = /** @type {Bell} */ (recall(key))
    const { ok, status } = await want(channel, { bell })
    // A channel that is gone, or no bell: nothing to try again.
    if (ok || [400, 404, 422].includes(status)) remember(key, null)
  }
}

/** @typedef {"everything" | "mentions" | "nothing"} Bell */

/**
 * @typedef {object} State of a channel, before and after something happened in it
 * @property {number} unread
 * @property {number} mentions
 * @property {string | null} lastAt when its last message was sent, RFC 3339
 */

/** Before anything was said. @type {State} */
export const SILENT = { unread: 0, mentions: 0, lastAt: null }

/**
 * Whether what happened in a channel rings: something new was said that nobody has read yet.
 *
 * @param {Bell} bell
 * @param {State} before
 * @param {State} after
 */
export function rings(bell, before, after) {
  const isNew = (after.lastAt ?? "") > (before.lastAt ?? "")
  if (!isNew || after.unread === 0 || bell === "nothing") return false
  return bell === "everything" || after.mentions > before.mentions
}

/** For so long after an `@here` nobody is notified of another one of the same user. */
const HERE_PAUSE_MS = 60_000

/** What the server draws `@here` as. Text has no `<` of its own. */
const HERE_MARK = /<span [^>]*data-here/

/**
 * The messages that call everybody who has the channel open: at most one a minute of each author.
 *
 * @param {Message[]} messages oldest first
 * @param {string} me
 * @param {Record<string, number>} [calledAt] when each author's last call was told, in whatever channel, in ms
 * @returns {Message[]}
 */
export function callsAmong(messages, me, calledAt = {}) {
  const last = new Map(Object.entries(calledAt))
  return messages.filter(({ html, author, sent_at }) => {
    const at = Date.parse(sent_at)
    if (author.id === me || !HERE_MARK.test(html) || at - (last.get(author.id) ?? -Infinity) < HERE_PAUSE_MS) return false
    last.set(author.id, at)
    return true
  })
}

/**
 * The times of calls, with this one's, without those that no longer matter.
 *
 * @param {Record<string, number>} calledAt
 * @param {Message} call
 */
export function withCall(calledAt, { author, sent_at }) {
  const at = Date.parse(sent_at)
  const recent = Object.entries(calledAt).filter(([, time]) => at - time < HERE_PAUSE_MS)
  return Object.fromEntries([...recent, [author.id, at]])
}

/**
 * The message to tell of: the last one, or the last that names or calls the reader, unless it was
 * told or is their own.
 *
 * @param {Message[]} messages oldest first
 * @param {Bell} bell
 * @param {string} me
 * @param {number} toldSeq of the last that was told, or seen
 * @param {Message[]} [calls] those of the messages that call the reader, too
 */
export function newsAmong(messages, bell, me, toldSeq, calls = []) {
  // A link by which the server names them: text in it has no `<` of its own.
  const named = new RegExp(`<a [^>]*data-user="${me}"`)
  const meant = bell === "mentions" ? messages.filter((message) => named.test(message.html) || calls.includes(message)) : messages
  const last = meant.at(-1)
  return last && last.author.id !== me && last.seq > toldSeq ? last : undefined
}

/** A notification shows little more. */
const NOTIFIED_CHARS = 240

/**
 * The words of a notification.
 *
 * @param {Message} message
 * @param {{name: string, kind: "public" | "direct"}} channel
 */
export function notificationWords({ author, text }, { name, kind }) {
  const chars = [...(text || "A file")]
  const body = chars.length > NOTIFIED_CHARS ? `${chars.slice(0, NOTIFIED_CHARS).join("")}…` : chars.join("")
  return { title: kind === "direct" ? author.display_name : `${author.display_name} in #${name}`, body }
}

/**
 * The tab: its title and its icon tell what is unread.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
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

/** Messages within this time are announced together. */
const ANNOUNCE_AFTER_MS = 1_000

/** Nobody listens to more of a message than this in passing. */
const ANNOUNCED_CHARS = 200

/**
 * Says what others say to those who listen to the page. Never a flood: bursts become a number.
 *
 * @param {HTMLElement} announcer
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountAnnouncer(announcer, { hear, later }) {
  /** @type {string[]} */
  let waiting = []
  let catchingUp = false
  // What was missed is told as one, with whether anything was lost.
  hear("catching-up", (is) => (catchingUp = is))
  hear("drawn", ({ message, isNew, own }) => {
    if (!message || !isNew || own || catchingUp) return
    waiting.push(`${message.author.display_name}: ${brief(message.text)}`)
    if (waiting.length > 1) return
    later(() => {
      announcer.textContent = waiting.length === 1 ? waiting[0] : `${waiting.length} new messages`
      waiting = []
    }, ANNOUNCE_AFTER_MS)
  })
}

/** @param {string} text */
function brief(text) {
  const chars = [...text]
  return chars.length > ANNOUNCED_CHARS ? `${chars.slice(0, ANNOUNCED_CHARS).join("")}…` : text
}
