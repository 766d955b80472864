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
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
}

/** The channel that is open and the user who looks at it, by their ids; and its kind. */
export function here() {
  const { channel = "", kind = "public", user = "" } = find(document, '[data-mount~="room"]').dataset
  return { channel, kind, user }
}
