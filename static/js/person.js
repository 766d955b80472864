// Somebody, as their partial shows them. Decides only. The server makes the same view
// (src/pages/views.rs).

import { hueOf, initials } from "./avatar.js"
import { hrefOfName } from "./destinations.js"

/**
 * @param {import("./api.js").User} user
 * @param {string} me
 */
export function personView({ id, display_name: name }, me) {
  return {
    id,
    name,
    initials: initials(name),
    hue: hueOf(id),
    href: hrefOfName(name),
    aside: id === me ? "you" : "Message",
  }
}
