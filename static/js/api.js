// The HTTP API, as answers that never throw.

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} status 0 when the server could not be reached
 * @property {any} body the JSON, if any
 * @property {string} why what went wrong, for people
 * @property {number} retryAfterMs how long to wait before trying again; 0 when not told
 */

const UNREACHABLE = "No connection to the server."

/**
 * @param {string} method
 * @param {string} path below `/api`
 * @param {object} [body]
 * @returns {Promise<Answer>}
 */
export async function request(method, path, body) {
  try {
    const headers = body ? { "Content-Type": "application/json" } : undefined
    const response = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) })
    return await answer(response)
  } catch {
    return { ok: false, status: 0, body: null, why: UNREACHABLE, retryAfterMs: 0 }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function answer(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json")
  const body = isJson ? await response.json() : null
  const retryAfterMs = Number(response.headers.get("Retry-After") ?? 0) * 1000
  const why = response.ok ? "" : (body?.detail ?? `The server answered ${response.status}.`)
  return { ok: response.ok, status: response.status, body, why, retryAfterMs }
}

/** The path of a channel by its id, which stays the same whatever it is called. */
export function channelPath(id) {
  return `/channels/id:${encodeURIComponent(id)}`
}
