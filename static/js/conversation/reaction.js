// Reactions as data. Decides only; `reactions.js` draws.

/**
 * @typedef {import("../net/api.js").User} User
 * @typedef {{reaction: string, users: User[]}} Reacted
 */

/** Reactions that are at hand until the reader has given others. */
const USUAL_REACTIONS = ["👍", "❤️", "😂", "🎉", "👀", "✅"]

/** Beyond these, people are counted instead of named. */
const MOST_REACTORS_NAMED = 8

/**
 * Tells whether both count as the same reaction, as the server compares them: in NFC, without the
 * selector of an emoji's coloured form.
 *
 * @param {string} one
 * @param {string} other
 */
export function isSameReaction(one, other) {
  return compared(one) === compared(other)
}

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
  const same = reactions.filter((each) => isSameReaction(each.reaction, reaction))
  if (!given) return without(reactions, same, user)
  if (hasReacted(same, reaction, user)) return reactions
  // Of both `❤️` and `❤`, which old messages may have, the one of this very form.
  const group = same.find((each) => each.reaction === reaction) ?? same[0]
  if (!group) return [...reactions, { reaction, users: [user] }]
  return reactions.map((each) => (each === group ? { ...each, users: [...each.users, user] } : each))
}

/**
 * @param {Reacted[]} reactions
 * @param {string} reaction
 * @param {{id: string}} user
 */
export function hasReacted(reactions, reaction, user) {
  return reactions.some((each) => isSameReaction(each.reaction, reaction) && each.users.some(({ id }) => id === user.id))
}

/**
 * Who gave a reaction: a sentence that the reaction completes.
 *
 * @param {User[]} users
 */
export function tellWho(users) {
  const names = users.slice(0, MOST_REACTORS_NAMED).map((user) => user.display_name)
  const more = users.length - names.length
  if (more > 0) names.push(more === 1 ? "1 other" : `${more} others`)
  const last = names.pop()
  return `${names.length > 0 ? `${names.join(", ")} and ${last}` : last} reacted with`
}

/**
 * The reactions at hand: what the reader gave last, then the usual ones.
 *
 * @param {string[]} used emoji, latest first
 * @param {string} [reaction] that is given now
 */
export function quickReactions(used, reaction) {
  const all = [...(reaction ? [reaction] : []), ...used, ...USUAL_REACTIONS]
  return all.filter((each, at) => all.findIndex((other) => isSameReaction(each, other)) === at).slice(0, USUAL_REACTIONS.length)
}

/**
 * A reaction, as its partial shows it. The server makes the same view.
 *
 * @param {Reacted} reacted
 * @param {string} me
 */
export function reactionView({ reaction, users }, me) {
  const who = tellWho(users)
  return {
    template: "reaction",
    key: reaction,
    reaction,
    users: JSON.stringify(users.map(({ id, display_name }) => ({ id, display_name }))),
    who,
    title: `${who} ${reaction}`,
    count: users.length,
    pressed: String(users.some(({ id }) => id === me)),
  }
}

/**
 * @param {Reacted[]} reactions
 * @param {Reacted[]} groups of them
 * @param {User} user
 */
function without(reactions, groups, user) {
  return reactions
    .map((each) => (groups.includes(each) ? { ...each, users: each.users.filter(({ id }) => id !== user.id) } : each))
    .filter(({ users }) => users.length > 0)
}

/** @param {string} reaction */
function compared(reaction) {
  return reaction.replaceAll("\uFE0F", "").normalize("NFC")
}
