// The scene of the sign-in page: a button pauses and plays its movements.

import { find } from "../lib/page.js"

const STILL = matchMedia("(prefers-reduced-motion: reduce)")

/** @param {HTMLElement} scene @param {import("../lib/mounting.js").Life} life */
export function mountScene(scene, { on }) {
  const toggle = find(scene, '[data-action="toggle"]')
  const moving = /** @type {NodeListOf<SVGElement>} */ (scene.querySelectorAll("[data-moves]"))
  let paused = false

  const show = () => {
    for (const part of moving) part.style.animationPlayState = paused ? "paused" : "running"
    toggle.textContent = paused ? "Play the scene" : "Pause the scene"
    // Where motion is not wanted nothing moves, so there is nothing to pause.
    toggle.hidden = STILL.matches
  }
  on(toggle, "click", () => {
    paused = !paused
    show()
  })
  on(STILL, "change", show)
  show()
}
