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

/** The channel that is open and the user who looks at it, by their ids, and what they are called. */
export function here() {
  const { channel = "", kind = "public", name = "", user = "", userName = "" } = find(document, '[data-mount~="room"]').dataset
  return { channel, kind, name, user, userName }
}

/** Where the messages of this page have their addresses. */
export function place() {
  const { channel, name } = here()
  return { origin: location.origin, channel, name }
}
