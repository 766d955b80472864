// The channel's stream, and what the server says on it.

import { channelPath, request } from "./api.js"
import { say } from "../lib/bus.js"
import { remember } from "../lib/memory.js"
import { here } from "../lib/page.js"
import { Stream } from "./stream.js"

const IN_CHANNEL = [
  "message", "message-updated", "message-deleted", "message-restored", "reset",
  "joined", "left", "presence", "typing", "channel-updated", "channel-deleted",
]

/** @param {HTMLElement} room @param {import("../lib/mounting.js").Life} life */
export function mountRoom(room, { hear, on, atEnd, signal }) {
  const { channel = "", name = "", cursor } = room.dataset
  // A conversation outlives the names of the two.
  remember("channel", room.dataset.kind === "direct" ? `id:${channel}` : name)
  remember("name", here().userName)

  const inChannel = new Stream({
    path: () => `/api${channelPath(channel)}/events`,
    cursor,
    names: IN_CHANNEL,
    onEvent: say,
    onState: (state) => {
      say("connection", state)
      if (!state.connected) lookAround(channel, signal)
    },
  })
  // The way back goes on from here.
  atEnd(() => {
    inChannel.stop()
    room.dataset.cursor = inChannel.cursor
  })
  let over = false
  // A browser allows six connections to a server in all: a hidden tab holds none.
  const follow = () => {
    if (over) return
    if (document.hidden) inChannel.stop()
    else inChannel.start()
  }
  on(document, "visibilitychange", follow)
  on(window, "online", follow)
  on(window, "pageshow", (event) => event.persisted && follow())
  on(window, "offline", () => say("connection", { connected: false, resumed: false, retryInMs: 0 }))
  on(window, "pagehide", () => inChannel.stop())
  hear("connect-now", follow)
  hear("channel-deleted", () => {
    remember("channel", null)
    over = true
    inChannel.stop()
  })
  follow()
}

/**
 * A stream does not say why it failed: ask.
 *
 * @param {string} channel
 * @param {AbortSignal} signal
 */
async function lookAround(channel, signal) {
  const { status } = await request("GET", channelPath(channel))
  if (signal.aborted) return
  // Signed out: this very address shows the way in, and leads back here afterwards.
  if (status === 401) location.reload()
  if (status === 404) say("channel-deleted", {})
}
