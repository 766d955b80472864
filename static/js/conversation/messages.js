// What is said, as it is said: each message once, whether its answer or its event comes first.

import { replaceUnplayable, showProgress } from "./files.js"
import { untilMidnight } from "./local-time.js"
import { draw, MessageList, moved } from "./message-list.js"
import { messageView, pendingView, times } from "./message-view.js"
import { fill, find, here, part, reader, stamp } from "../lib/page.js"
import { setCookie } from "../shell/settings.js"

/**
 * Shows what is said, and what becomes of what the reader says.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountMessages(element, { hear, signal }) {
  const list = new MessageList(element)
  const empty = part(document, "empty")
  const me = here().user
  /** Shown before the server began again: nothing new to the reader. */
  let seen = new Set()

  /** @param {() => object | void} change gives what `drawn` has to tell */
  const drawList = (change) =>
    draw(() => {
      const told = change()
      list.settle()
      empty.hidden = list.all().length > 0
      return told
    })

  /** @param {import("../net/api.js").Message} message @param {boolean} [isBack] whether it was here before */
  const show = (message, isBack = false) =>
    drawList(() => {
      const known = list.byId(message.id)
      const item = known ?? stamp("message")
      const settled = known?.dataset.seq === String(message.seq)
      const own = message.author.id === me
      showStored(item, message)
      const isNew = !known && !isBack && !seen.has(message.id)
      item.toggleAttribute("data-arriving", isNew)
      if (!settled) list.place(item)
      return { message, isNew, own }
    })

  /** @param {string} id */
  const drop = async (id) => {
    const item = list.byId(id)
    // One's own deed stays in sight for a while: it can be undone.
    if (!item || "deleting" in item.dataset) return
    const inIt = item.contains(document.activeElement)
    item.dataset.leaving = "gone"
    // What is typed into it meanwhile would be lost.
    if (!inIt) await moved(item)
    // Unless its id was used anew meanwhile.
    if (!item.dataset.leaving) return
    drawList(() => {
      // Whoever was in it stays in the conversation.
      if (inIt) find(document, '[data-mount~="scroll"]').focus({ preventScroll: true })
      item.remove()
    })
  }

  hear("message", (message) => show(message))
  // What the stream has told of it already may be newer.
  hear("sent", ({ channel, message }) => channel === here().channel && list.byId(message.id)?.dataset.seq !== String(message.seq) && show(message))
  hear("message-restored", (message) => show(message, true))
  hear("message-updated", (message) => list.byId(message.id) && show(message))
  hear("message-deleted", ({ id }) => drop(id))
  hear("discarded", ({ id }) => drop(id))
  hear("reset", () =>
    drawList(() => {
      seen = new Set(list.stored().map((item) => item.dataset.id))
      list.stored().forEach((item) => item.remove())
      return { isReset: true }
    }),
  )

  hear("sending", (draft) => {
    const known = list.byId(draft.id)
    if (draft.channel !== here().channel || known?.dataset.seq) return
    drawList(() => {
      const item = known ?? stamp("message")
      showPending(item, draft)
      if (!known) list.append(item)
      return { isNew: !known, own: true }
    })
  })
  hear("progress", ({ id, sent }) => {
    const item = list.byId(id)
    if (item && !item.dataset.seq) showProgress(item, sent)
  })
  hear("not-sent", ({ id, why, retries }) => {
    const item = list.byId(id)
    if (item && !item.dataset.seq) drawList(() => showFailure(item, why, retries))
  })

  replaceUnplayable(element)
  followClock(element, {
    onTimes: () => drawList(() => list.all().forEach(showTimes)),
    onDay: () => drawList(() => {}),
  }, signal)
  drawList(() => {})
}

/**
 * Shows a stored message.
 *
 * @param {HTMLElement} item
 * @param {import("../net/api.js").Message} message
 */
function showStored(item, message) {
  drawMessage(item, messageView(message, reader()))
}

/**
 * Shows a message that is on its way.
 *
 * @param {HTMLElement} item
 * @param {Parameters<typeof pendingView>[0]} draft
 */
function showPending(item, draft) {
  drawMessage(item, pendingView(draft, reader()))
}

/**
 * Writes the times of a message anew, where the reader is.
 *
 * @param {HTMLElement} item
 */
function showTimes(item) {
  const edited_at = find(item, ".message__edited").dataset.at ?? null
  fill(item, times({ sent_at: item.dataset.sentAt ?? "", edited_at }, reader()))
}

/**
 * Says why a message is not sent, and offers what can be done.
 *
 * @param {HTMLElement} item
 * @param {string} why
 * @param {boolean} retries whether it is tried again without being asked to
 */
function showFailure(item, why, retries) {
  item.dataset.state = "failed"
  item.querySelector(".message__failure")?.remove()
  const failure = stamp("failure")
  find(failure, ".message__why").textContent = `Not sent: ${why}`
  find(failure, '[data-action="retry"]').hidden = retries
  item.append(failure)
}

/**
 * Draws a message by the one partial that also the server draws with.
 *
 * @param {HTMLElement} item
 * @param {import("../lib/page.js").View} view
 */
function drawMessage(item, view) {
  delete item.dataset.leaving
  item.querySelector(".message__failure")?.remove()
  // A reaction that somebody rests on may be gone.
  const focused = document.activeElement
  fill(item, view)
  if (focused && !focused.isConnected) item.focus({ preventScroll: true })
}

/** A tab that slept wakes up late, and a clock is set. */
const LATEST_LOOK_MS = 60 * 60 * 1000

/** The clock that a list's times are drawn by; the server draws them by the present one. @type {WeakMap<Element, string>} */
const clocks = new WeakMap()

/**
 * Follows the clock where the reader is: the server is told its zone, and a new day begins at midnight
 * there.
 *
 * @param {HTMLElement} list with the zone that its times are drawn in
 * @param {{onTimes: () => void, onDay: () => void}} acts when they must be drawn anew: all, or the days
 * @param {AbortSignal} [signal] ends it
 */
function followClock(list, { onTimes, onDay }, signal) {
  let midnight = 0

  const look = () => {
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
    const { clock } = reader().locale
    const isOther = list.dataset.zone !== zone || (clocks.get(list) ?? clock) !== clock
    setCookie("zone", zone)
    list.dataset.zone = zone
    clocks.set(list, clock)
    if (isOther) onTimes()
    clearTimeout(midnight)
    midnight = setTimeout(pass, Math.min(untilMidnight(new Date()), LATEST_LOOK_MS))
  }
  const pass = () => {
    onDay()
    look()
  }

  document.addEventListener("clock", look, { signal })
  document.addEventListener("visibilitychange", () => document.hidden || pass(), { signal })
  signal?.addEventListener("abort", () => clearTimeout(midnight))
  look()
}
