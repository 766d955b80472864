// Following addresses of messages: the message comes into view, is marked, and has the focus.

import { MessageList } from "./message-list.js"
import { anchorOf, messageAt, messageIn } from "../lib/addresses.js"
import { say } from "../lib/mounting.js"
import { place } from "../lib/page.js"

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountLinking(element, { on }) {
  const list = new MessageList(element)

  /** @param {string} id */
  const point = (id) => {
    const item = list.byId(id)
    if (!item) return say("tell", { text: "That message is no longer kept." })
    say("look-at", { item })
    for (const other of list.all()) other.removeAttribute("data-linked")
    item.focus({ preventScroll: true })
    // In a frame of its own, so that pointing at the same message again shows again.
    requestAnimationFrame(() => (item.dataset.linked = ""))
    on(item, "blur", () => item.removeAttribute("data-linked"), { once: true })
  }
  const follow = () => {
    const id = messageIn(location.hash)
    if (id) point(id)
  }

  on(element, "click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a")
    const id = link && messageAt(link.href, place())
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    if (messageIn(location.hash) === id) point(id)
    else location.hash = anchorOf(id)
  })
  on(window, "hashchange", follow)
  follow()
}
