// Creating a channel, and going there.

import { askWith } from "./form.js"

/** @param {HTMLFormElement} form */
export function mountNewChannel(form) {
  askWith(form, "POST", "/channels", ({ name }) => location.assign(`/channels/${encodeURIComponent(name)}`))
}
