// From channel to channel, in the sidebar's order. Decides only.

/** @typedef {import("./destinations.js").Known} Known */

/**
 * The next one, around the ends.
 *
 * @param {Known[]} channels in the sidebar's order
 * @param {string} open the id of the one that is open, which need not be among them
 * @param {1 | -1} step
 * @param {boolean} unreadOnly
 * @returns {Known | undefined}
 */
export function nextChannel(channels, open, step, unreadOnly) {
  const at = channels.findIndex(({ id }) => id === open)
  const after = [...channels.slice(at + 1), ...channels.slice(0, Math.max(at, 0))]
  const others = step === 1 ? after : after.toReversed()
  return others.find(({ unread }) => unread > 0 || !unreadOnly)
}
