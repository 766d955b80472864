// The page's two streams, and what the server says on them.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { remember } from "./memory.js"
import { Stream } from "./stream.js"

const IN_CHANNEL = [
  "message", "message-updated", "message-deleted", "reset",
  "joined", "left", "typing", "channel-updated", "channel-deleted",
]
const EVERYWHERE = [
  "channel-created", "channel-updated", "channel-deleted", "activity",
  "online", "offline", "renamed", "reset",
]

/** @param {HTMLElement} room */
export function mountRoom(room) {
  const { channel = "", name = "", userName = "", cursor } = room.dataset
  // A conversation outlives the names of the two.
  const lasts = room.dataset.kind === "direct" && !("unbegun" in room.dataset)
  remember("channel", lasts ? `id:${channel}` : name)
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
  const everywhere = new Stream({
    path: () => "/api/events",
    names: EVERYWHERE,
    onEvent: (event, data) => say(`everywhere-${event}`, data),
    // Between the page's list and a stream from now on, anything may have happened.
    onState: (state) => {
      say("everywhere-connection", state)
      if (state.connected && !state.resumed) say("channels-stale")
    },
  })
  let streams = [inChannel, everywhere]

  // A hidden tab holds no stream: a browser allows six connections to a server in all.
  const follow = () => streams.forEach((stream) => (document.hidden ? stream.stop() : stream.start()))
  document.addEventListener("visibilitychange", follow)
  addEventListener("online", follow)
  addEventListener("offline", () => say("connection", { connected: false, resumed: false, retryInMs: 0 }))
  addEventListener("pagehide", () => streams.forEach((stream) => stream.stop()))
  addEventListener("pageshow", (event) => event.persisted && follow())
  hear("connect-now", follow)
  hear("channel-deleted", () => {
    remember("channel", null)
    inChannel.stop()
    streams = [everywhere]
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
