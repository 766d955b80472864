// The lists of channels and of direct conversations, as they are now.

import { request } from "./api.js"
import { hear, say } from "./bus.js"
import { countOn, fillLink, knownOf, newLink, present } from "./channel-link.js"
import { everybody, personOf, readEverybody } from "./everybody.js"
import { here, part } from "./page.js"

/** @typedef {import("./api.js").Channel} Channel */

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
    return itemOf(link)
  }

  /** @param {"public" | "direct"} kind @param {Channel[]} channels */
  const arrange = (kind, channels) => {
    const items = channels.filter((channel) => channel.kind === kind).map(draw)
    const list = lists[kind]
    // Moving an element takes the focus from it, so only where something moved.
    if (items.some((item, at) => item !== list.children[at]) || items.length < list.childElementCount) {
      list.replaceChildren(...items)
    }
  }

  /** How much was heard: an answer that was on its way meanwhile is not the last word. */
  let heard = 0
  const read = async () => {
    const before = heard
    const { ok, body } = await request("GET", "/channels")
    if (!ok) return
    if (heard !== before) return read()
    arrange("public", body.channels)
    arrange("direct", body.channels)
    presentPartners()
  }

  /** The latest conversation stands first, without taking the focus from it. @param {Element} item */
  const toTop = (item) => {
    const focus = document.activeElement
    if (lists.direct.firstElementChild !== item) lists.direct.prepend(item)
    if (focus instanceof HTMLElement && item.contains(focus)) focus.focus()
  }

  hear("everywhere-channel-created", (channel) => {
    heard += 1
    const item = draw(channel)
    if (channel.kind === "direct") {
      toTop(item)
      return presentPartners()
    }
    const next = links().find(({ dataset }) => dataset.kind === "public" && (dataset.name ?? "") > channel.name)
    lists.public.insertBefore(item, next ? itemOf(next) : null)
    tell()
  })
  hear("everybody", presentPartners)
  // Whether somebody who went will come back only the list of everybody knows.
  hear("everywhere-offline", ({ user }) => {
    if (directs().some(({ dataset }) => dataset.user === user.id)) readEverybody()
  })
  hear("everywhere-channel-deleted", ({ name }) => {
    heard += 1
    links().filter(({ dataset }) => dataset.name === name).forEach((link) => itemOf(link).remove())
    tell()
  })
  hear("everywhere-activity", (activity) => {
    heard += 1
    const link = byId(activity.channel_id)
    if (!link) return read()
    const later = (activity.last_message_at ?? "") > (link.dataset.lastAt ?? "")
    link.dataset.lastAt = activity.last_message_at ?? ""
    countOn(link, activity)
    if (later && link.dataset.kind === "direct") toTop(itemOf(link))
    tell()
  })
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  tell()
}
