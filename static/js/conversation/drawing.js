// Changing what the conversation shows: whoever follows it is told before and after.

import { say } from "../lib/mounting.js"

/** @param {() => object | void} change gives what `drawn` has to tell */
export function draw(change) {
  say("drawing")
  const told = change()
  say("drawn", { message: null, isNew: false, own: false, isReset: false, ...told })
}

/**
 * Lets a movement come to its end, where there is one and somebody sees it.
 *
 * @param {Element} element
 */
export async function moved(element) {
  if (!document.hidden) await Promise.allSettled(element.getAnimations().map(({ finished }) => finished))
}
