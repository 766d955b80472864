// The direct conversation that is open: called after the other one, whatever they are called now.

import { say } from "../lib/mounting.js"
import { find, here, part } from "../lib/page.js"
import { knowsEverybody, personOf } from "../net/users.js"
import { hrefOf, labelOf } from "../sidebar/destinations.js"

/** @param {HTMLElement} view @param {import("../lib/mounting.js").Life} life */
export function mountDirect(view, { hear }) {
  const { channel, kind, user: me } = here()
  if (kind !== "direct") return

  const draw = () => {
    // Nobody is known yet, oneself included.
    if (!knowsEverybody()) return
    const direct = { id: channel, name: view.dataset.name ?? "" }
    const partner = personOf(view.dataset.with)
    if (partner) view.dataset.name = `@${partner.display_name}`
    const title = labelOf(direct, partner, me)
    view.dataset.title = title
    part(view, "title").textContent = title
    find(view, '[data-mount~="scroll"]').ariaLabel = `Messages in ${title}`
    say("titled")
    part(view, "lamp").dataset.presence = partner?.online ? "online" : "offline"
    part(view, "lamp").hidden = !partner || partner.id === me
    depart(part(view, "departed"), partner ? "" : title)
    history.replaceState(history.state, "", hrefOf(direct, partner) + location.search + location.hash)
    view.dataset.address = location.pathname
  }

  hear("everybody", draw)
  draw()
}

/**
 * Whoever signed out for good reads nothing any more.
 *
 * @param {HTMLElement} line
 * @param {string} who nobody, while the partner holds their name
 */
function depart(line, who) {
  const words = who && `${who} has signed out for good. What was said here stays readable to you.`
  if (line.textContent !== words) line.textContent = words
  line.hidden = !who
  if (who) say("departed")
}
