// Keys that work everywhere on the page.

import { isTouch } from "../composer/writing.js"
import { say } from "../lib/mounting.js"
import { find, here } from "../lib/page.js"
import { go } from "./navigation.js"
import { nextChannel } from "../sidebar/destinations.js"

export const APPLE = /Mac|iPhone|iPad/.test(navigator.platform)

/** @type {Record<string, string>} */
const ON_APPLE = { Ctrl: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↩" }

/** A key's name on this machine. @param {string} key as it is called elsewhere */
function keyName(key) {
  return (APPLE && ON_APPLE[key]) || key
}

/** @type {Record<string, 1 | -1>} */
const CHANNEL_STEPS = { ArrowUp: -1, ArrowDown: 1 }

/**
 * Keys that work everywhere on the page.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountKeys(_, { hear, on }) {
  const text = find(document, "#text")
  /** @type {import("../sidebar/destinations.js").Known[]} */
  let channels = []

  /** @param {1 | -1} step @param {boolean} unreadOnly */
  const walk = (step, unreadOnly) => {
    const next = nextChannel(channels, here().channel, step, unreadOnly)
    if (next) go(next.href)
    else say("tell", { text: unreadOnly ? "Nothing else is unread." : "There is nowhere else to go." })
  }
  const settle = () => {
    // What lies over the page goes first.
    const over = document.querySelector(/** @type {"details"} */ ("details[data-popover][open]"))
    if (over) return void (over.open = false)
    say("read-all")
    say("to-latest")
    if (!isTouch()) text.focus({ preventScroll: true })
  }

  hear("listed", (known) => (channels = known))
  on(document, "keydown", (event) => {
    const { key, altKey, shiftKey, target } = event
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return
    if (document.querySelector("dialog[open], :popover-open")) return
    if (altKey && CHANNEL_STEPS[key]) walk(CHANNEL_STEPS[key], shiftKey)
    else if (key === "?" && !altKey && !isField(target)) say("shortcuts")
    else if (key === "Escape" && (target === text || find(document, ".conversation__scroll").contains(/** @type {Node} */ (target)))) settle()
    else return
    event.preventDefault()
  })
}

/**
 * @param {HTMLDialogElement} sheet tells which keys there are, as this machine calls them
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountShortcuts(sheet, { hear }) {
  for (const key of sheet.querySelectorAll("kbd")) key.textContent = keyName(key.textContent ?? "")
  hear("shortcuts", () => sheet.showModal())
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches("textarea, input:not([type=radio]), [contenteditable]")
}
