// The places where a user can go: channels, and people, with whom a conversation may begin. Decides
// only.

import { fitOf } from "../lib/matching.js"
import { MOST_LISTED } from "../lib/page.js"

/**
 * @typedef {object} Known a channel as the sidebar has it
 * @property {string} id
 * @property {string} name
 * @property {"public" | "direct"} kind
 * @property {string} href
 * @property {string} label what it is called there
 * @property {string} [user] the partner's id, in a direct conversation
 * @property {string} lastAt RFC 3339, or nothing
 * @property {number} unread
 * @property {number} mentions
 */

/**
 * @typedef {object} Destination
 * @property {string} id the other one's, or the channel's
 * @property {"public" | "direct"} kind
 * @property {string} label
 * @property {string} href
 * @property {number} unread
 * @property {string} lastAt RFC 3339, or nothing
 * @property {"online" | "offline" | "notes" | "gone" | ""} presence
 * @property {boolean} [bot] whether the other one is a program
 */

/** @typedef {import("../net/everybody.js").Person} Person */

/** @param {Person} person @param {string} me */
const presenceOf = (person, me) => (person.id === me ? "notes" : person.online ? "online" : "offline")

/**
 * Everybody, oneself first, then who is online.
 *
 * @param {Person[]} people by name
 * @param {string} me
 * @returns {Destination[]}
 */
export function peopleToWrite(people, me) {
  const rank = (/** @type {Person} */ person) => (person.id === me ? 0 : person.online ? 1 : 2)
  return people.toSorted((a, b) => rank(a) - rank(b)).map((person) => ({
    id: person.id,
    kind: "direct",
    label: person.id === me ? NOTES : person.display_name,
    href: hrefOfName(person.display_name),
    unread: 0,
    lastAt: "",
    presence: presenceOf(person, me),
    bot: person.bot,
  }))
}

/**
 * Every channel and conversation, and everybody with whom there is none yet.
 *
 * @param {Known[]} channels
 * @param {Person[]} people
 * @param {string} me
 * @returns {Destination[]}
 */
export function everywhere(channels, people, me) {
  const byId = new Map(people.map((person) => [person.id, person]))
  const met = new Set(channels.map(({ user }) => user))
  const known = channels.map(({ id, kind, label, href, unread, lastAt, user }) => {
    const partner = byId.get(user ?? "")
    /** @type {Destination["presence"]} */
    const presence = kind === "public" ? "" : partner ? presenceOf(partner, me) : "gone"
    return { id: user || id, kind, label, href, unread, lastAt, presence, bot: partner?.bot }
  })
  return [...known, ...peopleToWrite(people.filter(({ id }) => !met.has(id)), me)]
}

/**
 * Those that the sidebar shows: all, or of many the one that is open, then direct conversations
 * with something unread, then whatever was said in last.
 *
 * @param {Known[]} channels
 * @param {string} open its id
 */
export function shownAmong(channels, open) {
  const rank = (/** @type {Known} */ { id, kind, unread }) => (id === open ? 0 : kind === "direct" && unread > 0 ? 1 : 2)
  if (channels.length <= MOST_LISTED) return channels
  return channels.toSorted((a, b) => rank(a) - rank(b) || later(a, b)).slice(0, MOST_LISTED)
}

/**
 * Those that fit what is typed, best first; among equals what is unread, then what is recent.
 *
 * @param {Destination[]} destinations
 * @param {string} typed
 */
export function fitting(destinations, typed) {
  const query = typed.trim().replace(/^[#@]/, "")
  const rated = destinations.map((destination) => ({ destination, fit: fitOf(destination.label, query) }))
  return rated
    .filter(({ fit }) => fit >= 0)
    .sort((a, b) => a.fit - b.fit || urgency(b.destination) - urgency(a.destination) || later(a.destination, b.destination))
    .map(({ destination }) => destination)
}

/** @param {Destination} destination */
const urgency = ({ unread }) => (unread > 0 ? 1 : 0)

/** @param {{lastAt: string}} a @param {{lastAt: string}} b */
const later = (a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0)

/**
 * @typedef {object} Direct
 * @property {string} id the channel's
 * @property {string} name `@` and what the other one is called, or was last
 */

/** Notes, which nobody else reads. */
export const NOTES = "Notes to self"

/**
 * @param {Direct} direct
 * @param {Person | undefined} partner unless they have left for good, or are not known yet
 * @param {string} me
 */
export function labelOf(direct, partner, me) {
  if (partner?.id === me) return NOTES
  return partner?.display_name ?? direct.name.replace(/^@/, "")
}

/**
 * Under the partner's name while they hold it; a name that is free again leads to somebody else.
 *
 * @param {Direct} direct
 * @param {Person | undefined} partner
 */
export function hrefOf(direct, partner) {
  return partner ? hrefOfName(partner.display_name) : `/channels/id:${direct.id}`
}

/** @param {string} name */
export function hrefOfName(name) {
  return `/channels/@${segment(name)}`
}

/**
 * A name as one segment of a path, as the server writes it: all but RFC 3986's unreserved characters
 * is encoded.
 *
 * @param {string} name
 */
export function segment(name) {
  return encodeURIComponent(name).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
