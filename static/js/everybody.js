// Everybody who holds a name, and whether they are online.

import { request } from "./api.js"
import { hear, say } from "./bus.js"

/** @typedef {import("./api.js").User & {online: boolean}} Person */

/** @type {Map<string, Person>} */
const people = new Map()

/** @type {Promise<boolean> | null} */
let reading = null

/** Whether there was a list: before that, who comes says nothing of who is there. */
let known = false

/** Whether people came and went unnamed since. */
let stale = false

/** As far as it is known: by name. */
export function everybody() {
  return [...people.values()].sort((a, b) => a.display_name.localeCompare(b.display_name))
}

/** @param {string | undefined} id */
export function personOf(id) {
  return id ? people.get(id) : undefined
}

/**
 * Asks who there is; whoever asks meanwhile gets the same answer.
 *
 * @returns {Promise<boolean>} whether there was one
 */
export function readEverybody() {
  reading ??= read().finally(() => (reading = null))
  return reading
}

async function read() {
  const { ok, body } = await request("GET", "/users")
  if (!ok) return false
  known = true
  stale = false
  people.clear()
  for (const person of body.users) people.set(person.id, person)
  say("everybody")
  return true
}

export function mountEverybody() {
  /** @param {{user: import("./api.js").User}} told @param {boolean} [online] */
  const change = ({ user }, online) => {
    if (!known) return
    if (stale && online !== undefined) return readEverybody()
    people.set(user.id, { ...user, online: online ?? people.get(user.id)?.online ?? false })
    say("everybody")
  }
  hear("everywhere-online", (told) => change(told, true))
  hear("everywhere-offline", (told) => change(told, false))
  hear("everywhere-presence", () => (stale = true))
  hear("everywhere-renamed", (told) => change(told))
  // Comings and goings are not told again.
  hear("everywhere-connection", ({ connected }) => connected && readEverybody())
}
