// What a page missed while it was out of touch, in words. Decides only.

/**
 * Whether nothing went unseen: the oldest goes first, so while anything of what was seen is kept,
 * all that is newer is kept too; and where there is room left, nothing had to go.
 *
 * @param {string[]} seen ids of what the page showed before
 * @param {string[]} stored ids of what there is now
 * @param {number} kept how many can be
 */
export function lostNothing(seen, stored, kept) {
  const before = new Set(seen)
  return stored.some((id) => before.has(id)) || (seen.length === 0 && stored.length < kept)
}

/**
 * @param {{fresh: number, complete: boolean}} missed how many of others are new, and whether they are all there were
 * @returns {string} nothing when there is nothing to say
 */
export function caughtUpWords({ fresh, complete }) {
  if (complete) return fresh > 0 ? `Caught up: ${fresh} new, 0 lost.` : ""
  return fresh > 0 ? `Caught up: ${fresh} new. Older ones may be gone.` : "Caught up. Older messages may be gone."
}
