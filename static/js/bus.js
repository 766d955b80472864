// How the behaviours talk: events of the server come down, actions go up, both on the document.

/**
 * @param {string} name
 * @param {unknown} [detail]
 */
export function say(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }))
}

/**
 * @param {string} name
 * @param {(detail: any) => void} act
 */
export function hear(name, act) {
  document.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail))
}
