// Join and leave notices, folded: who came and went cancels out, many become a number.

/** Beyond these, the first is named and the others are counted. */
const MOST_MOVERS_NAMED = 3

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
 * @returns {string} one line: "Ada and 3 others joined, Bob left"; names are isolated, so that they
 *   keep their own direction (Unicode UAX #9)
 */
export function noticeWords(moves) {
  return ["joined", "left"]
    .map((kind) => [kind, moves.filter((move) => move.kind === kind)])
    .filter(([, who]) => who.length > 0)
    .map(([kind, who]) => `${namesOf(/** @type {Move[]} */ (who))} ${kind}`)
    .join(", ")
}

/** @param {Move[]} who */
function namesOf(who) {
  const names = who.map((move) => `\u2068${move.display_name}\u2069`)
  if (names.length > MOST_MOVERS_NAMED) return `${names[0]} and ${names.length - 1} others`
  const last = names.pop()
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last
}
