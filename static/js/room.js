// The page's two streams, and what the server says on them.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { remember } from "./memory.js"
import { permissionOf } from "./permission.js"
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
  const { channel = "", name = "", user = "", userName = "", cursor } = room.dataset
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
  const everywhere = new Stream({
    path: () => "/api/events",
    names: EVERYWHERE,
    onEvent: (event, data) => say(`everywhere-${event}`, data),
    // Between the page's list and a stream from now on, anything may have happened.
    onState: (state) => {
      say("everywhere-connection", state)
      // A hidden tab has only this one to learn from that it is signed out.
      if (!state.connected && document.hidden) lookAround(channel)
      if (state.connected && !state.resumed) say("channels-stale")
    },
  })
  let streams = [inChannel, everywhere]

  let notifier = false

  const rest = () => streams.forEach((stream) => stream.stop())
  // A browser allows six connections to a server in all. So a hidden tab holds no stream, but for
  // the one that listens for what to notify of.
  const follow = () => {
    rest()
    if (!document.hidden) streams.forEach((stream) => stream.start())
    else if (notifier && permissionOf(user) === "on") everywhere.start()
  }
  document.addEventListener("visibilitychange", follow)
  addEventListener("online", follow)
  addEventListener("offline", () => say("connection", { connected: false, resumed: false, retryInMs: 0 }))
  addEventListener("pagehide", rest)
  addEventListener("pageshow", (event) => event.persisted && follow())
  hear("connect-now", follow)
  hear("notifier", (is) => {
    notifier = is
    if (document.hidden) follow()
  })
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
