// A word in passing: what was just done, or cannot be, on this page or on the last one.

const GOOD_NEWS_MS = 10_000

/**
 * A message of the last page, which can be put away; good news goes by itself.
 *
 * @param {HTMLElement} flash
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountFlash(flash, { on, later }) {
  const dismiss = /** @type {HTMLButtonElement} */ (flash.querySelector('[data-action="dismiss"]'))
  on(dismiss, "click", () => flash.remove())
  if (flash.classList.contains("flash--success")) later(() => flash.remove(), GOOD_NEWS_MS)
}

const SHOWN_MS = 4_000

/**
 * What was just done, or cannot be, seen and heard.
 *
 * @param {HTMLElement} toast
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountToast(toast, { hear, later }) {
  let timer = 0
  hear("tell", ({ text }) => {
    clearTimeout(timer)
    toast.textContent = text
    timer = later(() => (toast.textContent = ""), SHOWN_MS)
  })
}
