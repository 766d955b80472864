// The page's two streams, and what the server says on them.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { remember } from "./memory.js"
import { Stream } from "./stream.js"

const IN_CHANNEL = [
  "message", "message-updated", "message-deleted", "reset",
  "joined", "left", "channel-updated", "channel-deleted",
]
const EVERYWHERE = [
  "channel-created", "channel-updated", "channel-deleted", "activity",
  "online", "offline", "renamed", "reset",
]

/** @param {HTMLElement} room */
export function mountRoom(room) {
  const { channel = "", name = "", userName = "", cursor } = room.dataset
  remember("channel", name)
  remember("name", userName)

  const inChannel = new Stream({
    path: `/api${channelPath(channel)}/events`,
    cursor,
    names: IN_CHANNEL,
    onEvent: (event, data) => say(event, data),
    onState: (state) => {
      say("connection", state)
      if (!state.connected) lookAround(channel)
    },
  })
  const everywhere = new Stream({
    path: "/api/events",
    names: EVERYWHERE,
    onEvent: (event, data) => say(`everywhere-${event}`, data),
    onState: () => {},
  })
  const streams = [inChannel, everywhere]

  // A hidden tab holds no stream: a browser allows six connections to a server in all.
  const follow = () => streams.forEach((stream) => (document.hidden ? stream.stop() : stream.start()))
  document.addEventListener("visibilitychange", () => {
    follow()
    if (!document.hidden) say("channels-stale")
  })
  addEventListener("online", follow)
  addEventListener("offline", () => say("connection", { connected: false, retryInMs: 0 }))
  addEventListener("pagehide", () => streams.forEach((stream) => stream.stop()))
  addEventListener("pageshow", (event) => event.persisted && follow())
  hear("connect-now", follow)
  hear("channel-deleted", () => {
    remember("channel", null)
    streams.forEach((stream) => stream.stop())
  })
  follow()
}

/** A stream does not say why it failed: ask. */
async function lookAround(channel) {
  const { status } = await request("GET", channelPath(channel))
  if (status === 401) location.reload()
  if (status === 404) say("channel-deleted", {})
}
