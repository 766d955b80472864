// What one wants to be notified of, and whether a message is that. Decides only.

/** @typedef {"everything" | "mentions" | "nothing"} Bell */

/**
 * @typedef {object} State of a channel, before and after something happened in it
 * @property {number} unread
 * @property {number} mentions
 * @property {string | null} lastAt when its last message was sent, RFC 3339
 */

/** Before anything was said. @type {State} */
export const SILENT = { unread: 0, mentions: 0, lastAt: null }

/**
 * Whether what happened in a channel rings: something new was said that nobody has read yet.
 *
 * @param {Bell} bell
 * @param {State} before
 * @param {State} after
 */
export function rings(bell, before, after) {
  const isNew = (after.lastAt ?? "") > (before.lastAt ?? "")
  if (!isNew || after.unread === 0 || bell === "nothing") return false
  return bell === "everything" || after.mentions > before.mentions
}

/** @typedef {import("../net/api.js").Message} Message */

/** For so long after an `@here` nobody is notified of another one of the same user. */
const HERE_PAUSE_MS = 60_000

/** What the server draws `@here` as. Text has no `<` of its own. */
const HERE_MARK = /<span [^>]*data-here/

/**
 * The messages that call everybody who has the channel open: at most one a minute of each author.
 *
 * @param {Message[]} messages oldest first
 * @param {string} me
 * @param {Record<string, number>} [calledAt] when each author's last call was told, in whatever channel, in ms
 * @returns {Message[]}
 */
export function callsAmong(messages, me, calledAt = {}) {
  const last = new Map(Object.entries(calledAt))
  return messages.filter(({ html, author, sent_at }) => {
    const at = Date.parse(sent_at)
    if (author.id === me || !HERE_MARK.test(html) || at - (last.get(author.id) ?? -Infinity) < HERE_PAUSE_MS) return false
    last.set(author.id, at)
    return true
  })
}

/**
 * The times of calls, with this one's, without those that no longer matter.
 *
 * @param {Record<string, number>} calledAt
 * @param {Message} call
 */
export function withCall(calledAt, { author, sent_at }) {
  const at = Date.parse(sent_at)
  const recent = Object.entries(calledAt).filter(([, time]) => at - time < HERE_PAUSE_MS)
  return Object.fromEntries([...recent, [author.id, at]])
}

/**
 * The message to tell of: the last one, or the last that names or calls the reader, unless it was
 * told or is their own.
 *
 * @param {Message[]} messages oldest first
 * @param {Bell} bell
 * @param {string} me
 * @param {number} toldSeq of the last that was told, or seen
 * @param {Message[]} [calls] those of the messages that call the reader, too
 */
export function newsAmong(messages, bell, me, toldSeq, calls = []) {
  // A link by which the server names them: text in it has no `<` of its own.
  const named = new RegExp(`<a [^>]*data-user="${me}"`)
  const meant = bell === "mentions" ? messages.filter((message) => named.test(message.html) || calls.includes(message)) : messages
  const last = meant.at(-1)
  return last && last.author.id !== me && last.seq > toldSeq ? last : undefined
}

/** A notification shows little more. */
const NOTIFIED_CHARS = 240

/**
 * @param {Message} message
 * @param {{name: string, kind: "public" | "direct"}} channel
 */
export function notificationWords({ author, text }, { name, kind }) {
  const chars = [...(text || "A file")]
  const body = chars.length > NOTIFIED_CHARS ? `${chars.slice(0, NOTIFIED_CHARS).join("")}…` : chars.join("")
  return { title: kind === "direct" ? author.display_name : `${author.display_name} in #${name}`, body }
}
