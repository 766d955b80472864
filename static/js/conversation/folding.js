// Join and leave notices, folded: who came and went cancels out, many become a number.

/** Beyond these, people are counted instead of named. */
const NAMED = 3

/** @typedef {{kind: "joined" | "left", id: string, display_name: string}} Move */

/**
 * Adds a move to those that stand together in one notice.
 *
 * @param {Move[]} moves
 * @param {Move} move
 * @returns {Move[]}
 */
export function fold(moves, move) {
  const others = moves.filter((other) => other.id !== move.id)
  const undone = moves.some((other) => other.id === move.id && other.kind !== move.kind)
  return undone ? others : [...others, move]
}

/**
 * @param {Move[]} moves
 * @returns {string} a sentence each for those who joined and those who left; names are isolated, so
 *   that they keep their own direction (Unicode UAX #9)
 */
export function tell(moves) {
  return ["joined", "left"]
    .map((kind) => [kind, moves.filter((move) => move.kind === kind)])
    .filter(([, who]) => who.length > 0)
    .map(([kind, who]) => `${people(/** @type {Move[]} */ (who))} ${kind}.`)
    .join(" ")
}

/** @param {Move[]} who */
function people(who) {
  const names = who.slice(0, NAMED).map((move) => `\u2068${move.display_name}\u2069`)
  const more = who.length - names.length
  if (more > 0) names.push(more === 1 ? "1 other" : `${more} others`)
  const last = names.pop()
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last
}
