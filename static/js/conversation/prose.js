// The text of a message, made ready for this reader.

import { isEmojiAlone } from "./emoji.js"
import { here, stamp } from "../lib/page.js"

/**
 * Links that leave the chat open beside it, tables and code can be scrolled and code copied, boxes of
 * tasks have a name, a few emoji alone are large, and a message that names the reader says so.
 *
 * @param {HTMLElement} item the message
 * @param {HTMLElement} text
 */
export function finishProse(item, text) {
  const me = here().user
  for (const link of text.querySelectorAll("a")) {
    if (link.href && link.origin !== location.origin) link.target = "_blank"
    link.toggleAttribute("data-me", link.dataset.user === me)
  }
  item.toggleAttribute("data-mention", !("own" in item.dataset) && text.querySelector("[data-me]") !== null)
  text.toggleAttribute("data-emoji", isEmojiAlone(item.dataset.text ?? ""))
  for (const box of text.querySelectorAll("input")) box.ariaLabel = box.checked ? "Done" : "To do"
  // Also without a mouse.
  for (const scrolled of text.querySelectorAll(/** @type {"table"} */ ("table, pre"))) scrolled.tabIndex = 0
  for (const block of text.querySelectorAll("pre")) {
    if (block.parentElement?.classList.contains("code")) continue
    const code = stamp("code")
    block.replaceWith(code)
    code.prepend(block)
  }
}
