// The channel's stream, and what the server says on it.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { remember } from "./memory.js"
import { Stream } from "./stream.js"

const IN_CHANNEL = [
  "message", "message-updated", "message-deleted", "reset",
  "joined", "left", "presence", "typing", "channel-updated", "channel-deleted",
]

/** @param {HTMLElement} room */
export function mountRoom(room) {
  const { channel = "", name = "", userName = "", cursor } = room.dataset
  // A conversation outlives the names of the two.
  remember("channel", room.dataset.kind === "direct" ? `id:${channel}` : name)
  remember("name", userName)

  const inChannel = new Stream({
    path: () => `/api${channelPath(channel)}/events`,
    cursor,
    names: IN_CHANNEL,
    onEvent: say,
    onState: (state) => {
      say("connection", state)
      if (!state.connected) lookAround(channel)
    },
  })
  // A browser allows six connections to a server in all: a hidden tab holds none.
  const follow = () => (document.hidden ? inChannel.stop() : inChannel.start())
  const follows = new AbortController()
  const { signal } = follows
  document.addEventListener("visibilitychange", follow, { signal })
  addEventListener("online", follow, { signal })
  addEventListener("pageshow", (event) => event.persisted && follow(), { signal })
  addEventListener("offline", () => say("connection", { connected: false, resumed: false, retryInMs: 0 }))
  addEventListener("pagehide", () => inChannel.stop())
  hear("connect-now", () => signal.aborted || follow())
  hear("channel-deleted", () => {
    remember("channel", null)
    follows.abort()
    inChannel.stop()
  })
  follow()
}

/**
 * A stream does not say why it failed: ask.
 *
 * @param {string} channel
 */
async function lookAround(channel) {
  const { status } = await request("GET", channelPath(channel))
  // Signed out: this very address shows the way in, and leads back here afterwards.
  if (status === 401) location.reload()
  if (status === 404) say("channel-deleted", {})
}
