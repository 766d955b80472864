// What can be done with a message. There is one toolbar, in the message that the pointer or the
// focus is on; where nothing hovers, the message's "…" opens it over the page.

import { say } from "../lib/bus.js"
import { draw } from "./drawing.js"
import { MessageList } from "./message-list.js"
import { find, stamp } from "../lib/page.js"

const HOVERS = matchMedia("(any-hover: hover)")

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountActions(element, { hear, on, atEnd }) {
  const list = new MessageList(element)
  const toolbar = stamp("actions")
  const buttons = [...toolbar.querySelectorAll("button")]
  const usable = () => buttons.filter((button) => !button.hidden)

  /** @param {string} action */
  const button = (action) => find(toolbar, `[data-action="${action}"]`)
  /** @param {HTMLElement} item */
  const fit = (item) => {
    const own = "own" in item.dataset
    button("edit").hidden = !own
    button("delete").hidden = !own && !("moderated" in element.dataset)
    // Read up to the message before: there is none before the first.
    button("mark-unread").hidden = list.stored()[0] === item
    stopAt(usable()[0])
  }
  /** The toolbar is one stop for the Tab key; arrows lead on inside. */
  const stopAt = (/** @type {HTMLElement} */ target) => {
    for (const each of buttons) each.tabIndex = each === target ? 0 : -1
  }
  /** @param {Element | null} item */
  const put = (item) => {
    // While the picker is open, too: the focus comes back to here.
    const busy = toolbar.matches(":popover-open") || toolbar.querySelector(":focus-visible") || toolbar.closest("[data-open]")
    const inUse = toolbar.isConnected && busy
    if (!(item instanceof HTMLElement) || toolbar.parentElement?.parentElement === item || inUse) return
    if (HOVERS.matches) toolbar.popover = null
    fit(item)
    find(item, ".message__actions").append(toolbar)
  }
  /** @param {HTMLElement} target */
  const focus = (target) => {
    stopAt(target)
    target.focus()
  }
  /** @param {HTMLElement} item */
  const open = (item) => {
    put(item)
    fit(item)
    if (!HOVERS.matches) {
      toolbar.popover = "auto"
      toolbar.showPopover()
    }
    focus(usable()[0])
  }

  on(element, "pointerover", ({ target }) => {
    if (HOVERS.matches) put(/** @type {Element} */ (target).closest(".message"))
  })
  on(element, "focusin", ({ target }) => {
    if (HOVERS.matches) put(/** @type {Element} */ (target).closest(".message"))
  })
  on(toolbar, "keydown", (event) => {
    const all = usable()
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement))
    const step = STEPS[event.key]
    if (step) focus(all[(at + step + all.length) % all.length])
    else if (event.key === "Home") focus(all[0])
    else if (event.key === "End") focus(all[all.length - 1])
    else if (event.key === "Escape") toolbar.parentElement?.querySelector("button")?.focus()
    else return
    event.preventDefault()
    if (toolbar.matches(":popover-open") && event.key === "Escape") toolbar.hidePopover()
  })
  on(element, "click", ({ target }) => {
    const pressed = /** @type {Element} */ (target).closest("[data-action]")
    const item = pressed?.closest("li")
    if (!(pressed instanceof HTMLElement) || !item) return
    const { action = "" } = pressed.dataset
    if (action === "more") return open(item)
    if (toolbar.matches(":popover-open")) toolbar.hidePopover()
    const siblings = pressed.closest(".message__files")?.children ?? []
    const at = [...siblings].findIndex((file) => file.contains(pressed))
    say(action, { id: item.dataset.id ?? "", at })
  })
  atEnd(() => toolbar.remove())
  hear("dismiss", ({ id }) => {
    const item = list.byId(id)
    if (!item) return
    draw(() => find(item, ".message__failure").remove())
    find(item, ".message__more").focus()
  })
}
