// The reactions under a message.

import { hear } from "./bus.js"
import { find, here, stamp } from "./page.js"
import { tellWho } from "./reaction.js"

/** @typedef {import("./reaction.js").Reacted} Reacted */

/** @param {HTMLElement} list */
export function mountReactions(list) {
  for (const pill of pillsIn(list)) fill(pill, reactedOf(pill))
  hear("renamed", (user) => {
    for (const pill of pillsIn(list)) {
      const { reaction, users } = reactedOf(pill)
      if (users.some(({ id }) => id === user.id)) {
        fill(pill, { reaction, users: users.map((each) => (each.id === user.id ? user : each)) })
      }
    }
  })
}

/**
 * Shows these reactions. Those that were there stay the same elements: one may have the focus.
 *
 * @param {HTMLElement} item
 * @param {Reacted[]} reactions
 */
export function drawReactions(item, reactions) {
  const row = find(item, ".message__reactions")
  const known = new Map(pillsIn(row).map((pill) => [pill.dataset.reaction, pill]))
  reactions.forEach((reacted, at) => {
    const pill = known.get(reacted.reaction) ?? stamp("reaction")
    known.delete(reacted.reaction)
    fill(pill, reacted)
    if (row.children[at] !== pill) row.insertBefore(pill, row.children[at] ?? null)
  })
  for (const gone of known.values()) {
    if (gone === document.activeElement) item.focus({ preventScroll: true })
    gone.remove()
  }
  row.hidden = reactions.length === 0
}

/**
 * @param {HTMLElement} item
 * @returns {Reacted[]} as they are shown
 */
export function reactionsOf(item) {
  return pillsIn(item).map(reactedOf)
}

/** @param {ParentNode} root */
function pillsIn(root) {
  return [...root.querySelectorAll(/** @type {"button"} */ (".reaction"))]
}

/**
 * @param {HTMLElement} pill
 * @returns {Reacted}
 */
function reactedOf({ dataset }) {
  return { reaction: dataset.reaction ?? "", users: JSON.parse(dataset.users || "[]") }
}

/**
 * @param {HTMLElement} pill
 * @param {Reacted} reacted
 */
function fill(pill, reacted) {
  pill.dataset.reaction = reacted.reaction
  pill.dataset.users = JSON.stringify(reacted.users)
  const who = tellWho(reacted.users)
  find(pill, ".reaction__who").textContent = who
  find(pill, ".reaction__what").textContent = reacted.reaction
  find(pill, ".reaction__count").textContent = String(reacted.users.length)
  pill.title = `${who} ${reacted.reaction}`
  pill.ariaPressed = String(reacted.users.some(({ id }) => id === here().user))
}
