// How the behaviours talk: events of the server come down, actions go up, both on the document. What
// a behaviour hears is part of its life: see `mounting.js`.

/**
 * @param {string} name
 * @param {unknown} [detail]
 */
export function say(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }))
}
