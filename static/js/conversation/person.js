// Somebody, as their partial in the list of who is here and their card show them. Decides only. The
// server makes the same view for the list (src/pages/views.rs).

import { hrefOfName } from "../lib/addresses.js"
import { hueOf, initials } from "../lib/avatar.js"

const PRESENCES = { online: "Online", offline: "Not online", "": "" }

/**
 * @param {import("../net/api.js").User} user
 * @param {string} me
 */
export function personView({ id, display_name: name, bot = false }, me) {
  return {
    id,
    name,
    initials: initials(name),
    hue: hueOf(id),
    href: hrefOfName(name),
    aside: id === me ? "you" : "Message",
    is_bot: bot,
  }
}

/**
 * Somebody as their card shows them.
 *
 * @param {{id: string, name: string, bot?: boolean}} named as they are named where one pressed
 * @param {import("../net/users.js").Person | undefined} person as they are known now
 * @param {boolean} isKnown whether everybody is
 * @param {string} me
 */
export function cardView(named, person, isKnown, me) {
  const name = person?.display_name ?? named.name
  const isMe = named.id === me
  const isGone = isKnown && !person
  const presence = isMe || !person ? "" : person.online ? "online" : "offline"
  return {
    name,
    initials: initials(name),
    hue: hueOf(named.id),
    is_bot: person?.bot ?? named.bot ?? false,
    is_me: isMe,
    presence,
    words: isMe ? "This is you." : isGone ? "Signed out for good." : PRESENCES[presence],
    href: isGone ? "" : hrefOfName(name),
    write: isMe ? "Notes to self" : "Message",
  }
}
