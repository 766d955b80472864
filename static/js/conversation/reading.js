// Tells the server up to where this channel is read: to its end, while it is looked at. What was
// marked unread stays so until something newer is looked at.

import { MessageList } from "./message-list.js"
import { here } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

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
export function tellRead(message) {
  const { channel } = here()
  telling = telling.then(() => request("PUT", `${channelPath(channel)}/read`, { message }))
  return telling
}

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
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
