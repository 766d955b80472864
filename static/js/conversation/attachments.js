// The files of a message, while they are sent and once they are there.

import { shares } from "./files.js"
import { drawn, part } from "../lib/page.js"

/**
 * @param {HTMLElement} item
 * @param {number} sent from 0 to 1
 */
export function showProgress(item, sent) {
  const uploads = [...item.querySelectorAll(/** @type {"li"} */ (".upload"))]
  const sizes = uploads.map(({ dataset }) => Number(dataset.size))
  shares(sizes, sent).forEach((share, at) => {
    const progress = /** @type {HTMLProgressElement} */ (part(uploads[at], "progress"))
    progress.value = share
  })
}

/**
 * Puts a card in the place of each film and sound that this browser cannot play.
 *
 * @param {HTMLElement} list
 */
export function replaceUnplayable(list) {
  /** @param {EventTarget | null} media */
  const replace = (media) => {
    if (!(media instanceof HTMLMediaElement)) return
    const [file, name] = [media.closest(/** @type {"figure"} */ (".file")), media.ariaLabel ?? ""]
    const about = "This browser cannot play it here."
    file?.replaceWith(drawn("file-card", { key: file.dataset.key, name, url: media.getAttribute("src"), about }))
  }
  // It does not bubble.
  list.addEventListener("error", ({ target }) => replace(target), { capture: true })
  for (const media of list.querySelectorAll(/** @type {"video"} */ (".file :is(video, audio)"))) if (media.error) replace(media)
}
