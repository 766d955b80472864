// What waits in a channel: the same number in the sidebar, the switcher, the title and the tab's icon.
// Decides only.

/**
 * @typedef {object} Waiting
 * @property {number} calls mentions, and what was said in a direct conversation
 * @property {number} rest everything else that is unread
 * @property {number} count what is shown: the calls, if there are any
 * @property {" mention" | " mentions" | " unread"} unit
 */

/**
 * @param {{kind: string, unread: number, mentions: number}} channel
 * @returns {Waiting}
 */
export function waitingIn({ kind, unread, mentions }) {
  const names = kind === "public" && mentions > 0
  const calls = kind === "direct" ? unread : mentions
  return {
    calls,
    rest: unread - calls,
    count: calls || unread,
    unit: !names ? " unread" : mentions === 1 ? " mention" : " mentions",
  }
}

/**
 * What waits in all of these together.
 *
 * @param {{id: string, kind: string, unread: number, mentions: number}[]} channels
 * @param {string} seen the id of the channel that is being looked at, if one is: what comes is read
 * @returns {{calls: number, rest: number}}
 */
export function tally(channels, seen) {
  const sum = { calls: 0, rest: 0 }
  for (const channel of channels) {
    if (channel.id === seen) continue
    const { calls, rest } = waitingIn(channel)
    sum.calls += calls
    sum.rest += rest
  }
  return sum
}
