// What is new to the reader: the line above it, telling the server up to where the channel is read, and
// what was missed in a long gap.

import { draw, MessageList, showReason } from "./message-list.js"
import { say } from "../lib/mounting.js"
import { find, here, stamp } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** What was missed comes at once with the connection; later is live. */
const CATCHING_UP_MS = 2_000

/** How long the line is in view until it was seen: what arrives may carry it off at once. */
const SEEN_MS = 1_000

/**
 * The line above what is new to the reader: since the last visit, since the tab was looked at, or from
 * where it was marked unread.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNews(element, { hear, on, later, atEnd }) {
  const list = new MessageList(element)
  // The server draws it where it knows of something new.
  const line = element.querySelector(".news") ?? stamp("news")
  /** The message that the line stands above. */
  let above = /** @type {string | undefined} */ (undefined)
  const isBack = "seen" in element.dataset
  let away = document.hidden || isBack
  let catchingUp = 0
  let seen = true
  let seeing = 0

  /** @param {HTMLElement} item */
  const put = (item) => {
    above = item.dataset.id
    seen = false
    draw(() => {
      line.remove()
      const before = item.previousElementSibling
      const day = before?.classList.contains("day") ? before : item
      day.before(line)
      list.settle()
    })
    // Observed anew, it is told where it stands also when it is out of view as before.
    observer.unobserve(line)
    observer.observe(line)
  }
  /** The list is drawn anew, or loses what stood below the line. */
  const look = () => {
    if (!line.isConnected) {
      const item = above && list.byId(above)
      if (item) put(item)
    } else if (!list.all().some((item) => line.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING)) {
      line.remove()
    }
  }

  hear("drawn", ({ message, isNew, own }) => {
    if (!away || !message || !isNew || own) return look()
    away = false
    const item = list.byId(message.id)
    if (item) put(item)
  })
  on(document, "visibilitychange", () => {
    if (!document.hidden) return
    clearTimeout(catchingUp)
    away = true
  })
  hear("connection", ({ connected }) => {
    clearTimeout(catchingUp)
    if (connected && !document.hidden) catchingUp = later(() => (away = false), CATCHING_UP_MS)
  })

  hear("read-all", () => {
    above = undefined
    draw(() => line.remove())
    say("news-above", { shown: false })
  })
  hear("mark-unread", async ({ id }) => {
    const items = list.stored()
    const at = items.findIndex((item) => item.dataset.id === id)
    if (at < 1) return
    say("marked-unread")
    const { ok, why } = await tellRead(items[at - 1].dataset.id)
    if (!ok) return draw(() => showReason(items[at], `Not marked: ${why}`))
    put(items[at])
    seen = true
    say("tell", { text: "Marked unread from here." })
  })

  const observer = new IntersectionObserver((moves) => {
    const { isIntersecting, boundingClientRect, rootBounds } = moves[moves.length - 1]
    clearTimeout(seeing)
    if (isIntersecting) seeing = later(() => (seen = true), SEEN_MS)
    const isAbove = line.isConnected && rootBounds !== null && boundingClientRect.top < rootBounds.top
    say("news-above", { shown: isAbove && !seen })
  }, { root: find(document, '[data-mount~="scroll"]') })
  atEnd(() => {
    observer.disconnect()
    line.remove()
  })
  hear("to-news", () => say("look-at", { item: line }))

  const items = list.stored()
  // Who comes back saw what is here: what is new comes by the stream.
  const first = isBack ? -1 : firstUnread(items.map((item) => "own" in item.dataset), Number(element.dataset.unread))
  element.dataset.seen = ""
  if (first >= 0) {
    put(items[first])
    say("look-at", { item: line })
  }
}

/**
 * @param {HTMLButtonElement} button leads to the line, while it lies unseen above the view
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountFirstNew(button, { hear, on }) {
  hear("news-above", ({ shown }) => (button.hidden = !shown))
  on(button, "click", () => say("to-news"))
}

/**
 * Where the unread messages begin: counts back from the end over the messages of others.
 *
 * @param {boolean[]} own for each message, from first to last, whether it is the reader's
 * @param {number} unread how many of others are unread
 * @returns {number} the place of the first of them, -1 without any
 */
export function firstUnread(own, unread) {
  const ofOthers = own.flatMap((isOwn, at) => (isOwn ? [] : [at]))
  if (!(unread > 0) || ofOthers.length === 0) return -1
  return ofOthers[Math.max(0, ofOthers.length - unread)]
}

/** Reading is reported this long after the last news at the latest. */
const REPORT_MS = 800

/** @type {Promise<any>} */
let telling = Promise.resolve()

/**
 * Tells the server up to which message this channel is read, one after the other: the last counts.
 *
 * @param {string | undefined} message
 * @returns {Promise<import("../net/api.js").Answer>}
 */
function tellRead(message) {
  const { channel } = here()
  telling = telling.then(() => request("PUT", `${channelPath(channel)}/read`, { message }))
  return telling
}

/**
 * Tells the server up to where this channel is read: to its end, while it is looked at. What was marked
 * unread stays so until something newer is looked at.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountReading(element, { hear, on, later, atEnd }) {
  const list = new MessageList(element)
  let timer = 0
  /** The `seq` up to which there is nothing to report. */
  let settled = 0

  const last = () => list.stored().at(-1)
  const report = async () => {
    clearTimeout(timer)
    timer = 0
    const item = last()
    const seq = Number(item?.dataset.seq)
    if (document.hidden || !item || seq <= settled) return
    const before = settled
    settled = seq
    const { ok } = await tellRead(item.dataset.id)
    if (!ok && settled === seq) settled = before
  }
  const soon = () => {
    timer ||= later(report, REPORT_MS)
  }

  hear("drawn", soon)
  hear("marked-unread", () => {
    clearTimeout(timer)
    timer = 0
    settled = Number(last()?.dataset.seq)
  })
  hear("read-all", () => {
    settled = 0
    report()
  })
  on(document, "visibilitychange", soon)
  // What was looked at is read, however soon one leaves.
  atEnd(() => timer && report())
  soon()
}

/** Whoever was gone for less has not lost the thread. */
const LONG_GAP_MS = 2 * 60_000

/** A clock that stood still for longer than this was asleep. */
const BEAT_MS = 5_000
const ASLEEP_MS = 30_000

/** What was missed comes at once: a pause this long is its end. */
const END_PAUSE_MS = 1_000

/**
 * Comes back after a long gap: what is new, and whether anything was lost, said once.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountCatchingUp(element, { hear, on, later, every }) {
  const list = new MessageList(element)
  const ids = () => list.stored().map(({ dataset }) => dataset.id ?? "")
  /** When the page got out of touch; 0 while it is in touch. */
  let since = 0
  let beatAt = Date.now()
  let ending = 0
  let fresh = 0
  let isReset = false
  /** @type {string[]} */
  let seen = []

  const end = () => {
    ending = 0
    say("catching-up", false)
    const complete = !isReset || lostNothing(seen, ids(), Number(element.dataset.kept))
    const text = caughtUpWords({ fresh, complete })
    if (text) say("tell", { text })
  }
  const goOn = () => {
    clearTimeout(ending)
    ending = later(end, END_PAUSE_MS)
  }
  const begin = () => {
    if (!ending) {
      fresh = 0
      isReset = false
      seen = ids()
      say("catching-up", true)
    }
    goOn()
  }
  const loseTouch = (at = Date.now()) => (since ||= at)

  hear("connection", ({ connected }) => {
    if (!connected) return loseTouch()
    const long = since > 0 && Date.now() - since >= LONG_GAP_MS
    since = 0
    if (long) begin()
  })
  hear("reset", () => {
    begin()
    isReset = true
  })
  hear("drawn", ({ message, isNew, own }) => {
    if (!ending || !message) return
    if (isNew && !own) fresh += 1
    goOn()
  })
  on(document, "visibilitychange", () => {
    // A hidden tab's timers are slow: that is no sleep.
    beatAt = Date.now()
    if (document.hidden) loseTouch()
  })
  every(() => {
    const asleep = Date.now() - beatAt > ASLEEP_MS
    const lastAt = beatAt
    beatAt = Date.now()
    if (!asleep || document.hidden) return
    // The connection may look alive for long after that.
    loseTouch(lastAt)
    say("connect-now")
  }, BEAT_MS)
}

/**
 * Whether nothing went unseen: the oldest goes first, so while anything of what was seen is kept,
 * all that is newer is kept too; and where there is room left, nothing had to go.
 *
 * @param {string[]} seen ids of what the page showed before
 * @param {string[]} stored ids of what there is now
 * @param {number} kept how many can be
 */
export function lostNothing(seen, stored, kept) {
  const before = new Set(seen)
  return stored.some((id) => before.has(id)) || (seen.length === 0 && stored.length < kept)
}

/**
 * What a page missed while it was out of touch, in words.
 *
 * @param {{fresh: number, complete: boolean}} missed how many of others are new, and whether they are all there were
 * @returns {string} nothing when there is nothing to say
 */
export function caughtUpWords({ fresh, complete }) {
  if (complete) return fresh > 0 ? `Caught up: ${fresh} new, 0 lost.` : ""
  return fresh > 0 ? `Caught up: ${fresh} new. Older ones may be gone.` : "Caught up. Older messages may be gone."
}
