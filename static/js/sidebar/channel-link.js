// One channel of the sidebar: made from the one partial that also the server draws with.

import { segment } from "./destinations.js"
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
  const { id, name, kind, href, label, user = "", lastAt } = channel
  const current = id === here ? "page" : null
  fill(link, { id, name, kind, user, href, label, last_at: lastAt, current, ...waiting(channel, kind, current !== null) })
}

/**
 * Shows what waits in a channel.
 *
 * @param {HTMLElement} link
 * @param {{unread: number, mentions: number}} counts
 */
export function countOn(link, counts) {
  fill(link, waiting(counts, link.dataset.kind, link.hasAttribute("aria-current")))
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
 * The part of a link's view that says what waits. Names and mentions call for their reader, and so
 * does all that is said in a direct conversation.
 *
 * @param {{unread: number, mentions: number}} counts
 * @param {string | undefined} kind
 * @param {boolean} isOpen
 */
function waiting({ unread, mentions }, kind, isOpen) {
  const shown = isOpen ? 0 : unread
  const names = kind === "public" && mentions > 0
  return {
    unread,
    mentions,
    is_unread: shown > 0,
    calls: shown > 0 && (names || kind === "direct"),
    count: names ? mentions : shown,
    unit: names ? (mentions === 1 ? " mention" : " mentions") : " unread",
  }
}

/**
 * A channel as the server tells of it.
 *
 * @param {import("../net/api.js").Channel} channel
 * @returns {Known}
 */
export function knownFrom({ id, name, kind, with: partner, last_message_at, unread, mentions }) {
  const href = `/channels/${kind === "public" ? segment(name) : `id:${id}`}`
  const label = name.replace(/^@/, "")
  return { id, name, kind, href, label, user: partner?.id, lastAt: last_message_at ?? "", unread, mentions }
}

/**
 * A channel as the server drew its link.
 *
 * @param {HTMLAnchorElement} link
 * @returns {Known}
 */
export function knownOf(link) {
  const { id = "", name = "", kind, user, lastAt = "", waiting, mentions } = link.dataset
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
  }
}

const WORDS = { online: "online", offline: "offline", gone: "signed out for good" }
