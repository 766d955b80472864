// Asking the server: its HTTP API, as answers that never throw, and lists of its that are kept up to date.

import { say } from "../lib/mounting.js"

/**
 * @typedef {{id: string, display_name: string, bot?: boolean}} User
 */

/**
 * @typedef {object} Channel
 * @property {string} id
 * @property {string} name a direct conversation's is `@` and what the other one is called
 * @property {"public" | "direct"} kind
 * @property {User} [with] the other one of a direct conversation
 * @property {string} topic
 * @property {User | null} created_by
 * @property {number} messages that are kept
 * @property {number} unread
 * @property {number} mentions
 * @property {string | null} last_message_at RFC 3339
 * @property {Mine} mine
 */

/**
 * @typedef {object} Mine how the user wants a channel, on all of their devices
 * @property {boolean} starred
 * @property {boolean} hidden until it calls
 * @property {import("../shell/notifications.js").Bell} bell
 */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {number} seq orders a channel's messages
 * @property {User} author
 * @property {string} text as it was written
 * @property {string} html its safe rendering
 * @property {string} sent_at RFC 3339
 * @property {string | null} edited_at RFC 3339
 * @property {import("../conversation/files.js").Attachment[]} attachments
 * @property {import("../conversation/previews.js").Preview[]} previews of its links
 * @property {boolean} [previews_hidden] where its author has hidden them
 * @property {{reaction: string, users: User[]}[]} reactions
 * @property {{icon: string | null}} [hook] where a hook wrote it
 */

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} status 0 when the server could not be reached
 * @property {any} body the JSON, if any; a problem where it is not ok
 * @property {string} why what went wrong, for people
 * @property {number} retryAfterMs how long to wait before trying again; 0 when not told
 */

/** A server that takes longer is not going to answer. */
const ANSWER_MS = 20_000

export const UNREACHABLE = "No connection to the server."
const NO_ANSWER = "The server did not answer in time."

/**
 * Asks the server.
 *
 * @param {string} method
 * @param {string} path below `/api`
 * @param {object} [body]
 * @param {{keepalive?: boolean}} [options] whether it outlives the page
 * @returns {Promise<Answer>}
 */
export async function request(method, path, body, { keepalive = false } = {}) {
  try {
    const headers = body ? { "Content-Type": "application/json" } : undefined
    const signal = AbortSignal.timeout(ANSWER_MS)
    const response = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body), signal, keepalive })
    const isJson = response.headers.get("Content-Type")?.includes("json")
    return answerOf(response.status, isJson ? await response.json() : null, response.headers.get("Retry-After"))
  } catch (error) {
    const detail = error instanceof DOMException && error.name === "TimeoutError" ? NO_ANSWER : UNREACHABLE
    return answerOf(0, { detail })
  }
}

/** What people are told instead of details that are for programs. */
const PLAIN_WORDS = new Map([
  ["/problems/storage-unavailable", "The server cannot keep anything at the moment."],
])

/**
 * What a response says.
 *
 * @param {number} status
 * @param {any} body
 * @param {string | null} [retryAfter] in seconds
 * @returns {Answer}
 */
export function answerOf(status, body, retryAfter) {
  const ok = status >= 200 && status < 300
  const why = ok ? "" : (PLAIN_WORDS.get(body?.type) ?? body?.detail ?? `The server answered ${status}.`)
  return { ok, status, body, why, retryAfterMs: (Number(retryAfter) || 0) * 1000 }
}

/**
 * The path of a channel by its id, which stays the same whatever it is called.
 *
 * @param {string} id
 */
export function channelPath(id) {
  return `/channels/id:${encodeURIComponent(id)}`
}

/**
 * Tells the server how the user wants a channel (starred, hidden, with which bell), on all of their
 * devices, and once it has answered everybody on the page.
 *
 * @param {string} channel its id
 * @param {Partial<Mine>} change
 * @returns {Promise<Answer>}
 */
export async function want(channel, change) {
  const answer = await request("PATCH", `${channelPath(channel)}/mine`, change)
  if (answer.ok) say("everywhere-channel-updated", answer.body)
  return answer
}

const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/**
 * How long to wait before the next attempt to connect. Doubles with each failed attempt, up to 30 s; up to half of it at random, so that a server that
 * comes back is not met by all at once.
 *
 * @param {number} failures attempts that failed so far, 1 or more
 * @param {number} chance from 0 up to 1
 */
export function waitMs(failures, chance) {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
  return Math.round(full * (1 - chance / 2))
}

/** A list of the server's, asked for while a stream goes on telling what changes in it. */
export class Listing {
  /** Whether more has changed than was heard of: whoever hears of one asks anew. */
  stale = false
  /** Whether to ask once more after the answer on its way, which may be too old. */
  again = false
  #path
  #apply
  /** @type {Set<string>} */
  #heard = new Set()
  /** @type {Promise<boolean> | null} */
  #reading = null

  /**
   * @param {string} path below `/api`
   * @param {(body: any, heard: Set<string>) => void} apply is given what was heard of while the
   *   answer was on its way: what was heard is newer
   */
  constructor(path, apply) {
    this.#path = path
    this.#apply = apply
  }

  /** @param {string} id of one that came, went or changed, or what else tells it from others */
  heard(id) {
    this.#heard.add(id)
  }

  /**
   * Asks one question at a time, and once more where it was asked meanwhile: the answer on its way
   * may be older than the reason to ask.
   *
   * @returns {Promise<boolean>} whether there was an answer
   */
  read() {
    this.again = true
    this.#reading ??= this.#ask()
    return this.#reading
  }

  /** @returns {Promise<boolean>} */
  async #ask() {
    this.again = this.stale = false
    this.#heard.clear()
    const { ok, body } = await request("GET", this.#path)
    this.#reading = null
    if (ok) this.#apply(body, this.#heard)
    else this.stale = true
    return this.again ? this.read() : ok
  }
}
