// The direct conversation that is open: called after the other one, whatever they are called now.

import { hear, say } from "./bus.js"
import { hrefOf, labelOf, NOTES } from "./destinations.js"
import { knowsEverybody, personOf } from "./everybody.js"
import { find, here, part } from "./page.js"

/** @param {HTMLElement} main */
export function mountDirect(main) {
  const room = find(document, '[data-mount~="room"]')
  const { channel, kind, user: me } = here()
  if (kind !== "direct") return

  const draw = () => {
    // Nobody is known yet, oneself included.
    if (!knowsEverybody()) return
    const direct = { id: channel, name: room.dataset.name ?? "" }
    const partner = personOf(room.dataset.with)
    if (partner) room.dataset.name = `@${partner.display_name}`
    const title = labelOf(direct, partner, me)
    name(main, title)
    say("titled", title)
    part(main, "lamp").dataset.presence = partner?.online ? "online" : "offline"
    part(main, "lamp").hidden = !partner || partner.id === me
    depart(main, partner ? "" : title)
    history.replaceState(history.state, "", hrefOf(direct, partner) + location.search + location.hash)
  }

  hear("everybody", draw)
}

/**
 * @param {HTMLElement} main
 * @param {string} title
 */
function name(main, title) {
  const words = title === NOTES ? NOTES.toLowerCase() : title
  part(main, "title").textContent = title
  find(main, '[data-mount~="scroll"]').ariaLabel = `Messages in ${title}`
  find(main, ".composer").ariaLabel = `Message to ${words}`
  find(main, ".composer__label").textContent = `Message ${words}`
  const text = /** @type {HTMLTextAreaElement} */ (find(main, "#text"))
  text.placeholder = `Message ${words}`
}

/**
 * Whoever signed out for good reads nothing any more.
 *
 * @param {HTMLElement} main
 * @param {string} who nobody, while the partner holds their name
 */
function depart(main, who) {
  const line = part(main, "departed")
  const words = who && `${who} has signed out for good. What was said here stays readable to you.`
  if (line.textContent !== words) line.textContent = words
  line.hidden = !who
  const text = /** @type {HTMLTextAreaElement} */ (find(main, "#text"))
  text.disabled = Boolean(who)
  if (who) text.placeholder = "This conversation is over."
  find(main, ".composer__send").toggleAttribute("disabled", Boolean(who))
}
