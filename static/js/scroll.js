// Following the conversation: its end stays in view for whoever is there, and what others read
// stays where it is.

import { hear, say } from "./bus.js"

/** Closer to the end than this, the reader is following along. */
const NEAR_END_PX = 100

/** What is looked at has this part of the view above it, for what came before. */
const CONTEXT = 0.25

/** @param {HTMLElement} scroll */
export function mountScroll(scroll) {
  let following = true
  let missed = 0
  /**
   * A message and where it stays until the reader scrolls: positions are rounded, so one taken
   * anew at every change would drift.
   *
   * @type {{item: Element, top: number} | null}
   */
  let held = null
  let heldAt = 0

  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight
  }
  const tell = () => say("missed", { following, missed })
  const look = () => {
    following = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight <= NEAR_END_PX
    if (following) missed = 0
    if (following || scroll.scrollTop !== heldAt) held = null
    tell()
  }
  /** @param {Element} item */
  const topOf = (item) => item.getBoundingClientRect().top - scroll.getBoundingClientRect().top
  /** The first message in view. */
  const hold = () => {
    const items = [...scroll.querySelectorAll(".message")]
    const item = items.find((each) => topOf(each) + each.clientHeight > 0)
    return item ? { item, top: topOf(item) } : null
  }

  scroll.addEventListener("scroll", look, { passive: true })
  new ResizeObserver(() => following && toEnd()).observe(scroll)
  hear("drawing", () => {
    if (!held?.item.isConnected) held = following ? null : hold()
  })
  hear("drawn", ({ isNew, own, message }) => {
    if (following || (own && isNew)) return toEnd()
    if (held?.item.isConnected) scroll.scrollTop += topOf(held.item) - held.top
    heldAt = scroll.scrollTop
    if (isNew && message) missed += 1
    tell()
  })
  hear("look-at", ({ item }) => {
    const top = topOf(item)
    if (top >= 0 && top + item.clientHeight <= scroll.clientHeight) return
    scroll.scrollTop += top - scroll.clientHeight * CONTEXT
    look()
  })
  hear("to-latest", () => {
    toEnd()
    scroll.focus({ preventScroll: true })
  })
  toEnd()
}

/** @param {HTMLButtonElement} latest */
export function mountLatest(latest) {
  hear("missed", ({ following, missed }) => {
    latest.hidden = following
    latest.textContent = missed > 0 ? `${missed} new ↓` : "Latest ↓"
  })
  latest.addEventListener("click", () => say("to-latest"))
}
