// Asking the server for the view of a channel.

import { answerOf, UNREACHABLE } from "./api.js"

/**
 * @typedef {object} Read
 * @property {HTMLElement} [view] of this document, ready to be put in place
 * @property {number} status 0 when the server could not be reached
 * @property {string} why there is no view, for people
 * @property {number} retryAfterMs how long to wait before trying again; 0 when not told
 */

/**
 * @param {string} path of the channel's page
 * @param {AbortSignal} signal
 * @returns {Promise<Read>}
 */
export async function readView(path, signal) {
  try {
    const response = await fetch(`${path}/view`, { headers: { Accept: "text/html" }, signal })
    const template = document.createElement("template")
    // The server's own page, drawn as any other: the policy runs no script but our own files.
    template.innerHTML = await response.text()
    const { status, why, retryAfterMs } = answerOf(response.status, null, response.headers.get("Retry-After"))
    const drawn = document.importNode(template.content, true)
    const view = /** @type {HTMLElement | null} */ (drawn.querySelector(".view"))
    const told = drawn.querySelector(".lost__detail")?.textContent
    return { view: response.ok && view ? view : undefined, status, why: told ?? why, retryAfterMs }
  } catch {
    return { status: 0, why: UNREACHABLE, retryAfterMs: 0 }
  }
}
