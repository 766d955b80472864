// Reactions as data. Decides only; `reactions.js` draws.

/**
 * @typedef {import("./api.js").User} User
 * @typedef {{reaction: string, users: User[]}} Reacted
 */

/** Beyond these, people are counted instead of named. */
const NAMED = 8

/**
 * The same reactions with, or without, this one of this user. One that nobody gives is gone; a new
 * one comes last.
 *
 * @param {Reacted[]} reactions
 * @param {string} reaction
 * @param {User} user
 * @param {boolean} given
 * @returns {Reacted[]}
 */
export function withReaction(reactions, reaction, user, given) {
  const known = reactions.some((each) => each.reaction === reaction)
  const all = known ? reactions : [...reactions, { reaction, users: [] }]
  return all
    .map((each) => (each.reaction === reaction ? { reaction, users: change(each.users, user, given) } : each))
    .filter(({ users }) => users.length > 0)
}

/**
 * Who gave a reaction: a sentence that the reaction completes.
 *
 * @param {User[]} users
 */
export function tellWho(users) {
  const names = users.slice(0, NAMED).map((user) => user.display_name)
  const more = users.length - names.length
  if (more > 0) names.push(more === 1 ? "1 other" : `${more} others`)
  const last = names.pop()
  return `${names.length > 0 ? `${names.join(", ")} and ${last}` : last} reacted with`
}

/**
 * @param {User[]} users
 * @param {User} user
 * @param {boolean} given
 */
function change(users, user, given) {
  const gave = users.some(({ id }) => id === user.id)
  if (given) return gave ? users : [...users, user]
  return users.filter(({ id }) => id !== user.id)
}
