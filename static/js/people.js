// Who is here.

import { channelPath, request } from "./api.js"
import { hear } from "./bus.js"
import { hrefOfName } from "./directs.js"
import { initial } from "./message.js"
import { find, here, part, stamp } from "./page.js"

/** @typedef {import("./api.js").User} User */

/** @param {HTMLElement} people */
export function mountPeople(people) {
  const list = part(people, "list")
  const count = part(people, "count")
  const { channel, user: me } = here()

  /** @param {string} id */
  const byId = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`)

  /** @param {User} user */
  const draw = (user) => {
    const person = stamp("person")
    const link = /** @type {HTMLAnchorElement} */ (find(person, "a"))
    const name = find(person, ".person__name")
    const avatar = find(person, ".avatar")
    person.dataset.id = user.id
    name.dataset.nameOf = user.id
    name.textContent = user.display_name
    avatar.dataset.avatarOf = user.id
    avatar.textContent = initial(user.display_name)
    find(person, ".person__aside").textContent = user.id === me ? "you" : "Message"
    link.href = hrefOfName(user.display_name)
    return person
  }

  hear("renamed", (user) => {
    const link = byId(user.id)?.querySelector("a")
    if (link) link.href = hrefOfName(user.display_name)
  })
  /** Whether people came and went unnamed since it was asked who is here. */
  let stale = false
  const read = async () => {
    stale = false
    const { ok, body } = await request("GET", channelPath(channel))
    if (!ok) return
    count.textContent = String(body.online.length)
    list.replaceChildren(...body.online.map(draw))
  }

  hear("joined", ({ user, online }) => {
    count.textContent = String(online)
    if (stale) read()
    else if (!byId(user.id)) list.append(draw(user))
  })
  hear("left", ({ user, online }) => {
    count.textContent = String(online)
    if (stale) read()
    else byId(user.id)?.remove()
  })
  // Where many are, only how many is told.
  hear("presence", ({ online }) => {
    count.textContent = String(online)
    stale = true
  })
  // Comings and goings are not told again: after a gap, ask who is here.
  hear("connection", ({ connected }) => connected && read())
}
