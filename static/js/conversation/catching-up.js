// Coming back after a long gap: what is new, and whether anything was lost, said once.

import { caughtUpWords, lostNothing } from "./gap.js"
import { MessageList } from "./message-list.js"
import { say } from "../lib/mounting.js"

/** Whoever was gone for less has not lost the thread. */
const LONG_GAP_MS = 2 * 60_000

/** A clock that stood still for longer than this was asleep. */
const BEAT_MS = 5_000
const ASLEEP_MS = 30_000

/** What was missed comes at once: a pause this long is its end. */
const END_PAUSE_MS = 1_000

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
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
