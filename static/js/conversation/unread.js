// Where the unread messages begin. Decides only; `news.js` draws.

/**
 * Counts back from the end over the messages of others.
 *
 * @param {boolean[]} own for each message, from first to last, whether it is the reader's
 * @param {number} unread how many of others are unread
 * @returns {number} the place of the first of them, -1 without any
 */
export function firstUnread(own, unread) {
  const ofOthers = own.flatMap((isOwn, at) => (isOwn ? [] : [at]))
  if (!(unread > 0) || ofOthers.length === 0) return -1
  return ofOthers[Math.max(0, ofOthers.length - unread)]
}
