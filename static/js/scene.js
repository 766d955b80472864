// The scene of the sign-in page: a button pauses and plays its movements.

import { find } from "./page.js"

const STILL = matchMedia("(prefers-reduced-motion: reduce)")

/** @param {HTMLElement} scene */
export function mountScene(scene) {
  const toggle = find(scene, '[data-action="toggle"]')
  const moving = /** @type {NodeListOf<SVGElement>} */ (scene.querySelectorAll("[data-moves]"))
  let paused = false

  const show = () => {
    for (const part of moving) part.style.animationPlayState = paused ? "paused" : "running"
    toggle.textContent = paused ? "Play the scene" : "Pause the scene"
    // Where motion is not wanted nothing moves, so there is nothing to pause.
    toggle.hidden = STILL.matches
  }
  toggle.addEventListener("click", () => {
    paused = !paused
    show()
  })
  STILL.addEventListener("change", show)
  show()
}
