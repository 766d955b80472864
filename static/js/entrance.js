// The behaviours of all pages but the one on which one talks: the way in, and what says what went wrong.

import { recall, remember } from "./lib/memory.js"
import { mountAll } from "./lib/mounting.js"
import { mountFlash } from "./shell/flash.js"

const STILL = matchMedia("(prefers-reduced-motion: reduce)")

/**
 * The way in: the name that was used last, and the channel that was open last.
 *
 * @param {HTMLFormElement} form
 */
function mountSignIn(form) {
  const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("display_name"))
  const next = /** @type {HTMLInputElement} */ (form.elements.namedItem("next"))
  name.value ||= recall("name") ?? ""
  const channel = recall("channel")
  if (next.value === "/" && channel) next.value = `/channels/${encodeURIComponent(channel)}`
  name.select()
  // Tells the other tabs, which still show a channel.
  remember("session", null)
}

/**
 * The scene of the sign-in page: a button pauses and plays its movements.
 *
 * @param {HTMLElement} scene
 * @param {import("./lib/mounting.js").Life} life
 */
function mountScene(scene, { on }) {
  const toggle = /** @type {HTMLElement} */ (scene.querySelector('[data-action="toggle"]'))
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

/**
 * A page that is not there. A channel that is gone must not be remembered as the one to return to.
 *
 * @param {HTMLElement} page
 */
function mountLost(page) {
  if (page.dataset.status === "404" && recall("channel") === channelOf(location.pathname)) {
    remember("channel", null)
  }
}

/** The channel that a path leads to. @param {string} path */
function channelOf(path) {
  try {
    return decodeURIComponent(path.replace("/channels/", ""))
  } catch {
    return null
  }
}

mountAll({ mountFlash, mountLost, mountScene, mountSignIn }, document, new AbortController().signal)
