// One place to go to, as an option of a list: made from its <template>.

import { go } from "../shell/navigation.js"
import { find, stamp } from "../lib/page.js"
import { waitingIn } from "./waiting.js"

const ASIDES = { online: "online", offline: "", gone: "signed out for good", notes: "", "": "" }

/** @param {import("./destinations.js").Destination} destination */
export function destinationOption(destination) {
  const { id, kind, label, href, presence, bot } = destination
  const { count, unit } = waitingIn(destination)
  const option = stamp("destination")
  Object.assign(option.dataset, { id, href })
  find(option, ".destination__sign").hidden = kind === "direct"
  const lamp = find(option, ".lamp")
  lamp.hidden = kind === "public"
  lamp.dataset.presence = presence
  find(option, ".destination__name").textContent = label
  find(option, ".bot").hidden = !bot
  find(option, ".destination__aside").textContent = count > 0 ? `${count}${unit}` : ASIDES[presence]
  return option
}

/** @param {HTMLElement} option @param {Event} event */
export function goTo(option, event) {
  const { href = "" } = option.dataset
  const aside = /** @type {MouseEvent} */ (event).ctrlKey || /** @type {MouseEvent} */ (event).metaKey
  if (aside) window.open(href, "_blank", "noopener")
  else go(href)
}
