// What keys are called on this machine.

export const APPLE = /Mac|iPhone|iPad/.test(navigator.platform)

/** @type {Record<string, string>} */
const ON_APPLE = { Ctrl: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↩" }

/** @param {string} key as it is called elsewhere */
export function keyName(key) {
  return (APPLE && ON_APPLE[key]) || key
}
