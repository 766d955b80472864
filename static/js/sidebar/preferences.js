// How the user wants a channel: starred, hidden, with which bell. The server keeps it, for all of
// their devices.

import { channelPath, request } from "../net/api.js"
import { say } from "../lib/bus.js"
import { recall, remember, remembered } from "../lib/memory.js"

/**
 * Tells the server, and once it has answered everybody on the page.
 *
 * @param {string} channel its id
 * @param {Partial<import("../net/api.js").Mine>} change
 * @returns {Promise<import("../net/api.js").Answer>}
 */
export async function want(channel, change) {
  const answer = await request("PATCH", `${channelPath(channel)}/mine`, change)
  if (answer.ok) say("everywhere-channel-updated", answer.body)
  return answer
}

/**
 * Sends the bells that this browser kept before the server did, and forgets them.
 *
 * @param {string} me
 */
export async function sendRememberedBells(me) {
  for (const channel of remembered(`bell.${me}.`)) {
    const key = `bell.${me}.${channel}`
    const bell = /** @type {import("../shell/bells.js").Bell} */ (recall(key))
    const { ok, status } = await want(channel, { bell })
    // A channel that is gone, or no bell: nothing to try again.
    if (ok || [400, 404, 422].includes(status)) remember(key, null)
  }
}
