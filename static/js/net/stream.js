// One event stream that heals itself. `EventSource` alone gives up for good on some errors and
// does not notice a frozen connection, so each restart is ours, from the last event's id.

import { waitMs } from "./backoff.js"

/** The server pings every 20 s: longer silence than this means a dead connection. */
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

export class Stream {
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
