// Whose page this is: another tab may sign out, come in as somebody else, or take another name. Signing
// out leaves nothing of one's own on this device.

import { forget, move, onRemembered, recall, remember } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { here } from "../lib/page.js"
import { request } from "../net/api.js"

/**
 * Notices when another tab changes whose page it is.
 *
 * @param {HTMLElement} room
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSession(room, { hear, on }) {
  const { user, userName } = here()
  inherit(user, userName)
  remember("session", user)

  const look = async () => {
    const { ok, status, body } = await request("GET", "/session")
    // The same address shows the way in, or the page of whoever it is now.
    if (status === 401 || (ok && body.user.id !== user)) location.reload()
    else if (ok && body.user.display_name !== room.dataset.userName) say("renamed", body.user)
  }
  onRemembered("session", look)
  hear("who-am-i", look)
  on(document, "visibilitychange", () => !document.hidden && look())
  let name = userName
  hear("renamed", (renamed) => {
    if (renamed.id !== user) return
    // Whoever takes the old name inherits nothing.
    remember(holderOf(name), null)
    name = renamed.display_name
    remember(holderOf(name), user)
  })
}

/**
 * What was not sent outlives a session that ended by itself, or from elsewhere: it comes back for
 * the same name, the only thing that the two have in common, and is not shown to anybody else on
 * this browser. Signing out here forgets it.
 *
 * @param {string} user
 * @param {string} name
 */
function inherit(user, name) {
  const before = recall(holderOf(name))
  if (before && before !== user) for (const what of ["draft", "reply", "outbox", "bell"]) move(`${what}.${before}.`, `${what}.${user}.`)
  remember(holderOf(name), user)
}

/** Where it stands who held a name last. @param {string} name */
function holderOf(name) {
  return `holder.${name.toLowerCase()}`
}

/**
 * Signs out: nothing of one's own stays behind on this device, what was not sent least of all.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSignOut(form, { on }) {
  on(form, "submit", () => {
    const { kind, user, userName } = here()
    for (const what of ["draft", "reply", "outbox", "told", "bell"]) forget(`${what}.${user}.`)
    forget(`notify.${user}`)
    remember(holderOf(userName), null)
    // To whoever signs in next, somebody else's conversation is not there.
    if (kind === "direct") remember("channel", null)
  })
}
