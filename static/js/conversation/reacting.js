// Giving and taking back reactions: shown at once, undone where the server refuses.

import { draw } from "./drawing.js"
import { showReason } from "./message.js"
import { hasReacted, quickReactions, withReaction } from "./reaction.js"
import { drawReactions, reactionsOf } from "./reactions.js"
import { anchorOf } from "../lib/addresses.js"
import { recall, remember } from "../lib/browser.js"
import { isEmoji } from "../lib/emoji.js"
import { here } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** The key under which the browser remembers what was given last. */
const USED = "reactions"

/** One request after the other, so that two quick clicks end as the second one wants. */
let queue = Promise.resolve()

/** @param {HTMLElement} list @param {import("../lib/mounting.js").Life} life */
export function mountReacting(list, { on }) {
  on(list, "click", async ({ target }) => {
    const pill = /** @type {Element} */ (target).closest(".reaction")
    const item = pill?.closest("li")
    if (!(pill instanceof HTMLElement) || !item) return
    const why = await react(item.dataset.id ?? "", pill.dataset.reaction ?? "", pill.ariaPressed !== "true")
    if (why && item.isConnected) draw(() => showReason(item, why))
  })
}

/** The six reactions that a reader is likely to give. */
export function atHand() {
  return quickReactions(recall(USED)?.split(" ") ?? [])
}

/**
 * @param {string} id of the message
 * @param {string} reaction
 * @param {boolean} given or taken back
 * @returns {Promise<string>} why it could not be, if it could not
 */
export async function react(id, reaction, given) {
  const { channel, user, userName } = here()
  /** @param {boolean} shown */
  const show = (shown) => {
    const item = document.getElementById(anchorOf(id))
    const mine = { id: user, display_name: userName }
    if (item) draw(() => drawReactions(item, withReaction(reactionsOf(item), reaction, mine, shown)))
  }
  if (given && isEmoji(reaction)) remember(USED, quickReactions(atHand(), reaction).join(" "))
  const path = `${channelPath(channel)}/messages/${id}/reactions/${encodeURIComponent(reaction)}`
  const item = document.getElementById(anchorOf(id))
  const before = item ? hasReacted(reactionsOf(item), reaction, { id: user }) : !given
  show(given)
  const asked = queue.then(() => request(given ? "PUT" : "DELETE", path))
  queue = asked.then(() => {})
  const { ok, why } = await asked
  if (!ok) show(before)
  return why
}
