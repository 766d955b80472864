// The channels and direct conversations that the user can see: all of them as the page knows them,
// and the sidebar's lists of those that are shown.

import { hear, say } from "./bus.js"
import { countOn, fillLink, knownFrom, knownOf, newLink, present } from "./channel-link.js"
import { hrefOf, labelOf, shownAmong } from "./destinations.js"
import { knowsEverybody, personOf, readEverybody } from "./everybody.js"
import { Listing } from "./listing.js"
import { here, part, tellRest } from "./page.js"

/** @typedef {import("./api.js").Channel} Channel */
/** @typedef {import("./destinations.js").Known} Known */

const compare = (a = "", b = "") => Number(a > b) - Number(a < b)

/** By name, and the latest conversation first. @type {Record<string, (a: Known, b: Known) => number>} */
const ORDERS = {
  public: (a, b) => compare(a.name, b.name),
  direct: (a, b) => compare(b.lastAt, a.lastAt),
}

/** @param {HTMLElement} nav */
export function mountChannels(nav) {
  const { channel: open, user: me } = here()

  const links = () => [...nav.querySelectorAll(/** @type {"a"} */ (".channel-link"))]
  /** @param {Known[]} channels */
  const byId = (channels) => new Map(channels.map((channel) => [channel.id, channel]))
  let known = byId(links().map(knownOf))
  /** @param {string} kind */
  const allOf = (kind) => [...known.values()].filter((channel) => channel.kind === kind).sort(ORDERS[kind])

  const tell = () => {
    const all = [...allOf("public"), ...allOf("direct")]
    say("unread-elsewhere", all.filter(({ id, unread }) => id !== open && unread > 0).length)
    say("channels", all)
  }

  /** @param {Known} channel @param {HTMLAnchorElement} [link] */
  const draw = (channel, link = newLink()) => {
    fillLink(link, channel, open)
    if (channel.kind === "direct" && knowsEverybody()) present(link, personOf(channel.user), me)
    return link
  }

  /** Puts the links of those that are shown in order. @param {boolean} [anew] whether to draw all */
  const arrange = (anew) => {
    const focus = document.activeElement
    const drawn = new Map(links().map((link) => [link.dataset.id ?? "", link]))
    const shown = new Set(shownAmong([...known.values()], open))
    for (const kind of ["public", "direct"]) {
      const list = part(nav, kind)
      const all = allOf(kind)
      const items = all.filter((channel) => shown.has(channel)).map((channel) => {
        const link = drawn.get(channel.id)
        return /** @type {Element} */ ((link && !anew ? link : draw(channel, link)).closest("li"))
      })
      // Moving an element takes the focus from it, so only where something moved.
      if (items.some((item, at) => item !== list.children[at]) || items.length < list.childElementCount) {
        list.replaceChildren(...items)
      }
      tellRest(part(nav, `${kind}-rest`), all.length - items.length, ": search finds them")
    }
    if (focus !== document.activeElement && focus instanceof HTMLElement) focus.focus()
    tell()
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

  const listing = new Listing("/channels", ({ channels }, heard) => {
    const told = channels.filter((/** @type {Channel} */ { id, name }) => !heard.has(id) && !heard.has(name)).map(knownFrom)
    known = byId([...told, ...[...known.values()].filter(({ id }) => heard.has(id))])
    meetPartners()
    arrange(true)
  })
  const read = () => listing.read()

  hear("everywhere-channel-created", (channel) => {
    listing.heard(channel.id)
    known.set(channel.id, knownFrom(channel))
    meetPartners()
    arrange()
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
    const channel = { ...before, unread, mentions, lastAt: last_message_at ?? "" }
    known.set(channel_id, channel)
    const link = links().find(({ dataset }) => dataset.id === channel.id)
    if (link) countOn(link, channel)
    arrange()
  })
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  // In a long list the open one may be far down.
  links().find(({ dataset }) => dataset.id === open)?.scrollIntoView({ block: "nearest" })
  tell()
}
