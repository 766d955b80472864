// Mounts each behaviour on the elements that ask for it: `data-mount="name"`. What a behaviour
// listens to and waits for is part of its life, and ends with it: a view that goes leaves nothing
// behind.

/** @typedef {import("./events.js").Events} Events */

/**
 * @typedef {object} Life what a behaviour does for as long as it is mounted
 * @property {AbortSignal} signal of its end
 * @property {<Name extends keyof Events>(name: Name, act: (detail: Events[Name]) => void) => void} hear what is said on the page
 * @property {<E extends Event = any>(target: EventTarget, type: string, act: (event: E) => void, options?: AddEventListenerOptions) => void} on
 * @property {(act: () => void, ms: number) => number} later like `setTimeout`
 * @property {(act: () => void, ms: number) => number} every like `setInterval`
 * @property {(act: () => void) => void} atEnd
 */

/** @typedef {(element: any, life: Life) => void} Mount */

/**
 * @param {Record<string, Mount>} mounts in the order in which they listen
 * @param {ParentNode} root
 * @param {AbortSignal} signal ends all of them
 */
export function mountAll(mounts, root, signal) {
  const life = lifeUntil(signal)
  const view = root instanceof Element ? root.closest(".view") : null
  for (const [name, mount] of Object.entries(mounts)) {
    const asks = `[data-mount~="${name}"]`
    if (root instanceof Element && root.matches(asks)) mount(root, life)
    for (const element of root.querySelectorAll(asks)) {
      // What is in a view lives as long as the view.
      if (element.closest(".view") === view) mount(element, life)
    }
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Life}
 */
export function lifeUntil(signal) {
  /** @type {Life["on"]} */
  const on = (target, type, act, options) => target.addEventListener(type, /** @type {any} */ (act), { ...options, signal })
  /** @type {Life["atEnd"]} */
  const atEnd = (act) => signal.addEventListener("abort", act, { once: true })
  const timers = new Set()
  atEnd(() => timers.forEach(clearTimeout))
  return {
    signal,
    on,
    atEnd,
    // Forms and fields speak of their own, too: a form that is reset is not the stream's `reset`.
    hear: (name, act) => on(document, name, (event) => event instanceof CustomEvent && act(event.detail)),
    later: (act, ms) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        act()
      }, ms)
      timers.add(timer)
      return timer
    },
    every: (act, ms) => {
      const timer = setInterval(act, ms)
      timers.add(timer)
      return timer
    },
  }
}
