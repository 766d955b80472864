// What the server drew: its parts, its templates, and whose page it is.

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
