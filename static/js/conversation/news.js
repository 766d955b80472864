// The line above what is new to the reader: since the last visit, since the tab was looked at, or
// from where it was marked unread.

import { draw } from "./drawing.js"
import { MessageList } from "./message-list.js"
import { showReason } from "./message.js"
import { tellRead } from "./reading.js"
import { firstUnread } from "./unread.js"
import { say } from "../lib/mounting.js"
import { find, stamp } from "../lib/page.js"

/** What was missed comes at once with the connection; later is live. */
const CATCHING_UP_MS = 2_000

/** How long the line is in view until it was seen: what arrives may carry it off at once. */
const SEEN_MS = 1_000

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
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
