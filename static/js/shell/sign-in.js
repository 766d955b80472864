// The way in: the name that was used last, and the channel that was open last.

import { recall, remember } from "../lib/memory.js"

/** @param {HTMLFormElement} form */
export function mountSignIn(form) {
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("display_name"))
  const next = /** @type {HTMLInputElement} */ (form.elements.namedItem("next"))
  name.value ||= recall("name") ?? ""
  const channel = recall("channel")
  if (next.value === "/" && channel) next.value = `/channels/${encodeURIComponent(channel)}`
  name.select()
  // Tells the other tabs, which still show a channel.
  remember("session", null)
}
