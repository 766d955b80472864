// The top of the conversation: how much of it is kept, and since when.

import { keptWords } from "./kept.js"
import { MessageList } from "./message-list.js"
import { find, part, reader } from "../lib/page.js"

/** @param {HTMLElement} ring @param {import("../lib/mounting.js").Life} life */
export function mountRing(ring, { hear }) {
  const element = find(document, '[data-mount~="messages"]')
  const list = new MessageList(element)
  const words = part(ring, "kept")

  const draw = () => {
    const stored = list.stored()
    const kept = Number(element.dataset.kept)
    ring.hidden = stored.length === 0
    element.toggleAttribute("data-full", stored.length >= kept)
    const now = keptWords({ count: stored.length, kept, since: stored[0]?.dataset.sentAt }, reader().locale, new Date())
    if (words.textContent !== now) words.textContent = now
  }
  hear("drawn", draw)
  draw()
}
