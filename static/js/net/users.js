// Everybody who holds a name, and whether they are online.

import { say } from "../lib/mounting.js"
import { Listing } from "./api.js"

/** @typedef {import("./api.js").User & {online: boolean}} Person */

/** @type {Map<string, Person>} */
let usersById = new Map()

/** Whether there was a list: before that, who comes says nothing of who is there. */
let isKnown = false

const listing = new Listing("/users", ({ users }, heard) => {
  const kept = [...usersById.values()].filter(({ id }) => heard.has(id))
  usersById = new Map([...users, ...kept].map((person) => [person.id, person]))
  isKnown = true
  say("everybody")
})

const NAME_ORDER = new Intl.Collator()

export const knowsEverybody = () => isKnown

/** As far as it is known: by name. */
export function everybody() {
  return isKnown ? [...usersById.values()].sort((a, b) => NAME_ORDER.compare(a.display_name, b.display_name)) : []
}

/** @param {string | undefined} id */
export function personOf(id) {
  return id ? usersById.get(id) : undefined
}

/**
 * Asks who there is.
 *
 * @returns {Promise<boolean>} whether there was an answer
 */
export function readEverybody() {
  return listing.read()
}

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
export function mountEverybody(_, { hear }) {
  /** @param {{user: import("./api.js").User}} told @param {boolean} [now] */
  const change = ({ user }, now) => {
    const online = now ?? usersById.get(user.id)?.online
    if (online === undefined || (listing.stale && now !== undefined)) return readEverybody()
    listing.heard(user.id)
    usersById.set(user.id, { ...user, online })
    say("everybody")
  }
  hear("everywhere-online", (told) => change(told, true))
  hear("everywhere-offline", (told) => {
    change(told, false)
    // Or gone for good, as only a later answer tells.
    listing.again = true
  })
  hear("everywhere-presence", () => (listing.stale = true))
  hear("everywhere-renamed", (told) => change(told))
  // Comings and goings are not told again.
  hear("everywhere-connection", ({ connected }) => connected && readEverybody())
}
