// The lists of channels and of direct conversations, as they are now.

import { hear, say } from "./bus.js"
import { countOn, fillLink, knownOf, newLink, present } from "./channel-link.js"
import { everybody, personOf, readEverybody } from "./everybody.js"
import { Listing } from "./listing.js"
import { here, part } from "./page.js"

/** @typedef {import("./api.js").Channel} Channel */

const compare = (a = "", b = "") => Number(a > b) - Number(a < b)

/** @type {Record<string, (a: HTMLElement, b: HTMLElement) => number>} */
const ORDERS = {
  public: (a, b) => compare(a.dataset.name, b.dataset.name),
  direct: (a, b) => compare(b.dataset.lastAt, a.dataset.lastAt),
}

/** @param {HTMLElement} nav */
export function mountChannels(nav) {
  const lists = { public: part(nav, "public"), direct: part(nav, "direct") }
  const { channel: open, user: me } = here()

  const links = () => [...nav.querySelectorAll(/** @type {"a"} */ (".channel-link"))]
  const directs = () => links().filter(({ dataset }) => dataset.kind === "direct")
  /** @param {string} id */
  const byId = (id) => links().find((link) => link.dataset.id === id)
  /** @param {Element} link */
  const itemOf = (link) => /** @type {HTMLElement} */ (link.closest("li"))

  const tell = () => {
    say("unread-elsewhere", links().filter((link) => "unread" in link.dataset).length)
    say("channels", links().map(knownOf))
  }

  /** As far as everybody is known. */
  const presentPartners = () => {
    if (everybody().length > 0) for (const link of directs()) present(link, personOf(link.dataset.user), me)
    tell()
  }

  /** @param {Channel} channel */
  const draw = (channel) => {
    const link = byId(channel.id) ?? newLink()
    fillLink(link, channel, open)
    return link
  }

  /** By name, and the latest conversation first. @param {Iterable<HTMLAnchorElement>} shown */
  const arrange = (shown) => {
    const focus = document.activeElement
    for (const [kind, list] of Object.entries(lists)) {
      const items = [...shown].filter(({ dataset }) => dataset.kind === kind).sort(ORDERS[kind]).map(itemOf)
      // Moving an element takes the focus from it, so only where something moved.
      if (items.some((item, at) => item !== list.children[at]) || items.length < list.childElementCount) {
        list.replaceChildren(...items)
      }
    }
    if (focus !== document.activeElement && focus instanceof HTMLElement) focus.focus()
  }

  const listing = new Listing("/channels", ({ channels }, heard) => {
    const told = channels.filter((/** @type {Channel} */ { id, name }) => !heard.has(id) && !heard.has(name)).map(draw)
    arrange([...told, ...links().filter(({ dataset }) => heard.has(dataset.id ?? ""))])
    presentPartners()
  })
  const read = () => listing.read()

  hear("everywhere-channel-created", (channel) => {
    listing.heard(channel.id)
    arrange(new Set([...links(), draw(channel)]))
    presentPartners()
  })
  hear("everybody", presentPartners)
  // Whether somebody who went will come back only the list of everybody knows.
  hear("everywhere-offline", ({ user }) => {
    if (directs().some(({ dataset }) => dataset.user === user.id)) readEverybody()
  })
  hear("everywhere-channel-deleted", ({ name }) => {
    // No more is told of one that is gone, and it need not be in the list yet.
    listing.heard(name)
    links().filter(({ dataset }) => dataset.name === name).forEach((link) => itemOf(link).remove())
    tell()
  })
  hear("everywhere-activity", (activity) => {
    const link = byId(activity.channel_id)
    if (!link) return read()
    listing.heard(activity.channel_id)
    link.dataset.lastAt = activity.last_message_at ?? ""
    countOn(link, activity)
    arrange(links())
    tell()
  })
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  tell()
}
