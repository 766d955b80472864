// A message of the last page, which can be put away; good news goes by itself.

const GOOD_NEWS_MS = 10_000

/** @param {HTMLElement} flash @param {import("../lib/mounting.js").Life} life */
export function mountFlash(flash, { on, later }) {
  const dismiss = /** @type {HTMLButtonElement} */ (flash.querySelector('[data-action="dismiss"]'))
  on(dismiss, "click", () => flash.remove())
  if (flash.classList.contains("flash--success")) later(() => flash.remove(), GOOD_NEWS_MS)
}
