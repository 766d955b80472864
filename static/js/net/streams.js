// The event streams of the server: one of the open channel, and one of everything that the user can see,
// which one tab of a browser has for all of them.

import { remember } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { here } from "../lib/page.js"
import { takeTurn } from "../lib/tabs.js"
import { channelPath, request, waitMs } from "./api.js"
import { permissionOf } from "../shell/settings.js"

/** The server pings every 5 s: longer silence than this means a dead connection. */
const STREAM_SILENCE_MS = 15_000

/**
 * @typedef {object} State
 * @property {boolean} connected
 * @property {boolean} resumed when connected: whether nothing was missed before
 * @property {number} retryInMs when not: until the next attempt
 */

/**
 * @typedef {object} Options
 * @property {() => string} path asked at each connection
 * @property {string} [cursor] where to start; from now on without
 * @property {string[]} names of the events to hear
 * @property {(name: string, data: any, id: string) => void} onEvent the id is empty for what does not last
 * @property {(state: State) => void} onState
 */

/**
 * One event stream that heals itself. `EventSource` alone gives up for good on some errors and does not
 * notice a frozen connection, so each restart is ours, from the last event's id.
 */
class Stream {
  #options
  #cursor
  #source = /** @type {EventSource | null} */ (null)
  #retry = 0
  #watch = 0
  #failures = 0

  /** @param {Options} options */
  constructor(options) {
    this.#options = options
    this.#cursor = options.cursor
  }

  /** Where the next connection goes on. */
  get cursor() {
    return this.#cursor
  }

  /** Connects, or connects anew. */
  start() {
    this.stop()
    const { names } = this.#options
    const path = this.#options.path()
    const resumed = Boolean(this.#cursor)
    const source = new EventSource(resumed ? `${path}?after=${encodeURIComponent(this.#cursor ?? "")}` : path)
    this.#source = source
    source.addEventListener("open", () => this.#opened(resumed))
    source.addEventListener("error", () => this.#failed())
    for (const name of ["ping", ...names]) source.addEventListener(name, (event) => this.#heard(event))
    this.#expectSound()
  }

  /**
   * Takes note of what somebody else heard: the next connection goes on after it.
   *
   * @param {string} cursor
   */
  goOnAfter(cursor) {
    this.#cursor = cursor
  }

  /** Lets go of the connection; `start` goes on from where it was. */
  stop() {
    clearTimeout(this.#retry)
    clearTimeout(this.#watch)
    this.#source?.close()
    this.#source = null
  }

  /** @param {boolean} resumed */
  #opened(resumed) {
    this.#failures = 0
    this.#expectSound()
    this.#options.onState({ connected: true, resumed, retryInMs: 0 })
  }

  #failed() {
    this.stop()
    this.#failures += 1
    const retryInMs = waitMs(this.#failures, Math.random())
    this.#retry = setTimeout(() => this.start(), retryInMs)
    this.#options.onState({ connected: false, resumed: false, retryInMs })
  }

  /** @param {MessageEvent} event */
  #heard(event) {
    this.#expectSound()
    if (event.lastEventId) this.#cursor = event.lastEventId
    if (event.type !== "ping") this.#options.onEvent(event.type, JSON.parse(event.data), event.lastEventId)
  }

  #expectSound() {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => this.#failed(), STREAM_SILENCE_MS)
  }
}

/** What the server says on a channel's stream. */
const IN_CHANNEL = [
  "message", "message-updated", "message-deleted", "message-restored", "reset",
  "joined", "left", "presence", "typing", "channel-updated", "channel-deleted",
]

/** The stream of the open channel. @param {HTMLElement} room @param {import("../lib/mounting.js").Life} life */
export function mountRoom(room, { hear, on, atEnd, signal }) {
  const { channel = "", name = "", cursor } = room.dataset
  // A conversation outlives the names of the two.
  remember("channel", room.dataset.kind === "direct" ? `id:${channel}` : name)
  remember("name", here().userName)

  const inChannel = new Stream({
    path: () => `/api${channelPath(channel)}/events`,
    cursor,
    names: IN_CHANNEL,
    onEvent: (event, data) => say(/** @type {keyof import("../lib/mounting.js").OfChannel} */ (event), data),
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

/** What the server says on the stream of everything. */
const EVERYWHERE = [
  "channel-created", "channel-updated", "channel-deleted", "activity",
  "online", "offline", "presence", "renamed", "reset",
]

/**
 * The stream of everything. One tab of a browser has it and tells the others, since a browser allows six
 * connections to a server in all; where tabs cannot agree on one (plain HTTP), each that is looked at has
 * its own.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountEverywhere(_, { hear, on }) {
  const { user } = here()
  const shared = navigator.locks ? new BroadcastChannel(`houston.everywhere.${user}`) : null
  let letGo = /** @type {(() => void) | null} */ (null)
  /** What this tab is called among the others. */
  const self = String(Math.random())
  let leads = false
  let connected = false

  const stream = new Stream({
    path: () => "/api/events",
    names: EVERYWHERE,
    onEvent: (name, data, id) => tell({ name, data, id }),
    onState: (state) => tell({ state }),
  })

  /** @param {object} told */
  const tell = (told) => {
    act(told)
    shared?.postMessage(told)
  }
  /** @param {{name?: string, data?: any, id?: string, state?: State, asks?: string, to?: string, looks?: boolean}} told */
  const act = ({ name, data, id, state, asks, to, looks }) => {
    if (to && to !== self) return
    if (id) stream.goOnAfter(id)
    if (name) say(/** @type {keyof import("../lib/mounting.js").OfEverything} */ (`everywhere-${name}`), data)
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
