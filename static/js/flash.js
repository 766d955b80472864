// A message of the last page, which can be put away; good news goes by itself.

const GOOD_NEWS_MS = 10_000

/** @param {HTMLElement} flash */
export function mountFlash(flash) {
  const dismiss = /** @type {HTMLButtonElement} */ (flash.querySelector('[data-action="dismiss"]'))
  dismiss.hidden = false
  dismiss.addEventListener("click", () => flash.remove())
  if (flash.classList.contains("flash--success")) setTimeout(() => flash.remove(), GOOD_NEWS_MS)
}
