// Who is here.

import { personView } from "./person.js"
import { hrefOfName } from "../lib/addresses.js"
import { drawn, here, MOST_LISTED, part, tellRest } from "../lib/page.js"
import { channelPath, Listing } from "../net/api.js"

/** @typedef {import("../net/api.js").User} User */

/** @param {HTMLElement} people @param {import("../lib/mounting.js").Life} life */
export function mountPeople(people, { hear }) {
  const list = part(people, "list")
  const count = part(people, "count")
  const rest = part(people, "rest")
  const { channel, user: me } = here()

  /** @param {string} id */
  const byId = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`)

  /** @param {User} user */
  const draw = (user) => drawn("person", personView(user, me))

  const listing = new Listing(channelPath(channel), ({ online }, heard) => {
    const told = online.filter((/** @type {User} */ { id }) => !heard.has(id))
    const kept = [...list.querySelectorAll(/** @type {"li"} */ (".person"))].filter(({ dataset }) => heard.has(dataset.id ?? ""))
    list.replaceChildren(...told.slice(0, MOST_LISTED).map(draw), ...kept, rest)
    tellRest(rest, told.length - MOST_LISTED)
    if (!listing.stale) count.textContent = String(told.length + kept.length)
  })

  /** @param {(user: User) => void} change */
  const heardOf = (change) => (/** @type {{user: User, online: number}} */ { user, online }) => {
    count.textContent = String(online)
    if (listing.stale) return listing.read()
    listing.heard(user.id)
    change(user)
  }

  hear("renamed", (user) => {
    const link = byId(user.id)?.querySelector("a")
    // The answer on its way may have them, under their old name.
    if (!link) return (listing.again = true)
    listing.heard(user.id)
    link.href = hrefOfName(user.display_name)
  })
  hear("joined", heardOf((user) => byId(user.id) ?? rest.before(draw(user))))
  hear("left", heardOf((user) => byId(user.id)?.remove()))
  // Where many are, only how many is told.
  hear("presence", ({ online }) => {
    count.textContent = String(online)
    listing.stale = true
  })
  // Comings and goings are not told again: after a gap, ask who is here.
  hear("connection", ({ connected }) => connected && listing.read())
}
