// The files of a message: drawn from the one partial that also the server draws with.

import { kindWords, shares, shownAs, sizeWords } from "./files.js"
import { find, part, stamp } from "../lib/page.js"

/** Players whose failure is waited for. */
const watched = new WeakSet()

/**
 * @param {HTMLElement} item
 * @param {import("./files.js").Attachment[]} files
 */
export function drawAttachments(item, files) {
  const place = find(item, ".message__files")
  const shown = [...place.children].map((file) => /** @type {HTMLElement} */ (file).dataset.id)
  // Those that are there stay: a film goes on while others react to it.
  if (files.length !== shown.length || files.some(({ id }, at) => id !== shown[at])) {
    place.replaceChildren(...files.map(drawn))
  }
  place.hidden = files.length === 0
}

/**
 * Files that are on their way.
 *
 * @param {HTMLElement} item
 * @param {{name: string, size: number}[]} files
 */
export function drawUploads(item, files) {
  const place = find(item, ".message__files")
  place.replaceChildren(
    ...files.map(({ name, size }) => {
      const upload = stamp("upload")
      upload.dataset.size = String(size)
      part(upload, "name").textContent = name
      part(upload, "size").textContent = sizeWords(size)
      part(upload, "progress").ariaLabel = `Sending ${name}`
      part(upload, "cancel").ariaLabel = `Do not send ${name}`
      return upload
    }),
  )
  place.hidden = files.length === 0
}

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
 * Makes the files of a message, of the server's or of ours, ready for this reader: words for their
 * size, and a card for what this browser cannot play.
 *
 * @param {HTMLElement} item
 */
export function finishAttachments(item) {
  for (const card of item.querySelectorAll(/** @type {"a"} */ (".file--card"))) {
    const { size, type = "" } = card.dataset
    find(card, ".file__about").textContent = `${kindWords(card.download, type)} · ${sizeWords(Number(size))}`
  }
  for (const media of item.querySelectorAll(/** @type {"video"} */ (".file :is(video, audio)"))) {
    const replace = () => media.closest(".file")?.replaceWith(link(media))
    if (media.error) replace()
    else if (!watched.has(media)) media.addEventListener("error", replace, { once: true })
    watched.add(media)
  }
}

/** @param {import("./files.js").Attachment} file */
function drawn(file) {
  const kind = shownAs(file)
  const element = stamp(`file-${kind}`)
  element.dataset.id = file.id
  if (kind === "image") {
    const image = /** @type {HTMLImageElement} */ (find(element, "img"))
    Object.assign(image, { alt: file.name, width: file.width, height: file.height, src: file.url })
    element.dataset.name = file.name
    element.setAttribute("href", file.url)
  } else if (kind === "card") {
    Object.assign(element, { href: file.url, download: file.name })
    Object.assign(element.dataset, { size: file.size, type: file.media_type })
    find(element, ".file__name").textContent = file.name
  } else {
    const media = /** @type {HTMLMediaElement} */ (find(element, kind))
    media.ariaLabel = file.name
    find(element, ".file__caption").textContent = file.name
    media.src = file.url
  }
  return element
}

/** @param {HTMLMediaElement} media */
function link(media) {
  const card = /** @type {HTMLAnchorElement} */ (stamp("file-card"))
  const name = media.ariaLabel ?? ""
  card.dataset.id = media.closest(/** @type {"figure"} */ (".file"))?.dataset.id
  Object.assign(card, { href: media.src, download: name })
  find(card, ".file__name").textContent = name
  find(card, ".file__about").textContent = "This browser cannot play it here."
  return card
}
