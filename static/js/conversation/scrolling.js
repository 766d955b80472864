// What part of the conversation is in view: its end, for whoever is there; what others read, which stays
// where it is; or the message that an address leads to.

import { MessageList } from "./message-list.js"
import { anchorOf, messageAt, messageIn } from "../lib/addresses.js"
import { say } from "../lib/mounting.js"
import { place } from "../lib/page.js"

/** Closer to the end than this, the reader is following along. */
const NEAR_END_PX = 100

/** What is looked at has this part of the view above it, for what came before. */
const CONTEXT_ABOVE = 0.25

/**
 * Follows the conversation: its end stays in view for whoever is there, and what others read stays where it
 * is.
 *
 * @param {HTMLElement} scroll
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountScroll(scroll, { hear, on, atEnd }) {
  let following = true
  let missed = 0
  /**
   * The messages in view and where they stay until the reader scrolls: positions are rounded, so
   * ones taken anew at every change would drift.
   *
   * @type {{item: Element, top: number}[]}
   */
  let held = []
  let heldAt = 0

  // The box is reversed: it is scrolled from its end, and what is above is below zero. Without a
  // message it is not, for a welcome is read from its beginning.
  const toEnd = () => (scroll.scrollTop = 0)
  const tell = () => say("missed", { following, missed })
  const look = () => {
    following = -scroll.scrollTop <= NEAR_END_PX
    if (following) missed = 0
    // Taken before anything changes: a film says how large it is only when it comes.
    if (following) held = []
    else if (scroll.scrollTop !== heldAt) held = hold()
    tell()
  }
  /** @param {Element} item */
  const topOf = (item) => item.getBoundingClientRect().top - scroll.getBoundingClientRect().top
  const hold = () =>
    [...scroll.querySelectorAll(".message")]
      .map((item) => ({ item, top: topOf(item) }))
      .filter(({ item, top }) => top + item.clientHeight > 0 && top < scroll.clientHeight)
  /** Makes up for what changed its size. */
  const keep = () => {
    if (following) return toEnd()
    const first = held.find(({ item }) => item.isConnected)
    if (first) scroll.scrollTop += topOf(first.item) - first.top
    heldAt = scroll.scrollTop
  }

  on(scroll, "scroll", look, { passive: true })
  const sizes = new ResizeObserver(keep)
  sizes.observe(scroll)
  for (const child of scroll.children) sizes.observe(child)
  hear("drawing", () => {
    if (!following && !held.some(({ item }) => item.isConnected)) held = hold()
  })
  hear("drawn", ({ isNew, own, message }) => {
    if (own && isNew) return toEnd()
    keep()
    if (following) return
    if (isNew && message) missed += 1
    tell()
  })
  hear("look-at", ({ item }) => {
    const top = topOf(item)
    if (top >= 0 && top + item.clientHeight <= scroll.clientHeight) return
    scroll.scrollTop += top - scroll.clientHeight * CONTEXT_ABOVE
    look()
  })
  hear("to-latest", () => {
    toEnd()
    scroll.focus({ preventScroll: true })
  })
  // A box that is put aside forgets where it was.
  atEnd(() => {
    sizes.disconnect()
    scroll.dataset.at = following ? "" : String(scroll.scrollTop)
  })
  if (scroll.dataset.at) {
    scroll.scrollTop = Number(scroll.dataset.at)
    look()
  } else toEnd()
}

/**
 * Leads to the end, and says how much came while it was out of view.
 *
 * @param {HTMLButtonElement} latest
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountLatest(latest, { hear, on }) {
  hear("missed", ({ following, missed }) => {
    latest.hidden = following
    latest.textContent = missed > 0 ? `${missed} new ↓` : "Latest ↓"
  })
  on(latest, "click", () => say("to-latest"))
}

/**
 * Follows addresses of messages: the message comes into view, is marked, and has the focus.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountLinking(element, { on }) {
  const list = new MessageList(element)

  /** @param {string} id */
  const point = (id) => {
    const item = list.byId(id)
    if (!item) return say("tell", { text: "That message is no longer kept." })
    say("look-at", { item })
    for (const other of list.all()) other.removeAttribute("data-linked")
    item.focus({ preventScroll: true })
    // In a frame of its own, so that pointing at the same message again shows again.
    requestAnimationFrame(() => (item.dataset.linked = ""))
    on(item, "blur", () => item.removeAttribute("data-linked"), { once: true })
  }
  const follow = () => {
    const id = messageIn(location.hash)
    if (id) point(id)
  }

  on(element, "click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a")
    const id = link && messageAt(link.href, place())
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    if (messageIn(location.hash) === id) point(id)
    else location.hash = anchorOf(id)
  })
  on(window, "hashchange", follow)
  follow()
}
