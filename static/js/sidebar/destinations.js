// The places where a user can go: channels, and people, with whom a conversation may begin. Which of them
// there are and in what order, what waits in them, and how one is offered in a list.

import { hrefOfName } from "../lib/addresses.js"
import { fitOf } from "../lib/choosing.js"
import { find, MOST_LISTED, stamp } from "../lib/page.js"
import { go } from "../shell/navigation.js"

/** @typedef {import("../net/users.js").Person} Person */

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
 * @property {boolean} starred
 * @property {boolean} hidden until it calls
 * @property {import("../shell/notifications.js").Bell} bell
 * @property {boolean} visited whether the user has been there
 */

/**
 * @typedef {object} Destination
 * @property {string} id the other one's, or the channel's
 * @property {"public" | "direct"} kind
 * @property {string} label
 * @property {string} href
 * @property {number} unread
 * @property {number} mentions
 * @property {string} lastAt RFC 3339, or nothing
 * @property {"online" | "offline" | "notes" | "gone" | ""} presence
 * @property {boolean} [bot] whether the other one is a program
 */

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
    mentions: 0,
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
  const known = channels.map(({ id, kind, label, href, unread, mentions, lastAt, user }) => {
    const partner = byId.get(user ?? "")
    /** @type {Destination["presence"]} */
    const presence = kind === "public" ? "" : partner ? presenceOf(partner, me) : "gone"
    return { id: user || id, kind, label, href, unread, mentions, lastAt, presence, bot: partner?.bot }
  })
  return [...known, ...peopleToWrite(people.filter(({ id }) => !met.has(id)), me)]
}

/** While there are at most so many public channels, the sidebar shows all of them, on the server too. */
const FEW_CHANNELS = 30

/**
 * The channels that the sidebar shows, in its order; `src/engine/sidebar.rs` has the same rule. The
 * open one; of the others, unless they are hidden, starred ones, direct conversations, and public
 * channels that the user has been to or is named in, or all of few. Where these are too many: the open
 * one, starred ones, those that call, and then whatever was said in last.
 *
 * @param {Known[]} channels
 * @param {string} open its id
 * @returns {Known[]}
 */
export function shownAmong(channels, open) {
  const few = channels.filter(({ kind }) => kind === "public").length <= FEW_CHANNELS
  const isListed = (/** @type {Known} */ { id, kind, starred, hidden, visited, mentions }) =>
    id === open || (!hidden && (few || kind === "direct" || starred || visited || mentions > 0))
  const rank = (/** @type {Known} */ channel) =>
    channel.id === open ? 0 : channel.starred ? 1 : waitingIn(channel).calls > 0 ? 2 : 3
  const listed = channels.filter(isListed)
  if (listed.length > MOST_LISTED) listed.sort((a, b) => rank(a) - rank(b) || later(a, b)).splice(MOST_LISTED)
  return listed.sort(inOrder)
}

/**
 * What happened in a channel, as the page knows it: one that is hidden shows itself again when it
 * calls, and where somebody has read all, they have been.
 *
 * @param {Known} before
 * @param {Pick<Known, "unread" | "mentions" | "lastAt">} told
 * @returns {Known}
 */
export function afterActivity(before, told) {
  const { kind, hidden, visited, lastAt, mentions } = before
  const calls = kind === "direct" ? told.lastAt > lastAt : told.mentions > mentions
  return { ...before, ...told, hidden: hidden && !calls, visited: visited || (told.unread === 0 && told.lastAt >= lastAt) }
}

/**
 * The sidebar's order: starred ones first; public ones by name, then direct conversations, latest
 * first, one in which nothing was said yet before all.
 *
 * @param {Known} a
 * @param {Known} b
 */
function inOrder(a, b) {
  const group = (/** @type {Known} */ { starred, kind }) => (starred ? 0 : 2) + (kind === "direct" ? 1 : 0)
  if (group(a) !== group(b)) return group(a) - group(b)
  if (a.kind === "public") return a.name < b.name ? -1 : 1
  return Number(b.lastAt === "") - Number(a.lastAt === "") || later(a, b)
}

/**
 * The public channels that fit what is typed, in name or topic, best first; among equals the latest.
 *
 * @template {Pick<import("../net/api.js").Channel, "name" | "topic" | "last_message_at">} C
 * @param {C[]} channels
 * @param {string} typed
 * @returns {C[]}
 */
export function channelsFitting(channels, typed) {
  const fit = (/** @type {C} */ { name, topic }) => {
    const inName = fitOf(name, typed)
    return inName >= 0 ? inName : fitOf(topic, typed) >= 0 ? 3 : -1
  }
  const at = (/** @type {C} */ { last_message_at }) => last_message_at ?? ""
  const rated = channels.map((channel) => ({ channel, fit: fit(channel) })).filter((each) => each.fit >= 0)
  const compare = (/** @type {string} */ a, /** @type {string} */ b) => Number(a > b) - Number(a < b)
  return rated
    .sort((a, b) => a.fit - b.fit || compare(at(b.channel), at(a.channel)) || compare(a.channel.name, b.channel.name))
    .map(({ channel }) => channel)
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
const NOTES = "Notes to self"

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

/**
 * The next channel, around the ends.
 *
 * @param {Known[]} channels in the sidebar's order
 * @param {string} open the id of the one that is open, which need not be among them
 * @param {1 | -1} step
 * @param {boolean} unreadOnly
 * @returns {Known | undefined}
 */
export function nextChannel(channels, open, step, unreadOnly) {
  const at = channels.findIndex(({ id }) => id === open)
  const after = [...channels.slice(at + 1), ...channels.slice(0, Math.max(at, 0))]
  const others = step === 1 ? after : after.toReversed()
  return others.find(({ unread }) => unread > 0 || !unreadOnly)
}

/**
 * @typedef {object} Waiting
 * @property {number} calls mentions, and what was said in a direct conversation
 * @property {number} rest everything else that is unread
 * @property {number} count what is shown: the calls, if there are any
 * @property {" mention" | " mentions" | " unread"} unit
 */

/**
 * What waits in a channel: the same number in the sidebar, the switcher, the title and the tab's icon.
 *
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

/** What an option says of whoever is there. */
const ASIDES = { online: "online", offline: "", gone: "signed out for good", notes: "", "": "" }

/** A place as an option of a list. @param {Destination} destination */
export function destinationOption(destination) {
  const { id, kind, label, href, presence, bot } = destination
  const { count, unit } = waitingIn(destination)
  const option = stamp("destination")
  Object.assign(option.dataset, { id, href })
  find(option, ".destination__sign").hidden = kind === "direct"
  const lamp = find(option, ".lamp")
  lamp.hidden = kind === "public"
  lamp.dataset.presence = presence
  find(option, ".destination__name").textContent = label
  find(option, ".bot").hidden = !bot
  find(option, ".destination__aside").textContent = count > 0 ? `${count}${unit}` : ASIDES[presence]
  return option
}

/** Goes to the place of an option, or opens it beside. @param {HTMLElement} option @param {Event} event */
export function goTo(option, event) {
  const { href = "" } = option.dataset
  const aside = /** @type {MouseEvent} */ (event).ctrlKey || /** @type {MouseEvent} */ (event).metaKey
  if (aside) window.open(href, "_blank", "noopener")
  else go(href)
}
