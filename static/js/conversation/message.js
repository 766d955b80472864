// One message on the page: drawn by the one partial that also the server draws with.

import { messageView, pendingView, times } from "./message-view.js"
import { fill, find, reader, stamp } from "../lib/page.js"

/**
 * Shows a stored message.
 *
 * @param {HTMLElement} item
 * @param {import("../net/api.js").Message} message
 */
export function showStored(item, message) {
  drawMessage(item, messageView(message, reader()))
}

/**
 * Shows a message that is on its way.
 *
 * @param {HTMLElement} item
 * @param {Parameters<typeof pendingView>[0]} draft
 */
export function showPending(item, draft) {
  drawMessage(item, pendingView(draft, reader()))
}

/**
 * Writes the times of a message anew, where the reader is.
 *
 * @param {HTMLElement} item
 */
export function showTimes(item) {
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
export function showFailure(item, why, retries) {
  item.dataset.state = "failed"
  item.querySelector(".message__failure")?.remove()
  const failure = stamp("failure")
  find(failure, ".message__why").textContent = `Not sent: ${why}`
  find(failure, '[data-action="retry"]').hidden = retries
  item.append(failure)
}

/**
 * Says why something that was asked of a message could not be.
 *
 * @param {HTMLElement} item
 * @param {string} why
 */
export function showReason(item, why) {
  item.querySelector(".message__failure")?.remove()
  const reason = stamp("reason")
  find(reason, ".message__why").textContent = why
  item.append(reason)
}

/**
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
