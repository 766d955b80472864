// The HTTP API, as answers that never throw.

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
 * @property {import("../shell/bells.js").Bell} bell
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
const PATIENCE_MS = 20_000

export const UNREACHABLE = "No connection to the server."
const SILENT = "The server did not answer in time."

/**
 * @param {string} method
 * @param {string} path below `/api`
 * @param {object} [body]
 * @param {{keepalive?: boolean}} [options] whether it outlives the page
 * @returns {Promise<Answer>}
 */
export async function request(method, path, body, { keepalive = false } = {}) {
  try {
    const headers = body ? { "Content-Type": "application/json" } : undefined
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body), signal, keepalive })
    const isJson = response.headers.get("Content-Type")?.includes("json")
    return answerOf(response.status, isJson ? await response.json() : null, response.headers.get("Retry-After"))
  } catch (error) {
    const detail = error instanceof DOMException && error.name === "TimeoutError" ? SILENT : UNREACHABLE
    return answerOf(0, { detail })
  }
}

/**
 * @param {number} status
 * @param {any} body
 * @param {string | null} [retryAfter] in seconds
 * @returns {Answer}
 */
export function answerOf(status, body, retryAfter) {
  const ok = status >= 200 && status < 300
  const why = ok ? "" : (body?.detail ?? `The server answered ${status}.`)
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
