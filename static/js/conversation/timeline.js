// Where messages stand to each other. Decides only; `message-list.js` draws.

import { dateOf } from "./local-time.js"

/** Messages of one author this close together are one run. */
const RUN_MS = 5 * 60 * 1000

/**
 * @typedef {object} Placed
 * @property {string} author the author's id
 * @property {string} sentAt RFC 3339
 */

/**
 * Whether a message continues the run of the one before it.
 *
 * @param {Placed | null} before
 * @param {Placed} message
 */
export function continues(before, message) {
  if (!before || before.author !== message.author || !sameDay(before, message)) return false
  return Date.parse(message.sentAt) - Date.parse(before.sentAt) < RUN_MS
}

/**
 * Whether two messages were sent on one day, where the reader is.
 *
 * @param {Placed | null} before
 * @param {Placed} message
 */
export function sameDay(before, message) {
  return before !== null && dateOf(new Date(before.sentAt)) === dateOf(new Date(message.sentAt))
}

/**
 * Where a message belongs among those that are there: before the first with a larger `seq`.
 *
 * @param {number[]} seqs ascending
 * @param {number} seq
 */
export function placeOf(seqs, seq) {
  const later = seqs.findIndex((other) => other > seq)
  return later === -1 ? seqs.length : later
}
