// The list of channels, as it is now.

import { request } from "./api.js"
import { hear, say } from "./bus.js"
import { find, part, stamp } from "./page.js"

/** @typedef {import("./api.js").Channel} Channel */

/** @param {HTMLElement} nav */
export function mountChannels(nav) {
  const list = part(nav, "list")
  const here = nav.dataset.channel

  const links = () => [...list.querySelectorAll(/** @type {"a"} */ (".channel-link"))]
  /** @param {string} id */
  const byId = (id) => links().find((link) => link.dataset.id === id)
  /** @param {HTMLElement} link */
  const remove = (link) => link.closest("li")?.remove()
  const countUnread = () => say("unread-elsewhere", links().filter((link) => "unread" in link.dataset).length)

  /**
   * @param {HTMLElement} link
   * @param {number} unread
   */
  const count = (link, unread) => {
    const shown = link.dataset.id === here ? 0 : unread
    part(link, "unread").textContent = String(shown)
    find(link, ".channel-link__count").hidden = shown === 0
    link.toggleAttribute("data-unread", shown > 0)
  }

  /** @param {Channel} channel */
  const draw = (channel) => {
    const link = byId(channel.id) ?? /** @type {HTMLAnchorElement} */ (find(stamp("channel"), "a"))
    Object.assign(link.dataset, { id: channel.id, name: channel.name, kind: channel.kind })
    link.href = `/channels/${encodeURIComponent(channel.name)}`
    find(link, ".channel-link__name").textContent = channel.name
    count(link, channel.unread)
    return /** @type {HTMLElement} */ (link.closest("li"))
  }

  const read = async () => {
    const { ok, body } = await request("GET", "/channels")
    if (!ok) return
    const items = body.channels.map(draw)
    // Moving an element takes the focus from it, so only where something moved.
    if (items.some((item, at) => item !== list.children[at]) || items.length < list.childElementCount) {
      list.replaceChildren(...items)
    }
    countUnread()
  }

  hear("everywhere-channel-created", (channel) => {
    const next = links().find(({ dataset }) => dataset.kind !== "public" || (dataset.name ?? "") > channel.name)
    list.insertBefore(draw(channel), next?.closest("li") ?? null)
    countUnread()
  })
  // A direct conversation is called after the other user.
  hear("everywhere-renamed", () => {
    if (links().some(({ dataset }) => dataset.kind === "direct")) read()
  })
  hear("everywhere-channel-deleted", ({ name }) => {
    links().filter(({ dataset }) => dataset.name === name).forEach(remove)
    countUnread()
  })
  hear("everywhere-activity", ({ channel_id, unread }) => {
    const link = byId(channel_id)
    if (!link) return read()
    count(link, unread)
    countUnread()
  })
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  countUnread()
}
