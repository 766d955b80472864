// Following the conversation: its end stays in view for whoever is there, and nobody else.

import { hear, say } from "./bus.js"

/** Closer to the end than this, the reader is following along. */
const NEAR_END_PX = 100

/** @param {HTMLElement} scroll */
export function mountScroll(scroll) {
  let following = true
  let missed = 0

  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight
  }
  const look = () => {
    following = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight <= NEAR_END_PX
    if (following) missed = 0
    say("missed", { following, missed })
  }

  scroll.addEventListener("scroll", look, { passive: true })
  new ResizeObserver(() => following && toEnd()).observe(scroll)
  hear("drawn", ({ isNew, own, message }) => {
    if (following || (own && isNew)) return toEnd()
    if (isNew && message) missed += 1
    say("missed", { following, missed })
  })
  hear("to-latest", toEnd)
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
