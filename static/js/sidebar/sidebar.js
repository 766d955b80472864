// The sidebar: the channels and direct conversations that the user can see, all of them as the page knows
// them, and the lists of those that are shown. On a small screen it is a drawer.

import { segment } from "../lib/addresses.js"
import { recall } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { fill, find, here, part, stamp, tellRest } from "../lib/page.js"
import { Listing } from "../net/api.js"
import { knowsEverybody, personOf, readEverybody } from "../net/users.js"
import { afterActivity, hrefOf, labelOf, shownAmong, waitingIn } from "./destinations.js"

/** @typedef {import("../net/api.js").Channel} Channel */
/** @typedef {import("./destinations.js").Known} Known */

const ascending = (a = "", b = "") => Number(a > b) - Number(a < b)

/** By name, and the latest conversation first. @type {Record<string, (a: Known, b: Known) => number>} */
const ORDERS = {
  public: (a, b) => ascending(a.name, b.name),
  direct: (a, b) => ascending(b.lastAt, a.lastAt),
}

/** The lists of the sidebar. @type {[string, (channel: Known) => boolean][]} */
const GROUPS = [
  ["starred", ({ starred }) => starred],
  ["public", ({ starred, kind }) => !starred && kind === "public"],
  ["direct", ({ starred, kind }) => !starred && kind === "direct"],
]

/**
 * The lists of channels and direct conversations.
 *
 * @param {HTMLElement} nav
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountChannels(nav, { hear, on }) {
  const { user: me } = here()

  const links = () => [...nav.querySelectorAll(/** @type {"a"} */ (".channel-link"))]
  /** @param {Known[]} channels */
  const byId = (channels) => new Map(channels.map((channel) => [channel.id, channel]))
  let known = byId(links().map(knownOf))
  /** Whether all channels are known, not only those that the server drew. */
  let isComplete = false
  /** @param {string} kind */
  const allOf = (kind) => [...known.values()].filter((channel) => channel.kind === kind).sort(ORDERS[kind])

  const tell = () => {
    const all = [...allOf("public"), ...allOf("direct")]
    const shown = shownAmong(all, here().channel)
    say("unread-elsewhere", shown.filter(({ id, unread }) => id !== here().channel && unread > 0).length)
    say("channels", all)
    say("listed", shown)
  }

  /** @param {Known} channel @param {HTMLAnchorElement} [link] */
  const draw = (channel, link = newLink()) => {
    fillLink(link, channel, here().channel)
    if (channel.kind === "direct" && knowsEverybody()) present(link, personOf(channel.user), me)
    return link
  }

  /** Puts the links of those that are shown in order. @param {boolean} [anew] whether to draw all */
  const arrange = (anew) => {
    const focus = document.activeElement
    const drawn = new Map(links().map((link) => [link.dataset.id ?? "", link]))
    const shown = shownAmong([...known.values()], here().channel)
    for (const [group, isIn] of GROUPS) {
      const list = part(nav, group)
      const items = shown.filter(isIn).map((channel) => {
        const link = drawn.get(channel.id)
        return /** @type {Element} */ ((link && !anew ? link : draw(channel, link)).closest("li"))
      })
      // Moving an element takes the focus from it, so only where something moved.
      if (items.some((item, at) => item !== list.children[at]) || items.length < list.childElementCount) {
        list.replaceChildren(...items)
      }
      if (group === "starred") list.hidden = find(nav, "#starred_title").hidden = items.length === 0
    }
    if (isComplete) {
      const { length: directs } = shown.filter(({ kind }) => kind === "direct")
      tellRest(part(nav, "direct-rest"), allOf("direct").length - directs, ": search finds them")
      part(nav, "total").textContent = String(allOf("public").length)
    }
    markDrafts()
    if (focus !== document.activeElement && focus instanceof HTMLElement) focus.focus()
    tell()
  }

  /** What was begun elsewhere and not sent. */
  const markDrafts = () => {
    const { channel: open } = here()
    for (const link of links()) {
      const { id } = link.dataset
      fill(link, { is_draft: id !== open && recall(`draft.${me}.${id}`) !== null })
    }
  }

  /** A conversation that is open stands here at once, also before anything was said in it. */
  const meetOpen = () => {
    const { channel: id, kind, name, title } = here()
    if (!id || known.has(id)) return
    const { with: user } = find(document, ".view").dataset
    const href = `/channels/${kind === "public" ? encodeURIComponent(name) : `id:${id}`}`
    known.set(id, { id, name, kind: kind === "direct" ? "direct" : "public", href, label: title, user, lastAt: "", unread: 0, mentions: 0, starred: false, hidden: false, bell: kind === "direct" ? "everything" : "mentions", visited: true })
    meetPartners()
  }

  /** The link of the channel that is open is the current one, and counts nothing. */
  const mark = () => {
    const { channel: open } = here()
    meetOpen()
    const entered = known.get(open)
    if (entered) entered.visited = true
    for (const link of links()) {
      const channel = known.get(link.dataset.id ?? "")
      const isOpen = link.dataset.id === open
      if (!channel || isOpen === link.hasAttribute("aria-current")) continue
      fillLink(link, channel, open)
    }
    arrange()
    // Once all has changed: in between, the whole page would be laid out for it.
    requestAnimationFrame(() => nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }))
  }

  /** As far as everybody is known. */
  const meetPartners = () => {
    if (!knowsEverybody()) return
    for (const channel of allOf("direct")) {
      const partner = personOf(channel.user)
      if (partner) channel.name = `@${partner.display_name}`
      Object.assign(channel, { label: labelOf(channel, partner, me), href: hrefOf(channel, partner) })
    }
  }

  /** A channel as the server tells of it, with what the page knows. @param {Channel} channel */
  const meet = (channel) => knownFrom(channel, known.get(channel.id)?.visited || channel.created_by?.id === me)

  const listing = new Listing("/channels", ({ channels }, heard) => {
    const told = channels.filter((/** @type {Channel} */ { id, name }) => !heard.has(id) && !heard.has(name)).map(meet)
    known = byId([...told, ...[...known.values()].filter(({ id }) => heard.has(id))])
    isComplete = true
    meetPartners()
    meetOpen()
    arrange(true)
  })
  const read = () => listing.read()

  hear("everywhere-channel-created", (channel) => {
    listing.heard(channel.id)
    known.set(channel.id, meet(channel))
    meetPartners()
    arrange()
  })
  hear("everywhere-channel-updated", (channel) => {
    listing.heard(channel.id)
    known.set(channel.id, meet(channel))
    meetPartners()
    arrange(true)
  })
  hear("everybody", () => {
    meetPartners()
    arrange(true)
  })
  // Whether somebody who went will come back only the list of everybody knows.
  hear("everywhere-offline", ({ user }) => {
    if (allOf("direct").some((channel) => channel.user === user.id)) readEverybody()
  })
  hear("everywhere-channel-deleted", ({ name }) => {
    // No more is told of one that is gone, and it need not be in the list yet.
    listing.heard(name)
    for (const channel of known.values()) if (channel.name === name) known.delete(channel.id)
    arrange()
  })
  hear("everywhere-activity", (activity) => {
    const { channel_id, unread, mentions, last_message_at } = activity
    const before = known.get(channel_id)
    if (!before) return read()
    listing.heard(channel_id)
    // Others compare with what they were told before.
    const channel = afterActivity(before, { unread, mentions, lastAt: last_message_at ?? "" })
    known.set(channel_id, channel)
    const link = links().find(({ dataset }) => dataset.id === channel.id)
    if (link) fillLink(link, channel, here().channel)
    arrange()
  })
  hear("opened", mark)
  // What a view shows of its channel may have changed since it was drawn.
  hear("entered", tell)
  on(window, "storage", markDrafts)
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  arrange()
}

/** A channel's link, made from the one partial that also the server draws with. @returns {HTMLAnchorElement} */
function newLink() {
  return /** @type {HTMLAnchorElement} */ (find(stamp("channel"), "a"))
}

/**
 * Shows a channel in its link.
 *
 * @param {HTMLAnchorElement} link
 * @param {Known} channel
 * @param {string} here the id of the channel that is open
 */
function fillLink(link, channel, here) {
  const { user = "", lastAt } = channel
  const current = channel.id === here ? "page" : null
  fill(link, { ...channel, user, last_at: lastAt, current, ...waiting(channel, current !== null) })
}

/**
 * What depends on the other one of a direct conversation.
 *
 * @param {HTMLAnchorElement} link
 * @param {import("../net/users.js").Person | undefined} partner unless they have left for good
 * @param {string} me
 */
function present(link, partner, me) {
  const presence = partner ? (partner.online ? "online" : "offline") : "gone"
  const isMe = partner?.id === me
  fill(link, { presence: isMe ? "notes" : presence, presence_words: isMe ? "" : `, ${PRESENCE_WORDS[presence]}` })
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
function knownFrom({ id, name, kind, with: partner, last_message_at, unread, mentions, mine }, visited) {
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
function knownOf(link) {
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

const PRESENCE_WORDS = { online: "online", offline: "offline", gone: "signed out for good" }

/**
 * The sidebar on a small screen: a page of its own, reached by its address, so that the browser's way back
 * closes it and it works without a script. Here: nothing behind it can be reached, and Escape closes it.
 *
 * @param {HTMLElement} drawer
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDrawer(drawer, { hear, on }) {
  const behind = find(document, "main")
  const close = part(drawer, "close")
  /** The stylesheet shows the way out exactly where the sidebar covers the page. */
  const covers = () => location.hash === `#${drawer.id}` && getComputedStyle(close).display !== "none"
  const look = () => {
    const wasOpen = behind.inert
    behind.inert = covers()
    if (!wasOpen && behind.inert) drawer.focus()
    if (wasOpen && !behind.inert) find(behind, '[data-mount~="menu"]').focus()
  }

  on(window, "hashchange", look)
  on(window, "resize", look)
  hear("opened", look)
  on(document, "keydown", ({ key }) => {
    if (key === "Escape" && behind.inert) close.click()
  })
  look()
}

/**
 * @param {HTMLElement} menu tells that there is something unread behind it
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountMenu(menu, { hear }) {
  hear("unread-elsewhere", (channels) => {
    part(menu, "news").hidden = channels === 0
    menu.toggleAttribute("data-unread", channels > 0)
  })
}
