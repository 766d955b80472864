// What one wants to be notified of, and whether a message is that. Decides only.

/** @typedef {"everything" | "mentions" | "nothing"} Bell */

/** @type {Bell[]} */
const BELLS = ["everything", "mentions", "nothing"]

/**
 * The bell of a channel, as it was remembered, or as it is by default.
 *
 * @param {string | null} remembered
 * @param {"public" | "direct"} kind
 * @returns {Bell}
 */
export function bellOf(remembered, kind) {
  const known = BELLS.find((bell) => bell === remembered)
  return known ?? (kind === "direct" ? "everything" : "mentions")
}

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

/**
 * The message to tell of: the last one, or the last that names the reader, unless it was told or
 * is their own.
 *
 * @param {import("./api.js").Message[]} messages oldest first
 * @param {Bell} bell
 * @param {string} me
 * @param {number} toldSeq of the last that was told, or seen
 */
export function newsAmong(messages, bell, me, toldSeq) {
  // A link by which the server names them: text in it has no `<` of its own.
  const named = new RegExp(`<a [^>]*data-user="${me}"`)
  const meant = bell === "mentions" ? messages.filter(({ html }) => named.test(html)) : messages
  const last = meant.at(-1)
  return last && last.author.id !== me && last.seq > toldSeq ? last : undefined
}

/** A notification shows little more. */
const LONGEST_CHARS = 240

/**
 * @param {import("./api.js").Message} message
 * @param {{name: string, kind: "public" | "direct"}} channel
 */
export function wordsOf({ author, text }, { name, kind }) {
  const chars = [...(text || "A file")]
  const body = chars.length > LONGEST_CHARS ? `${chars.slice(0, LONGEST_CHARS).join("")}…` : chars.join("")
  return { title: kind === "direct" ? author.display_name : `${author.display_name} in #${name}`, body }
}
