// Tells the server up to where this channel is read: to its end, while it is looked at.

import { channelPath, request } from "./api.js"
import { hear } from "./bus.js"
import { MessageList } from "./message-list.js"
import { here } from "./page.js"

/** Reading is reported this long after the last news at the latest. */
const REPORT_MS = 800

/** @param {HTMLElement} element */
export function mountReading(element) {
  const list = new MessageList(element)
  let timer = 0
  let reported = /** @type {string | undefined} */ (undefined)

  const report = async () => {
    timer = 0
    const last = list.stored().at(-1)?.dataset.id
    if (document.hidden || !last || last === reported) return
    reported = last
    const { ok } = await request("PUT", `${channelPath(here().channel)}/read`, { message: last })
    if (!ok) reported = undefined
  }
  const soon = () => {
    timer ||= setTimeout(report, REPORT_MS)
  }

  hear("drawn", soon)
  document.addEventListener("visibilitychange", soon)
  soon()
}
