// The page that the server drew: its parts, its templates and how they are filled, and whose page it is.

/**
 * The first element that matches, which the templates promise.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function find(root, selector) {
  const found = root.querySelector(selector)
  if (!found) throw new Error(`The page has no ${selector}.`)
  return /** @type {HTMLElement} */ (found)
}

/**
 * The part of this name.
 *
 * @param {ParentNode} root
 * @param {string} name as in `data-part`
 */
export function part(root, name) {
  return find(root, `[data-part="${name}"]`)
}

/**
 * A new element like the one in this `<template>`.
 *
 * @param {string} id
 */
export function stamp(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(document, `template#${id}`))
  // Imported, so that it is of this document already: links in it resolve as they will.
  return /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild)
}

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

/** A text as HTML. @param {string} text */
export function escaped(text) {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign])
}

/** As many of something are listed at most, on the server too. */
export const MOST_LISTED = 100

/**
 * Tells how many more there are than are listed.
 *
 * @param {HTMLElement} line
 * @param {number} more
 * @param {string} [where] to find them
 */
export function tellRest(line, more, where = "") {
  line.hidden = more <= 0
  line.textContent = `and ${more} more${where}`
}

/** Between a popover and what it stands beside, and between it and the edge of the screen. */
const GAP_PX = 6

/**
 * Places a popover below something, or above it where there is no room.
 *
 * @param {HTMLElement} popover
 * @param {DOMRect} beside
 * @param {string} name of the stylesheet's variables for it
 * @param {number} left where it begins, if there is room
 */
export function placeBeside(popover, beside, name, left) {
  const below = beside.bottom + GAP_PX
  const above = Math.max(GAP_PX, beside.top - GAP_PX - popover.offsetHeight)
  const top = below + popover.offsetHeight + GAP_PX <= innerHeight ? below : above
  const start = Math.max(GAP_PX, Math.min(left, innerWidth - popover.offsetWidth - GAP_PX))
  popover.style.setProperty(`--${name}-top`, `${top}px`)
  popover.style.setProperty(`--${name}-left`, `${start}px`)
}

/**
 * Who looks at the page, and what is open: a channel by its id, once the server told it, and by the
 * address that it was asked for under.
 */
export function here() {
  const { user = "", userName = "" } = find(document, ".shell").dataset
  const { channel = "", kind = "public", name = "", title = "", address = "" } = find(document, ".view").dataset
  return { channel, kind, name, title, address, user, userName }
}

/** Where the messages of the open channel have their addresses. */
export function place() {
  const { channel, name } = here()
  return { origin: location.origin, channel, name }
}

/** @typedef {{me: string, host: string, copy: string, locale: import("../conversation/local-time.js").Locale}} Reader */

/** Whom the page is for, as far as what a message shows depends on them. @returns {Reader} */
export function reader() {
  const { clock, monthFirst } = find(document, ".shell").dataset
  const copy = find(document, "template#copy").innerHTML.trim()
  const locale = { clock: clock === "12" ? /** @type {const} */ ("12") : /** @type {const} */ ("24"), isMonthFirst: monthFirst !== undefined }
  return { me: here().user, host: location.host, copy, locale }
}

// Filling partials: what the server draws with a view, scripts draw with the same view, to the byte.
//
// A partial is one template for both. The server draws it with values, and once without, inside
// `<template id="…">`, which scripts copy. Its elements name their slots in `data-slots`: pairs of a
// target and the view's value that goes there, parted by spaces.
//
//   data-slots="text=author data-name-of=author_id"
//
// The target says how:
//   text     the value is the element's text;
//   html     the value is the element's content, as HTML that the server made safe;
//   list     the value is a list of views; each is a child, drawn by the template that the view's
//            `template` names and known again by its `key`, which the child has as `data-key`;
//   another  the value is the attribute of that name: `true` is an empty one, `false` and `null` are
//            none.
// `!` before the value's name is its opposite; an empty text or list counts as none: `hidden=!files`.
//
// A value that the view does not have leaves its slots as they are, so a view may be a part of one.
// What is shown already is not touched: a selection in a text, a film that plays, the focus stay.
// Slots within a list belong to its views.
//
// So that bytes are the same, attributes that may be missing stand last in a partial, in the order in
// which their slots are named.

/** @typedef {Record<string, any>} View values by their names */

/**
 * Puts the values of a view into the slots of an element and of those within.
 *
 * @param {Element} element
 * @param {View} view
 */
export function fill(element, view) {
  let goesOn = true
  for (const slot of element.getAttribute("data-slots")?.split(" ") ?? []) {
    const at = slot.indexOf("=")
    const target = slot.slice(0, at)
    const value = valueFor(view, slot.slice(at + 1))
    const put = TARGETS[target]
    if (put) goesOn = false
    if (value === undefined) continue
    if (put) put(element, value)
    else putAttribute(element, target, value)
  }
  if (goesOn) for (const child of element.children) fill(child, view)
}

/**
 * A new element of a template, filled.
 *
 * @param {string} template
 * @param {View} view
 */
export function drawn(template, view) {
  const element = stamp(template)
  fill(element, view)
  return element
}

/** HTML but for what says where Tab stops, which changes while one goes through it. @param {string} html */
const bare = (html) => html.replace(/ tabindex="-?\d"/g, "")

/** @type {Record<string, ((element: Element, value: any) => void) | undefined>} */
const TARGETS = {
  text: (element, value) => {
    const text = String(value ?? "")
    if (element.textContent !== text) element.textContent = text
  },
  html: (element, value) => {
    // The one place where HTML is taken as such: the server renders it through an allow list, and
    // the page's policy runs no script but our own files.
    const fresh = document.createElement("template")
    fresh.innerHTML = value
    if (bare(fresh.innerHTML) !== bare(element.innerHTML)) element.replaceChildren(document.importNode(fresh.content, true))
  },
  list: (element, views) => {
    const known = new Map([...element.children].map((child) => [child.getAttribute("data-key"), child]))
    views.forEach((/** @type {View} */ view, /** @type {number} */ at) => {
      const child = known.get(view.key) ?? stamp(view.template)
      known.delete(view.key)
      fill(child, view)
      // Moving an element would take the focus from it.
      if (element.children[at] !== child) element.insertBefore(child, element.children[at] ?? null)
    })
    for (const gone of known.values()) gone.remove()
  },
}

/**
 * @param {View} view
 * @param {string} name
 */
function valueFor(view, name) {
  if (!name.startsWith("!")) return view[name]
  const value = view[name.slice(1)]
  return value === undefined ? value : !(Array.isArray(value) ? value.length : value)
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null} value
 */
function putAttribute(element, name, value) {
  if (value === false || value === null) return element.removeAttribute(name)
  const text = value === true ? "" : String(value)
  if (element.getAttribute(name) !== text) element.setAttribute(name, text)
}
