// One channel of the sidebar: made from the one partial that also the server draws with.

import { hrefOf, labelOf } from "./directs.js"
import { find, part, stamp } from "./page.js"

/** @typedef {import("./api.js").Channel} Channel */

/** @returns {HTMLAnchorElement} */
export function newLink() {
  return /** @type {HTMLAnchorElement} */ (find(stamp("channel"), "a"))
}

/**
 * @param {HTMLAnchorElement} link
 * @param {Channel} channel
 * @param {string} here the id of the channel that is open
 */
export function fillLink(link, channel, here) {
  Object.assign(link.dataset, { id: channel.id, name: channel.name, kind: channel.kind, user: channel.with?.id ?? "" })
  link.dataset.lastAt = channel.last_message_at ?? ""
  if (channel.id === here) link.setAttribute("aria-current", "page")
  const named = channel.kind === "public" ? encodeURIComponent(channel.name) : `id:${channel.id}`
  link.href = `/channels/${named}`
  find(link, ".channel-link__name").textContent = channel.name.replace(/^@/, "")
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
 * @param {import("./directs.js").Person | undefined} partner unless they have left for good
 * @param {string} me
 */
export function present(link, partner, me) {
  const { id = "", name = "" } = link.dataset
  const direct = { id, name }
  if (partner) link.dataset.name = `@${partner.display_name}`
  link.href = hrefOf(direct, partner)
  find(link, ".channel-link__name").textContent = labelOf(direct, partner, me)
  const presence = partner ? (partner.online ? "online" : "offline") : "gone"
  part(link, "lamp").dataset.presence = partner?.id === me ? "notes" : presence
  part(link, "presence").textContent = partner?.id === me ? "" : `, ${WORDS[presence]}`
}

/**
 * What a link tells of its channel.
 *
 * @param {HTMLAnchorElement} link
 * @returns {import("./destinations.js").Known}
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
