// The messages as one stop of the Tab key: arrows lead from one to the next, and what is in a message
// (links, code, reactions) takes part in the order of Tab once the focus is in that message. Only code
// and tables that are wider than their place are stops of their own at any time.

import { MessageList } from "./message-list.js"
import { anchorOf } from "../lib/addresses.js"

/** What can have the focus in a message. A form there, and the actions, see to themselves. */
const INNER = ":is(a[href], button, pre, table, video, audio):not(.edit *, .message__actions *)"

/** What a message is called when it has the focus, by its parts. */
const NAMED_BY = ["author", "time", "text", "files"]

/** @type {Record<string, (at: number, last: number) => number>} */
const WAYS = {
  ArrowUp: (at) => Math.max(0, at - 1),
  ArrowDown: (at, last) => Math.min(last, at + 1),
  Home: () => 0,
  End: (_, last) => last,
}

/**
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 * @param {(item: HTMLElement) => void} enter goes to the actions of a message
 */
export function rove(element, { hear, on }, enter) {
  const list = new MessageList(element)
  const scroll = /** @type {HTMLElement} */ (element.closest('[data-mount~="scroll"]'))
  /** Had the focus last: Tab comes back to it. @type {HTMLElement | null} */
  let last = null
  /** Has the focus, or has it in it. @type {Element | null} */
  let inside = null

  const settle = () => {
    const all = list.all()
    const stop = last?.isConnected ? last : all.at(-1)
    const wide = new Set([...element.querySelectorAll("pre, table")].filter((each) => each.scrollWidth > each.clientWidth))
    for (const item of all) {
      setStop(item, item === stop)
      for (const inner of item.querySelectorAll(/** @type {"a"} */ (INNER))) setStop(inner, item === inside || wide.has(inner))
    }
    // Without a message it is read by scrolling.
    setStop(scroll, all.length === 0)
  }
  /** @param {EventTarget | null} target */
  const move = (target) => {
    const item = target instanceof Element && element.contains(target) ? target.closest(".message") : null
    if (item === inside) return
    inside = item
    if (item instanceof HTMLElement) {
      last = item
      nameMessage(item)
    }
    settle()
  }
  /** @param {HTMLElement} item */
  const goTo = (item) => {
    item.focus({ preventScroll: true })
    item.scrollIntoView({ block: "nearest" })
  }
  /** Whether a message goes on beyond the view, so that an arrow scrolls. @param {HTMLElement} item @param {string} key */
  const goesOn = (item, key) => {
    const [own, view] = [item, scroll].map((each) => each.getBoundingClientRect())
    return (key === "ArrowUp" && own.top < view.top - 1) || (key === "ArrowDown" && own.bottom > view.bottom + 1)
  }

  on(element, "focusin", ({ target }) => move(target))
  on(element, "focusout", ({ relatedTarget }) => move(relatedTarget))
  on(element, "keydown", (event) => {
    const { key } = event
    const target = /** @type {Element} */ (event.target)
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
    const item = /** @type {HTMLElement | null} */ (target.closest(".message"))
    if (!item) return
    if (target !== item && !target.matches(".message__more")) {
      // Links, code and forms have arrows of their own; Escape leads back to the message.
      if (key !== "Escape" || target.closest("form")) return
      goTo(item)
    } else if (WAYS[key]) {
      if (goesOn(item, key)) return
      const all = list.all()
      goTo(all[WAYS[key](all.indexOf(item), all.length - 1)])
    } else if (key === "ArrowRight" || (key === "Enter" && target === item)) enter(item)
    else return
    event.preventDefault()
  })
  on(window, "resize", settle)
  hear("drawn", ({ isNew, own }) => {
    // Whoever says something is at the end again.
    if (isNew && own && !inside) last = null
    settle()
  })
  settle()
}

/** @param {HTMLElement} element @param {boolean} isStop whether Tab stops there */
function setStop(element, isStop) {
  const wanted = isStop ? "0" : "-1"
  if (element.getAttribute("tabindex") !== wanted) element.setAttribute("tabindex", wanted)
}

/** Names a message by what is in it: to a reader of the screen, an item of a list has no name of its own. @param {HTMLElement} item */
function nameMessage(item) {
  const parts = NAMED_BY.flatMap((part) => item.querySelector(`.message__${part}:not([hidden])`) ?? [])
  parts.forEach((part, at) => (part.id = `${anchorOf(item.dataset.id ?? "")}-${NAMED_BY[at]}`))
  item.setAttribute("aria-labelledby", parts.map(({ id }) => id).join(" "))
}
