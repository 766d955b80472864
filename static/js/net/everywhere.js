// What happens everywhere. One tab of a browser has the stream and tells the others, since a
// browser allows six connections to a server in all; where tabs cannot agree on one (plain HTTP),
// each that is looked at has its own.

import { say } from "../lib/bus.js"
import { takeTurn } from "../lib/locks.js"
import { newId } from "../composer/outbox.js"
import { here } from "../lib/page.js"
import { permissionOf } from "../shell/permission.js"
import { Stream } from "./stream.js"

const NAMES = [
  "channel-created", "channel-updated", "channel-deleted", "activity",
  "online", "offline", "presence", "renamed", "reset",
]

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
export function mountEverywhere(_, { hear, on }) {
  const { user } = here()
  const shared = navigator.locks ? new BroadcastChannel(`houston.everywhere.${user}`) : null
  let letGo = /** @type {(() => void) | null} */ (null)
  const self = newId()
  let leads = false
  let connected = false

  const stream = new Stream({
    path: () => "/api/events",
    names: NAMES,
    onEvent: (name, data, id) => tell({ name, data, id }),
    onState: (state) => tell({ state }),
  })

  /** @param {object} told */
  const tell = (told) => {
    act(told)
    shared?.postMessage(told)
  }
  /** @param {{name?: string, data?: any, id?: string, state?: import("./stream.js").State, asks?: string, to?: string, looks?: boolean}} told */
  const act = ({ name, data, id, state, asks, to, looks }) => {
    if (to && to !== self) return
    if (id) stream.goOnAfter(id)
    if (name) say(`everywhere-${name}`, data)
    if (state) {
      connected = state.connected
      say("everywhere-connection", state)
      // Between the page's list and a stream from now on, anything may have happened.
      if (state.connected && !state.resumed) say("channels-stale")
      // A hidden tab has nothing else to learn from that it is signed out.
      if (!state.connected && document.hidden && leads) say("who-am-i")
    }
    // Somebody new needs to know where the others are.
    if (asks && leads && connected) shared?.postMessage({ to: asks, state: { connected, resumed: false, retryInMs: 0 } })
    // A browser slows down what is hidden: whoever is looked at leads.
    if (looks && leads && document.hidden) {
      leave()
      takePart()
    }
  }
  if (shared) on(shared, "message", ({ data }) => act(data))

  const lead = () => {
    leads = true
    say("leads", true)
    stream.start()
  }
  const leave = () => {
    letGo?.()
    letGo = null
    stream.stop()
    if (leads) say("leads", false)
    leads = false
  }
  /** Hidden tabs take no part, but for those that notify. */
  const takePart = () => {
    if (document.hidden && permissionOf(user) !== "on") return leave()
    letGo ??= takeTurn(`everywhere.${user}`, lead)
  }
  const connectAnew = () => leads && stream.start()

  on(document, "visibilitychange", () => {
    takePart()
    if (!document.hidden && !leads) shared?.postMessage({ looks: true })
  })
  hear("permission", takePart)
  hear("connect-now", connectAnew)
  on(window, "online", connectAnew)
  // A page that is kept for going back to must not stand in the way of the others.
  on(window, "pagehide", leave)
  on(window, "pageshow", (event) => event.persisted && takePart())
  takePart()
  shared?.postMessage({ asks: self })
}
