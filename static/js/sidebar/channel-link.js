// One channel of the sidebar: made from the one partial that also the server draws with.

import { segment } from "./destinations.js"
import { waitingIn } from "./waiting.js"
import { find, stamp } from "../lib/page.js"
import { fill } from "../lib/slots.js"

/** @typedef {import("./destinations.js").Known} Known */

/** @returns {HTMLAnchorElement} */
export function newLink() {
  return /** @type {HTMLAnchorElement} */ (find(stamp("channel"), "a"))
}

/**
 * @param {HTMLAnchorElement} link
 * @param {Known} channel
 * @param {string} here the id of the channel that is open
 */
export function fillLink(link, channel, here) {
  const { user = "", lastAt } = channel
  const current = channel.id === here ? "page" : null
  fill(link, { ...channel, user, last_at: lastAt, current, ...waiting(channel, current !== null) })
}

/**
 * What depends on the other one of a direct conversation.
 *
 * @param {HTMLAnchorElement} link
 * @param {import("../net/everybody.js").Person | undefined} partner unless they have left for good
 * @param {string} me
 */
export function present(link, partner, me) {
  const presence = partner ? (partner.online ? "online" : "offline") : "gone"
  const isMe = partner?.id === me
  fill(link, { presence: isMe ? "notes" : presence, presence_words: isMe ? "" : `, ${WORDS[presence]}` })
}

/**
 * The part of a link's view that says what waits: nothing, where one looks.
 *
 * @param {Known} channel
 * @param {boolean} isOpen
 */
function waiting(channel, isOpen) {
  const { calls, count, unit } = waitingIn(channel)
  const shown = isOpen ? 0 : count
  return { is_unread: shown > 0, calls: shown > 0 && calls > 0, count: shown, unit }
}

/**
 * A channel as the server tells of it.
 *
 * @param {import("../net/api.js").Channel} channel
 * @param {boolean} visited
 * @returns {Known}
 */
export function knownFrom({ id, name, kind, with: partner, last_message_at, unread, mentions, mine }, visited) {
  const href = `/channels/${kind === "public" ? segment(name) : `id:${id}`}`
  const label = name.replace(/^@/, "")
  return { id, name, kind, href, label, user: partner?.id, lastAt: last_message_at ?? "", unread, mentions, ...mine, visited }
}

/**
 * A channel as the server drew its link.
 *
 * @param {HTMLAnchorElement} link
 * @returns {Known}
 */
export function knownOf(link) {
  const { id = "", name = "", kind, user, lastAt = "", waiting, mentions, bell, starred, concealed, visited } = link.dataset
  return {
    id,
    name,
    kind: kind === "direct" ? "direct" : "public",
    href: link.getAttribute("href") ?? "",
    label: find(link, ".channel-link__name").textContent ?? "",
    user,
    lastAt,
    unread: Number(waiting),
    mentions: Number(mentions),
    bell: /** @type {Known["bell"]} */ (bell),
    starred: starred !== undefined,
    hidden: concealed !== undefined,
    visited: visited !== undefined,
  }
}

const WORDS = { online: "online", offline: "offline", gone: "signed out for good" }
