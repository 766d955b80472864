// What the channel is about.

import { hear } from "./bus.js"

/** @param {HTMLElement} line */
export function mountTopic(line) {
  hear("channel-updated", ({ topic }) => {
    line.textContent = topic
    line.title = topic
    line.hidden = topic === ""
  })
}
