// The picker of reactions, beside the message that it is for.

import { knownEmoji, readEmoji } from "../composer/emoji-names.js"
import { anchorOf } from "./permalink.js"
import { find, part } from "../lib/page.js"
import { react } from "./reacting.js"
import { emojiOf } from "../composer/shortcodes.js"

/** How many stand in a row, as the stylesheet lays them out. */
const COLUMNS = 6

/** Between the picker and what it stands beside. */
const GAP_PX = 4

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }

/** @param {HTMLElement} picker @param {import("../lib/mounting.js").Life} life */
export function mountPicker(picker, { hear, on }) {
  const grid = part(picker, "grid")
  const form = part(picker, "form")
  const error = part(picker, "error")
  const field = /** @type {HTMLInputElement} */ (find(form, "input"))
  const emoji = [...grid.querySelectorAll("button")]
  let id = ""

  /** @param {string} why */
  const complain = (why) => {
    error.textContent = why
    error.hidden = !why
    field.ariaInvalid = why ? "true" : null
  }
  /** @param {number} at */
  const focus = (at) => {
    emoji.forEach((each, other) => (each.tabIndex = other === at ? 0 : -1))
    emoji[at].focus()
  }
  /** @param {string} reaction */
  const choose = async (reaction) => {
    const asked = id
    const why = await react(asked, reaction, true)
    if (asked !== id) return
    if (!why) return picker.hidePopover()
    complain(why)
    field.focus()
  }

  hear("react", (asked) => {
    id = asked.id
    field.value = ""
    complain("")
    picker.showPopover()
    place(picker, document.getElementById(anchorOf(id)))
    focus(0)
  })
  hear("drawn", () => {
    if (picker.matches(":popover-open") && !document.getElementById(anchorOf(id))) picker.hidePopover()
  })
  on(window, "resize", () => {
    if (picker.matches(":popover-open")) place(picker, document.getElementById(anchorOf(id)))
  })
  on(picker, "toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open"
    document.getElementById(anchorOf(id))?.toggleAttribute("data-open", isOpen)
  })
  on(grid, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("button")
    if (button) choose(button.dataset.reaction ?? "")
  })
  on(grid, "keydown", (event) => {
    const at = emoji.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement))
    const to = at + (STEPS[event.key] ?? 0)
    if (to === at || at < 0) return
    event.preventDefault()
    if (emoji[to]) focus(to)
  })
  on(form, "submit", async (event) => {
    event.preventDefault()
    const typed = field.value.trim()
    const shortcode = /^:(.+):$/.exec(typed)?.[1]
    if (shortcode) await readEmoji()
    if (typed) choose((shortcode && emojiOf(knownEmoji(), shortcode)) || typed)
  })
  on(field, "input", () => complain(""))
}

/**
 * Below the message's actions, or above them where there is no room. On a small screen the
 * stylesheet keeps it at the bottom.
 *
 * @param {HTMLElement} picker
 * @param {HTMLElement | null} item
 */
function place(picker, item) {
  if (!item) return
  const beside = find(item, ".message__actions").getBoundingClientRect()
  const below = beside.bottom + GAP_PX
  const above = beside.top - GAP_PX - picker.offsetHeight
  const top = below + picker.offsetHeight <= innerHeight ? below : Math.max(GAP_PX, above)
  const left = Math.max(GAP_PX, beside.right - picker.offsetWidth)
  picker.style.setProperty("--picker-top", `${top}px`)
  picker.style.setProperty("--picker-left", `${left}px`)
}
