// Deleting a message: it is deleted at once, and folds into a line from which it can be brought back
// for a while.

import { draw } from "./drawing.js"
import { MessageList } from "./message-list.js"
import { showReason } from "./message.js"
import { say } from "../lib/mounting.js"
import { find, here, part, stamp } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** How long one can think better of it. The server waits a little longer. */
const UNDO_MS = 10_000

const TICK_MS = 250

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountDeleting(element, { hear, every, atEnd }) {
  const list = new MessageList(element)
  const { channel } = here()
  /** By the message's id; `isTold` once the stream told of it. @type {Map<string, {line: HTMLElement, until: number, isTold: boolean}>} */
  const deleted = new Map()
  let ticking = 0

  const pathOf = (/** @type {string} */ id) => `${channelPath(channel)}/messages/${id}`
  const tick = () => {
    for (const [id, { line, until }] of deleted) {
      const left = Math.ceil((until - Date.now()) / 1_000)
      part(line, "left").textContent = String(Math.max(1, left))
      if (left <= 0 || !line.isConnected) letGo(id)
    }
    if (deleted.size === 0) {
      clearInterval(ticking)
      ticking = 0
    }
  }

  /** @param {string} id */
  const remove = async (id) => {
    const item = list.byId(id)
    if (!item || deleted.has(id)) return
    const line = stamp("undo")
    const button = find(line, "button")
    button.ariaDisabled = "true"
    draw(() => {
      item.dataset.deleting = ""
      item.append(line)
    })
    button.focus({ preventScroll: true })
    const deletion = { line, until: Infinity, isTold: false }
    deleted.set(id, deletion)
    // It has to outlive the page: this may be the reader leaving.
    const { ok, status, why } = await request("DELETE", pathOf(id), undefined, { keepalive: true })
    if (!deleted.has(id)) return
    if (status === 404) return letGo(id)
    if (!ok) return unfold(id, `Not deleted: ${why}`)
    button.ariaDisabled = null
    deletion.until = Date.now() + UNDO_MS
    ticking ||= every(tick, TICK_MS)
    tick()
  }
  /** @param {string} id */
  const restore = async (id) => {
    const line = deleted.get(id)?.line
    const button = line && find(line, "button")
    if (!button || button.ariaDisabled) return
    button.ariaDisabled = "true"
    const { ok, body, why } = await request("POST", `${pathOf(id)}/restore`)
    if (!deleted.has(id)) return
    if (ok) {
      unfold(id, "")
      return say("message-restored", body)
    }
    button.ariaDisabled = null
    part(line, "text").textContent = `Not restored: ${why}`
  }

  /** The message is shown again. @param {string} id @param {string} why it is, unless that was asked for */
  const unfold = (id, why) => {
    const item = list.byId(id)
    deleted.delete(id)
    if (!item) return
    const hadFocus = item.contains(document.activeElement)
    draw(() => {
      item.querySelector(".undo")?.remove()
      item.removeAttribute("data-deleting")
      if (why) showReason(item, why)
    })
    if (hadFocus) item.focus({ preventScroll: true })
  }
  /** It is gone for good. @param {string} id */
  const letGo = (id) => {
    deleted.delete(id)
    list.byId(id)?.removeAttribute("data-deleting")
    say("message-deleted", { id })
  }

  hear("delete", ({ id }) => remove(id))
  hear("undo", ({ id }) => restore(id))
  hear("message-deleted", ({ id }) => {
    const deletion = deleted.get(id)
    if (deletion) deletion.isTold = true
  })
  // Another tab may have brought it back, or its id is used anew. What is told before the deletion is
  // of an earlier one.
  for (const event of /** @type {const} */ (["message", "message-restored"])) hear(event, ({ id }) => deleted.get(id)?.isTold && unfold(id, ""))
  atEnd(() => [...deleted.keys()].forEach((id) => list.byId(id)?.remove()))
}
