// How the behaviours talk: events of the server come down, actions go up, both on the document. What
// there is to say stands in `events.js`; what a behaviour hears is part of its life, see `mounting.js`.

/** @typedef {import("./events.js").Events} Events */

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {[Events[Name]] extends [void] ? [] : [detail: Events[Name]]} told
 */
export function say(name, ...told) {
  const [detail] = told
  document.dispatchEvent(new CustomEvent(name, { detail }))
}
