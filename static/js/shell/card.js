// The card of somebody whose name or avatar was pressed: who that is, and what one can do then. One
// popover for all names in the conversation.

import { replace } from "../composer/writing.js"
import { cardView } from "../conversation/person.js"
import { fill, find, here } from "../lib/page.js"
import { knowsEverybody, personOf, readEverybody } from "../net/users.js"
import { go } from "./navigation.js"

/** Between the card and the name, and between it and the edge of the screen. */
const CARD_GAP_PX = 6

/** @param {HTMLElement} card @param {import("../lib/mounting.js").Life} life */
export function mountCard(card, { hear, on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(document, "#text"))
  /** The link with the name that was pressed. @type {HTMLElement | null} */
  let link = null
  let view = cardView({ id: "", name: "" }, undefined, false, "")

  const isOpen = () => card.matches(":popover-open")
  const draw = () => {
    if (!link) return
    const isAuthor = link.matches(".message__author")
    const words = link.textContent ?? ""
    const name = isAuthor ? words : words.replace(/^[@＠]/, "")
    const bot = isAuthor && !find(/** @type {Element} */ (link.parentElement), ".bot").hidden
    const id = link.dataset.user ?? ""
    view = cardView({ id, name, bot }, personOf(id), knowsEverybody(), here().user)
    fill(card, view)
  }
  const place = () => {
    const beside = /** @type {HTMLElement} */ (link).getBoundingClientRect()
    const below = beside.bottom + CARD_GAP_PX
    const above = Math.max(CARD_GAP_PX, beside.top - CARD_GAP_PX - card.offsetHeight)
    const top = below + card.offsetHeight + CARD_GAP_PX <= innerHeight ? below : above
    const left = Math.max(CARD_GAP_PX, Math.min(beside.left, innerWidth - card.offsetWidth - CARD_GAP_PX))
    card.style.setProperty("--card-top", `${top}px`)
    card.style.setProperty("--card-left", `${left}px`)
  }
  const hide = () => isOpen() && card.hidePopover()

  on(document, "click", (event) => {
    const pressed = event.target instanceof Element && event.target.closest(".message a[data-user], .message__avatar")
    if (!pressed || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    link = /** @type {HTMLElement} */ (pressed.matches("a") ? pressed : find(/** @type {Element} */ (pressed.parentElement), ".message__author"))
    // That is where the focus comes back to.
    link.focus({ preventScroll: true })
    draw()
    card.showPopover()
    place()
    card.querySelector(/** @type {"button"} */ (".card__actions:not([hidden]) button"))?.focus({ preventScroll: true })
    readEverybody()
  })
  on(card, "click", ({ target }) => {
    const { action } = /** @type {HTMLElement} */ (target).dataset
    if (!action) return
    card.hidePopover()
    if (action === "write") return go(view.href)
    const [start, end] = [text.selectionStart, text.selectionEnd]
    const space = start > 0 && !/\s$/.test(text.value.slice(0, start)) ? " " : ""
    replace(text, { start, end, words: `${space}@${view.name} ` })
  })
  hear("everybody", () => isOpen() && draw())
  hear("renamed", () => isOpen() && draw())
  hear("drawn", () => link?.isConnected || hide())
  hear("went", hide)
  on(window, "resize", () => isOpen() && place())
}
