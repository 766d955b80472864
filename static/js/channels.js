// The list of channels, as it is now.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"

/** Reading is reported at most this often. */
const READ_MS = 800

/** @param {HTMLElement} nav */
export function mountChannels(nav) {
  const list = /** @type {HTMLElement} */ (nav.querySelector('[data-part="list"]'))
  const template = /** @type {HTMLTemplateElement} */ (nav.querySelector("template"))
  const here = nav.dataset.channel ?? ""

  const links = () => /** @type {HTMLAnchorElement[]} */ ([...list.querySelectorAll(".channel-link")])
  const byId = (id) => links().find((link) => link.dataset.id === id)

  const count = (link, unread) => {
    const badge = /** @type {HTMLElement} */ (link.querySelector(".channel-link__count"))
    const shown = link.dataset.id === here ? 0 : unread
    badge.hidden = shown === 0
    badge.firstChild?.nodeType === Node.TEXT_NODE && badge.firstChild.remove()
    badge.prepend(String(shown))
    link.toggleAttribute("data-unread", shown > 0)
  }

  const draw = (channel) => {
    let link = byId(channel.id)
    if (!link) {
      const item = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
      link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"))
      Object.assign(link.dataset, { id: channel.id, name: channel.name })
      link.href = `/channels/${encodeURIComponent(channel.name)}`
      link.querySelector(".channel-link__name").textContent = channel.name
      const next = links().find((other) => (other.dataset.name ?? "") > channel.name)
      list.insertBefore(item, next?.closest("li") ?? null)
    }
    count(link, channel.unread)
  }

  const read = async () => {
    const { ok, body } = await request("GET", "/channels")
    if (!ok) return
    const known = new Set(body.channels.map((channel) => channel.id))
    links().filter((link) => !known.has(link.dataset.id)).forEach((link) => link.closest("li")?.remove())
    body.channels.forEach(draw)
  }

  hear("everywhere-channel-created", draw)
  hear("everywhere-channel-deleted", ({ name }) => {
    links().find((link) => link.dataset.name === name)?.closest("li")?.remove()
  })
  hear("everywhere-activity", ({ channel_id, unread }) => {
    const link = byId(channel_id)
    if (link) count(link, unread)
  })
  hear("everywhere-reset", read)
  hear("channels-stale", read)
  hear("channel-updated", ({ topic }) => {
    const line = /** @type {HTMLElement} */ (document.querySelector('[data-part="topic"]'))
    line.textContent = topic
    line.hidden = topic === ""
  })
  hear("everywhere-renamed", ({ user }) => say("renamed", user))
  reportReading(here)
}

/** Tells the server up to where this channel is read: to its end, while it is looked at. */
function reportReading(channel) {
  let timer = 0
  let reported = /** @type {string | undefined} */ (undefined)
  const report = () => {
    const messages = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".message[data-seq]")])
    const last = messages.at(-1)?.dataset.id
    if (document.hidden || !last || last === reported) return
    reported = last
    request("PUT", `${channelPath(channel)}/read`, { message: last })
  }
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(report, READ_MS)
  }
  hear("drawn", soon)
  document.addEventListener("visibilitychange", soon)
  soon()
}
