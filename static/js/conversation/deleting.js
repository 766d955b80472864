// Deleting a message: it folds into a line that can undo it, and only after that is it deleted.

import { channelPath, request } from "../net/api.js"
import { say } from "../lib/bus.js"
import { draw, moved } from "./drawing.js"
import { showReason } from "./message.js"
import { MessageList } from "./message-list.js"
import { find, here, part, stamp } from "../lib/page.js"

/** How long one can think better of it. */
const UNDO_MS = 10_000

/** How long the pointer or the focus can hold that up. */
const MOST_REST_MS = 60_000

const TICK_MS = 250

const HOVERS = matchMedia("(any-hover: hover)")

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountDeleting(element, { hear, on, every, atEnd }) {
  const list = new MessageList(element)
  /** @type {Map<string, {line: HTMLElement, leftMs: number, restMs: number, isOut?: boolean}>} by the message's id */
  const leaving = new Map()
  let ticking = 0
  let tickedAt = 0

  const tick = () => {
    const passedMs = Date.now() - tickedAt
    tickedAt = Date.now()
    for (const [id, each] of leaving) {
      // Deleted elsewhere, or no longer kept.
      if (!each.line.isConnected) {
        leaving.delete(id)
        continue
      }
      if (rests(each.line) && each.restMs > 0) each.restMs -= passedMs
      else each.leftMs -= passedMs
      part(each.line, "left").textContent = String(Math.max(1, Math.ceil(each.leftMs / 1_000)))
      if (each.leftMs <= 0 && !each.isOut) leave(id)
    }
    if (leaving.size === 0) clearInterval(ticking)
  }

  /** @param {string} id */
  const begin = (id) => {
    const item = list.byId(id)
    if (!item || leaving.has(id)) return
    const line = stamp("undo")
    draw(() => {
      item.dataset.deleting = ""
      item.append(line)
    })
    if (leaving.size === 0) {
      tickedAt = Date.now()
      clearInterval(ticking)
      ticking = every(tick, TICK_MS)
    }
    leaving.set(id, { line, leftMs: UNDO_MS, restMs: MOST_REST_MS })
    tick()
    find(line, "button").focus({ preventScroll: true })
  }

  /** @param {string} id */
  const bringBack = (id) => {
    const item = list.byId(id)
    leaving.delete(id)
    draw(() => {
      item?.querySelector(".undo")?.remove()
      item?.removeAttribute("data-deleting")
      item?.removeAttribute("data-leaving")
    })
    return item
  }

  /** The way out can be turned back from to its end. @param {string} id */
  const leave = async (id) => {
    const each = leaving.get(id)
    const item = list.byId(id)
    if (!each || !item) return
    each.isOut = true
    item.dataset.leaving = ""
    await moved(item)
    if (leaving.get(id) === each) remove(id)
  }

  /** @param {string} id */
  const remove = async (id) => {
    const line = leaving.get(id)?.line
    leaving.delete(id)
    if (line) find(line, "button").ariaDisabled = "true"
    // It has to outlive the page: this may be the reader leaving.
    const options = { keepalive: true }
    const { ok, status, why } = await request("DELETE", `${channelPath(here().channel)}/messages/${id}`, undefined, options)
    if (ok || status === 404) return say("message-deleted", { id })
    const item = bringBack(id)
    if (item) draw(() => showReason(item, `Not deleted: ${why}`))
  }

  const removeAll = () => [...leaving.keys()].forEach(remove)

  hear("delete", ({ id }) => begin(id))
  hear("undo", ({ id }) => {
    if (!leaving.has(id)) return
    const item = bringBack(id)
    if (item) find(item, ".message__more").focus()
  })
  // All is drawn anew, without the lines: what was decided stays decided.
  hear("reset", removeAll)
  atEnd(removeAll)
  on(window, "pagehide", removeAll)
  on(document, "visibilitychange", () => document.hidden && removeAll())
}

/**
 * Whether the reader is still thinking: the pointer or the focus rests on the line. The focus that
 * a click left there does not count.
 *
 * @param {HTMLElement} line
 */
function rests(line) {
  return line.matches(":has(:focus-visible)") || (HOVERS.matches && line.matches(":hover"))
}
