// The picker of reactions, beside the message that it is for: six at hand, a field that finds every
// emoji by its name, and what is found.

import { atHand, react } from "./reacting.js"
import { anchorOf } from "../lib/addresses.js"
import { emojiFor, emojiOf, knownEmoji, readEmoji } from "../lib/emoji.js"
import { fill, find, part } from "../lib/page.js"

/** How many stand in a row of what is found, as the stylesheet lays them out. */
const COLUMNS = 8

/** How many are shown at once. */
const MOST_PICKED_FROM = 7 * COLUMNS

/** Between the picker and what it stands beside. */
const PICKER_GAP_PX = 4

/** @type {Record<string, number>} */
const PICKER_STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }

/** @param {HTMLElement} picker @param {import("../lib/mounting.js").Life} life */
export function mountPicker(picker, { hear, on }) {
  const quick = part(picker, "quick")
  const grid = part(picker, "grid")
  const form = part(picker, "form")
  const error = part(picker, "error")
  const field = /** @type {HTMLInputElement} */ (find(form, "input"))
  let id = ""

  /** @param {string} why */
  const complain = (why) => {
    error.textContent = why
    error.hidden = !why
    field.ariaInvalid = why ? "true" : null
  }
  /** Each group is one stop for the Tab key. @param {HTMLElement} group @param {number} at */
  const stopAt = (group, at) => {
    const buttons = [...group.querySelectorAll("button")]
    buttons.forEach((each, other) => (each.tabIndex = other === at ? 0 : -1))
    return buttons[at]
  }
  /** @param {Element | undefined} button */
  const reactionOf = (button) => button?.getAttribute("data-key") ?? ""

  const draw = () => {
    const names = new Map(knownEmoji())
    /** @param {string} key */
    const view = (key) => ({ template: "emoji", key, name: names.get(key)?.at(-1)?.replaceAll("_", " ") ?? key })
    const query = field.value.trim().replace(/^:|:$/g, "").replace(/\s+/g, "_")
    const found = query ? emojiFor(knownEmoji(), query, MOST_PICKED_FROM).map(({ emoji }) => emoji) : [...names.keys()].slice(0, MOST_PICKED_FROM)
    fill(picker, { quick: atHand().map(view), found: found.map(view) })
    stopAt(quick, 0)
    stopAt(grid, 0)
    part(picker, "told").textContent = query && found.length === 0 ? "No emoji is called so. It is added as it is written." : ""
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
    draw()
    readEmoji()
    picker.showPopover()
    placePicker(picker, document.getElementById(anchorOf(id)))
    stopAt(quick, 0).focus()
  })
  hear("emoji", () => {
    if (picker.matches(":popover-open")) draw()
  })
  hear("drawn", () => {
    if (picker.matches(":popover-open") && !document.getElementById(anchorOf(id))) picker.hidePopover()
  })
  on(window, "resize", () => {
    if (picker.matches(":popover-open")) placePicker(picker, document.getElementById(anchorOf(id)))
  })
  on(picker, "toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open"
    document.getElementById(anchorOf(id))?.toggleAttribute("data-open", isOpen)
  })
  on(picker, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-key]")
    if (button) choose(reactionOf(button))
  })
  on(picker, "keydown", (event) => {
    const button = /** @type {Element} */ (event.target)
    const group = button.parentElement
    if (group !== quick && group !== grid) return
    const at = [...group.children].indexOf(button)
    const step = PICKER_STEPS[event.key]
    const isDown = Math.abs(step) > 1
    const to = group === quick && isDown ? -1 : at + step
    // Whoever begins to write means the field.
    if (/^\S$/u.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) return field.focus()
    if (!step) return
    event.preventDefault()
    if (group.children[to]) stopAt(group, to).focus()
    else if (isDown && (group === quick ? step > 0 : step < 0)) field.focus()
  })
  on(field, "keydown", async (event) => {
    // An input method uses these keys itself.
    if (event.isComposing || event.keyCode === 229) return
    const to = { ArrowUp: quick, ArrowDown: grid }[/** @type {string} */ (event.key)]
    if (to?.children.length) stopAt(to, 0).focus()
    else if (event.key !== "Enter" || !field.value.trim()) return
    event.preventDefault()
    if (to) return
    await readEmoji()
    draw()
    choose(reactionOf(grid.children[0]) || written())
  })
  on(form, "submit", (event) => {
    event.preventDefault()
    if (written()) choose(written())
  })
  on(field, "input", () => {
    complain("")
    draw()
    grid.parentElement?.scrollTo(0, 0)
  })

  /** What is in the field: the emoji of a whole shortcode, or the text itself. */
  function written() {
    const typed = field.value.trim()
    const shortcode = /^:(.+):$/.exec(typed)?.[1]
    return (shortcode && emojiOf(knownEmoji(), shortcode)) || typed
  }
}

/**
 * Below the message's actions, or above them where there is no room. On a small screen the
 * stylesheet keeps it at the bottom.
 *
 * @param {HTMLElement} picker
 * @param {HTMLElement | null} item
 */
function placePicker(picker, item) {
  if (!item) return
  const beside = find(item, ".message__actions").getBoundingClientRect()
  const below = beside.bottom + PICKER_GAP_PX
  const above = beside.top - PICKER_GAP_PX - picker.offsetHeight
  const top = below + picker.offsetHeight <= innerHeight ? below : Math.max(PICKER_GAP_PX, above)
  const left = Math.max(PICKER_GAP_PX, beside.right - picker.offsetWidth)
  picker.style.setProperty("--picker-top", `${top}px`)
  picker.style.setProperty("--picker-left", `${left}px`)
}
