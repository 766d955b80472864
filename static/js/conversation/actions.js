// What can be done with a message, and how one gets there: with the pointer, by a toolbar; with keys, from
// message to message; with a finger, by a long press.

import { draw, MessageList, showReason } from "./message-list.js"
import { hasReacted, react, reactionsOf } from "./reactions.js"
import { anchorOf } from "../lib/addresses.js"
import { say } from "../lib/mounting.js"
import { find, here, part, stamp } from "../lib/page.js"

const HOVERS = matchMedia("(any-hover: hover)")

/** @type {Record<string, number>} */
const TOOLBAR_STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/**
 * The toolbar of a message. There is one, in the message that the pointer or the focus is on; where nothing
 * hovers, a long press opens it in a sheet.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
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
    if (item.dataset.state) return item.querySelector(/** @type {"button"} */ ("button:enabled:not(.message__actions *, .message__previews *)"))?.focus()
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

/** Between the message and the sheet. */
const SHEET_GAP_PX = 8

/**
 * The actions of a message where nothing hovers: a sheet at the bottom of the screen, with quick reactions
 * first. The message stays in view above it.
 *
 * @param {HTMLElement} toolbar
 * @param {import("../lib/mounting.js").Life} life
 * @param {(action: keyof import("../lib/mounting.js").OfActions, item: HTMLElement) => void} act
 */
function actionSheet(toolbar, { on }, act) {
  const sheet = /** @type {HTMLDialogElement} */ (find(document, "#sheet"))
  const scroll = find(document, '[data-mount~="scroll"]')
  const quick = [...part(sheet, "quick").querySelectorAll("button")]
  /** The message that it is open for. @type {HTMLElement | null} */
  let item = null
  /** The finger that opened it is still there, and what comes of its leaving is not meant. */
  let isHeld = false

  /** Lifts the conversation until the message is above the sheet, or its beginning at the top. */
  const lift = () => {
    if (!item) return
    const [own, view] = [item, scroll].map((each) => each.getBoundingClientRect())
    // Where it will be when it has arrived.
    const top = innerHeight - sheet.offsetHeight
    const covered = Math.min(own.bottom + SHEET_GAP_PX - top, own.top - view.top)
    if (covered > 0) scroll.style.setProperty("--lift", `${covered}px`)
  }

  on(sheet, "pointerdown", () => (isHeld = false), { capture: true })
  on(sheet, "click", (event) => {
    if (!isHeld || event.detail === 0) return
    event.stopImmediatePropagation()
    event.preventDefault()
  }, { capture: true })
  on(sheet, "click", async ({ target }) => {
    const button = /** @type {Element} */ (target).closest("button")
    const message = item
    if (!button || !message) return
    // Closed first, so that the focus is where the action wants it.
    sheet.close()
    const { action, reaction } = button.dataset
    if (action) return act(/** @type {keyof import("../lib/mounting.js").OfActions} */ (action), message)
    const why = await react(message.dataset.id ?? "", reaction ?? "", button.ariaPressed !== "true")
    if (why && message.isConnected) draw(() => showReason(message, why))
  })
  on(sheet, "close", () => {
    scroll.style.removeProperty("--lift")
    item?.removeAttribute("data-open")
  })

  return {
    /** @param {HTMLElement} message @param {boolean} byFinger */
    open(message, byFinger) {
      item = message
      isHeld = byFinger
      const given = reactionsOf(message)
      for (const button of quick) button.ariaPressed = String(hasReacted(given, button.dataset.reaction ?? "", { id: here().user }))
      part(sheet, "actions").append(toolbar)
      message.dataset.open = ""
      sheet.showModal()
      lift()
    },
  }
}

const PRESS_MS = 500

/** A finger is never quite at rest. */
const SLACK_PX = 10

/** These have a long press of their own: a browser's. */
const PRESSED_OTHERWISE = "a, button, input, textarea, video, audio, summary"

/**
 * Acts when a finger rests on something.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 * @param {(target: Element) => void} press
 */
function onLongPress(element, { on }, press) {
  let timer = 0
  let [x, y] = [0, 0]
  /** Whether the last thing that pressed was no mouse. */
  let isFinger = false
  const cancel = () => clearTimeout(timer)

  on(element, "pointerdown", (event) => {
    cancel()
    const target = /** @type {Element} */ (event.target)
    isFinger = event.pointerType !== "mouse"
    if (!isFinger || !event.isPrimary || target.closest(PRESSED_OTHERWISE)) return
    x = event.clientX
    y = event.clientY
    timer = setTimeout(() => press(target), PRESS_MS)
  })
  on(element, "pointermove", ({ clientX, clientY }) => {
    if (Math.hypot(clientX - x, clientY - y) > SLACK_PX) cancel()
  })
  // A browser that begins to scroll takes the pointer away.
  for (const end of ["pointerup", "pointercancel"]) on(element, end, cancel)
  on(element, "contextmenu", (event) => {
    if (isFinger && !(/** @type {Element} */ (event.target).closest(PRESSED_OTHERWISE))) event.preventDefault()
  })
}

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
 * Makes the messages one stop of the Tab key: arrows lead from one to the next, and what is in a message
 * (links, code, reactions) takes part in the order of Tab once the focus is in that message. Only code and
 * tables that are wider than their place are stops of their own at any time.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 * @param {(item: HTMLElement) => void} enter goes to the actions of a message
 */
function rove(element, { hear, on }, enter) {
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
