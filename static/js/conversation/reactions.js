// The reactions under a message.

import { reactionView } from "./reaction.js"
import { fill, find, here } from "../lib/page.js"

/** @typedef {import("./reaction.js").Reacted} Reacted */

/** @param {HTMLElement} list @param {import("../lib/mounting.js").Life} life */
export function mountReactions(list, { hear }) {
  hear("renamed", (user) => {
    for (const pill of pillsIn(list)) {
      const { reaction, users } = reactedOf(pill)
      if (!users.some(({ id }) => id === user.id)) continue
      const renamed = users.map((each) => (each.id === user.id ? user : each))
      fill(pill, reactionView({ reaction, users: renamed }, here().user))
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
  const focused = document.activeElement
  const views = reactions.map((each) => reactionView(each, here().user))
  fill(find(item, ".message__reactions"), { reactions: views })
  if (focused && !focused.isConnected) item.focus({ preventScroll: true })
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
