// A finger that rests on something.

const PRESS_MS = 500

/** A finger is never quite at rest. */
const SLACK_PX = 10

/** These have a long press of their own: a browser's. */
const OWN = "a, button, input, textarea, video, audio, summary"

/**
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 * @param {(target: Element) => void} press
 */
export function onLongPress(element, { on }, press) {
  let timer = 0
  let [x, y] = [0, 0]
  /** Whether the last thing that pressed was no mouse. */
  let isFinger = false
  const cancel = () => clearTimeout(timer)

  on(element, "pointerdown", (event) => {
    cancel()
    const target = /** @type {Element} */ (event.target)
    isFinger = event.pointerType !== "mouse"
    if (!isFinger || !event.isPrimary || target.closest(OWN)) return
    x = event.clientX
    y = event.clientY
    timer = setTimeout(() => press(target), PRESS_MS)
  })
  on(element, "pointermove", ({ clientX, clientY }) => {
    if (Math.hypot(clientX - x, clientY - y) > SLACK_PX) cancel()
  })
  // A browser that begins to scroll takes the pointer away.
  for (const end of ["pointerup", "pointercancel"]) on(element, end, cancel)
  on(element, "contextmenu", (event) => {
    if (isFinger && !(/** @type {Element} */ (event.target).closest(OWN))) event.preventDefault()
  })
}
