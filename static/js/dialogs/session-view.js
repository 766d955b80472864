// A session in words: which device or token, and when it was used last. Decides only.

import { briefWords } from "../conversation/local-time.js"

/**
 * @typedef {object} Session as the API tells it
 * @property {string} id
 * @property {"browser" | "token"} kind
 * @property {string | null} name a token's
 * @property {string | null} client the browser and system, in words
 * @property {string} last_used_at RFC 3339
 * @property {boolean} current whether it is the one that asks
 */

/** Used this recently, it is in use. */
const RECENT_MS = 60_000

/** @param {Pick<Session, "kind" | "name" | "client">} session */
export function sessionName({ kind, name, client }) {
  return name ?? client ?? (kind === "token" ? "A token" : "An unknown device")
}

/**
 * @param {Session} session
 * @param {import("../conversation/local-time.js").Locale} locale
 * @param {Date} now
 */
export function sessionView(session, locale, now) {
  const name = sessionName(session)
  const used = new Date(session.last_used_at)
  const when = now.getTime() - used.getTime() < RECENT_MS ? "just now" : briefWords(used, locale, now)
  const [kind, end] = session.kind === "token" ? ["Token", "Revoke"] : ["Device", "Sign out"]
  return {
    template: "session",
    key: session.id,
    name,
    aside: session.current ? "This device" : `${kind}, last used ${when}`,
    end,
    end_name: `${end} ${name}`,
    current: session.current,
  }
}

/**
 * The devices that came aboard by a link while it was looked at.
 *
 * @param {Session[]} sessions
 * @param {Set<string>} known the ids of those that were there before
 */
export function newDevices(sessions, known) {
  return sessions.filter(({ id, kind, current }) => kind === "browser" && !current && !known.has(id))
}
