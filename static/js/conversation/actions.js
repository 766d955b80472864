// What can be done with a message. There is one toolbar, in the message that the pointer or the
// focus is on; where nothing hovers, a long press opens it in a sheet.

import { draw } from "./drawing.js"
import { onLongPress } from "./long-press.js"
import { MessageList } from "./message-list.js"
import { rove } from "./roving.js"
import { actionSheet } from "./sheet.js"
import { say } from "../lib/mounting.js"
import { find, stamp } from "../lib/page.js"

const HOVERS = matchMedia("(any-hover: hover)")

/** @type {Record<string, number>} */
const TOOLBAR_STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountActions(element, life) {
  const { hear, on, atEnd } = life
  const list = new MessageList(element)
  const toolbar = stamp("actions")
  const buttons = [...toolbar.querySelectorAll("button")]
  const usable = () => buttons.filter((button) => !button.hidden)
  const scroll = find(document, '[data-mount~="scroll"]')
  const sheet = actionSheet(toolbar, life, (action, item) => say(action, { id: item.dataset.id ?? "", at: -1 }))

  /** @param {string} action */
  const button = (action) => find(toolbar, `[data-action="${action}"]`)
  /** @param {HTMLElement} item */
  const fit = (item) => {
    const own = "own" in item.dataset
    button("edit").hidden = !own
    button("delete").hidden = !own && !("moderated" in element.dataset)
    // Read up to the message before: there is none before the first.
    button("mark-unread").hidden = list.stored()[0] === item
    // Where nothing hovers, nothing can be selected either.
    button("copy-text").hidden = HOVERS.matches || !item.dataset.text
  }
  /** @param {Element | null} item */
  const put = (item) => {
    // While the picker is open, too: the focus comes back to here.
    const busy = toolbar.querySelector(":focus-visible") || toolbar.closest("[data-open], [open]")
    const inUse = toolbar.isConnected && busy
    if (!(item instanceof HTMLElement) || toolbar.parentElement?.parentElement === item || inUse) return
    fit(item)
    const place = find(item, ".message__actions")
    place.append(toolbar)
    place.removeAttribute("data-below")
    place.toggleAttribute("data-below", toolbar.getBoundingClientRect().top < scroll.getBoundingClientRect().top)
  }
  /** @param {HTMLElement} item @param {boolean} [byFinger] */
  const open = (item, byFinger = false) => {
    // While it is on its way, or not sent, it has none but those of its state.
    if (item.dataset.state) return item.querySelector(/** @type {"button"} */ ("button:enabled:not(.message__actions *)"))?.focus()
    if (HOVERS.matches) put(item)
    fit(item)
    if (!HOVERS.matches) sheet.open(item, byFinger)
    usable()[0].focus()
  }

  on(element, "pointerover", ({ target }) => {
    if (HOVERS.matches) put(/** @type {Element} */ (target).closest(".message"))
  })
  on(element, "focusin", ({ target }) => {
    if (HOVERS.matches) put(/** @type {Element} */ (target).closest(".message"))
  })
  on(toolbar, "keydown", (event) => {
    // A sheet closes by itself.
    if (event.key === "Escape" && toolbar.closest("dialog")) return
    const all = usable()
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement))
    const step = TOOLBAR_STEPS[event.key]
    if (step) all[(at + step + all.length) % all.length].focus()
    else if (event.key === "Home") all[0].focus()
    else if (event.key === "End") all[all.length - 1].focus()
    else if (event.key === "Escape") toolbar.closest("li")?.focus()
    else return
    event.preventDefault()
  })
  onLongPress(element, life, (target) => {
    const item = target.closest(".message")
    if (!HOVERS.matches && item instanceof HTMLElement) open(item, true)
  })
  on(element, "click", ({ target }) => {
    const pressed = /** @type {Element} */ (target).closest("[data-action]")
    const item = pressed?.closest("li")
    if (!(pressed instanceof HTMLElement) || !item) return
    const { action = "" } = pressed.dataset
    if (action === "more") return open(item)
    const siblings = pressed.closest(".message__files")?.children ?? []
    const at = [...siblings].findIndex((file) => file.contains(pressed))
    say(/** @type {keyof import("../lib/mounting.js").OfActions} */ (action), { id: item.dataset.id ?? "", at })
  })
  atEnd(() => toolbar.remove())
  hear("dismiss", ({ id }) => {
    const item = list.byId(id)
    if (!item) return
    draw(() => find(item, ".message__failure").remove())
    item.focus({ preventScroll: true })
  })
  rove(element, life, open)
}
