// One channel of the sidebar: made from the one partial that also the server draws with.

import { find, part, stamp } from "../lib/page.js"

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
  Object.assign(link.dataset, { id, name, kind, user, lastAt })
  if (id === here) link.setAttribute("aria-current", "page")
  else link.removeAttribute("aria-current")
  link.href = href
  find(link, ".channel-link__name").textContent = label
  countOn(link, channel)
}

/**
 * Names and mentions call for their reader, and so does all that is said in a direct conversation.
 *
 * @param {HTMLElement} link
 * @param {{unread: number, mentions: number}} waiting
 */
export function countOn(link, { unread, mentions }) {
  Object.assign(link.dataset, { waiting: String(unread), mentions: String(mentions) })
  const shown = link.hasAttribute("aria-current") ? 0 : unread
  const named = link.dataset.kind === "public" && mentions > 0
  part(link, "unread").textContent = String(named ? mentions : shown)
  part(link, "unit").textContent = named ? (mentions === 1 ? " mention" : " mentions") : " unread"
  find(link, ".channel-link__count").hidden = shown === 0
  link.toggleAttribute("data-unread", shown > 0)
  link.toggleAttribute("data-calls", shown > 0 && (named || link.dataset.kind === "direct"))
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
  part(link, "lamp").dataset.presence = partner?.id === me ? "notes" : presence
  part(link, "presence").textContent = partner?.id === me ? "" : `, ${WORDS[presence]}`
}

/**
 * A channel as the server tells of it.
 *
 * @param {import("../net/api.js").Channel} channel
 * @returns {Known}
 */
export function knownFrom({ id, name, kind, with: partner, last_message_at, unread, mentions }) {
  const href = `/channels/${kind === "public" ? encodeURIComponent(name) : `id:${id}`}`
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
