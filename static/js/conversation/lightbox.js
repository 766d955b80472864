// One image of a message, as large as it fits, and its neighbours.

import { find, part } from "../lib/page.js"

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1 }

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
export function mountLightbox(dialog, { on }) {
  const image = /** @type {HTMLImageElement} */ (part(dialog, "image"))
  const download = /** @type {HTMLAnchorElement} */ (part(dialog, "download"))
  /** @type {HTMLAnchorElement[]} */
  let links = []
  let at = 0

  /** @param {number} to */
  const show = (to) => {
    at = (to + links.length) % links.length
    const { href, dataset } = links[at]
    Object.assign(image, { src: href, alt: dataset.name })
    Object.assign(download, { href, download: dataset.name })
    part(dialog, "name").textContent = dataset.name ?? ""
    part(dialog, "place").textContent = links.length > 1 ? `${at + 1} of ${links.length}` : ""
    for (const step of ["previous", "next"]) find(dialog, `[data-action="${step}"]`).hidden = links.length === 1
  }

  on(document, "click", (event) => {
    const link = /** @type {Element} */ (event.target).closest('a[data-action="look"]')
    const message = link?.closest(".message")
    // With a key, a browser opens it beside.
    if (!link || !message || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    links = [...message.querySelectorAll(/** @type {"a"} */ ('a[data-action="look"]'))]
    show(links.indexOf(/** @type {HTMLAnchorElement} */ (link)))
    dialog.showModal()
  })
  on(dialog, "click", ({ target }) => {
    const pressed = /** @type {Element} */ (target).closest("button")?.dataset.action
    if (pressed === "previous") show(at - 1)
    if (pressed === "next") show(at + 1)
    if (/** @type {Element} */ (target).matches(".lightbox__stage")) dialog.close()
  })
  on(dialog, "keydown", ({ key }) => {
    const step = STEPS[key]
    if (step && links.length > 1) show(at + step)
  })
  on(dialog, "close", () => image.removeAttribute("src"))
}
