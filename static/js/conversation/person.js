// Somebody, as their partial shows them. Decides only. The server makes the same view
// (src/pages/views.rs).

import { hueOf, initials } from "../lib/avatar.js"
import { hrefOfName } from "../sidebar/destinations.js"

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
