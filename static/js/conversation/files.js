// The files of messages: what is said of them, which can be sent, how far they are sent, and one of them
// over the page, as large as it fits.

import { drawn, find, part } from "../lib/page.js"

/**
 * @typedef {object} Attachment
 * @property {string} id
 * @property {string} name
 * @property {string} media_type
 * @property {number} size in bytes
 * @property {string} url
 * @property {number} [width] in pixels, of an image
 * @property {number} [height]
 */

/**
 * @typedef {object} Limits
 * @property {number} maxBytes of one file
 * @property {number} maxFiles of one message
 */

const UNITS = ["bytes", "KiB", "MiB", "GiB"]

/**
 * A size in words: `0 bytes`, `1 byte`, `4.2 KiB`, `25 MiB`.
 *
 * @param {number} bytes
 */
export function sizeWords(bytes) {
  if (bytes === 1) return "1 byte"
  const step = bytes > 0 ? Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1) : 0
  const amount = bytes / 1024 ** step
  const digits = step > 0 && amount < 10 ? 1 : 0
  return `${Number(amount.toFixed(digits))} ${UNITS[step]}`
}

/** What browsers can show over the page, of what is drawn as a card. @type {Record<string, "text" | "pdf">} */
const LOOKS = { "text/plain": "text", "application/pdf": "pdf" }

/**
 * What kind of file it is, in a word: its extension where that says something, else its type.
 *
 * @param {string} name
 * @param {string} mediaType
 */
export function kindWords(name, mediaType) {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]
  if (extension) return extension.toUpperCase()
  if (mediaType === "application/octet-stream") return "File"
  return mediaType.slice(mediaType.indexOf("/") + 1).replace(/^x-|\+.*$/g, "").toUpperCase()
}

/**
 * How a file is shown: in place where browsers can, an image only when its size is known before it
 * is there.
 *
 * @param {Attachment} file
 * @returns {"image" | "video" | "audio" | "card"}
 */
export function shownAs({ media_type, width }) {
  const [kind] = media_type.split("/")
  if (kind === "image" && width) return "image"
  return kind === "video" || kind === "audio" ? kind : "card"
}

/**
 * A file of a message, as its partials show it. The server makes the same view.
 *
 * @param {Attachment} file
 */
export function fileView(file) {
  const { id, name, media_type, size, url, width, height } = file
  const shown = shownAs(file)
  // Of others the card is drawn only where this browser cannot play them, and says that.
  const about = shown === "card" ? `${kindWords(name, media_type)} · ${sizeWords(size)}` : undefined
  return { template: `file-${shown}`, key: id, name, url, width, height, look: LOOKS[media_type] ?? null, about }
}

/**
 * Which of these files can be sent with those that are there already, and why others cannot.
 *
 * @template {{name: string, size: number}} F
 * @param {F[]} files
 * @param {number} present how many there are already
 * @param {Limits} limits
 * @returns {{taken: F[], refused: string[]}}
 */
export function admit(files, present, { maxBytes, maxFiles }) {
  const small = files.filter(({ size }) => size <= maxBytes)
  const refused = files
    .filter(({ size }) => size > maxBytes)
    .map(({ name, size }) => `“${name}” has ${sizeWords(size)}: a file has at most ${sizeWords(maxBytes)}.`)
  const taken = small.slice(0, Math.max(0, maxFiles - present))
  if (taken.length < small.length) refused.push(`A message has at most ${maxFiles} files.`)
  return { taken, refused }
}

/**
 * Whether a text says nothing but how these files are called, a line each, as file managers write it
 * beside files that are copied: by name, with or without its extension, or by address.
 *
 * @param {string} text
 * @param {string[]} names
 */
export function isNamesOf(text, names) {
  const known = new Set(names.flatMap((name) => [name, name.replace(/(.)\.[^.]*$/, "$1")]).map(composed))
  const lines = text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean)
  // In the Finder a slash is a sign like others, which is a colon on the disk.
  return lines.every((line) => [line, line.replaceAll("/", ":"), lastStep(line)].some((name) => known.has(composed(name))))
}

/** @param {string} name some file systems take letters apart */
const composed = (name) => name.normalize("NFC")

/** @param {string} path a path of any system, or a `file:` address */
function lastStep(path) {
  const step = path.split(/[\\/]/).at(-1) ?? ""
  if (!path.startsWith("file:")) return step
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

/**
 * How much of each file has gone out, from 0 to 1, when so much of all has: they go one after the
 * other.
 *
 * @param {number[]} sizes in bytes
 * @param {number} sent from 0 to 1
 */
export function shares(sizes, sent) {
  const all = sizes.reduce((sum, size) => sum + size, 0)
  let before = 0
  return sizes.map((size) => {
    const share = size > 0 ? (sent * all - before) / size : sent
    before += size
    return Math.min(1, Math.max(0, share))
  })
}

/**
 * Shows how far the files of a message are sent.
 *
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

/** @type {Record<string, number>} */
const FILE_STEPS = { ArrowLeft: -1, ArrowRight: 1 }

/** Of a longer text the beginning is shown: nobody reads so much here. */
const MAX_TEXT_BYTES = 256 * 1024

/**
 * One file of a message over the page, as large as it fits, and its neighbours: an image, a text, or a PDF
 * where the browser shows those. Files of which the server only tells downloads are read by the page, and
 * what it shows of them can do nothing.
 *
 * @param {HTMLDialogElement} dialog
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountLightbox(dialog, { on }) {
  const image = /** @type {HTMLImageElement} */ (part(dialog, "image"))
  const text = part(dialog, "text")
  const download = /** @type {HTMLAnchorElement} */ (part(dialog, "download"))
  /** @type {HTMLAnchorElement[]} */
  let links = []
  let at = 0
  /** Ends the reading of what is not looked at any more. */
  let reading = new AbortController()
  let frame = /** @type {HTMLIFrameElement | undefined} */ (undefined)
  /** The files that this browser can show. */
  const shownHere = `.file:is([data-action="look"], ${navigator.pdfViewerEnabled ? "[data-look]" : '[data-look="text"]'})`

  const clear = () => {
    reading.abort()
    reading = new AbortController()
    image.removeAttribute("src")
    text.textContent = ""
    if (frame) URL.revokeObjectURL(frame.src)
    frame?.remove()
    frame = undefined
  }
  /** @param {string} href */
  const showText = async (href) => {
    const bytes = await bytesAt(href, reading.signal, { Range: `bytes=0-${MAX_TEXT_BYTES - 1}` })
    // A sign that is cut in two is left out.
    const words = new TextDecoder().decode(bytes, { stream: true })
    text.textContent = bytes.byteLength < MAX_TEXT_BYTES ? words : `${words}\n\n… The whole text is in the download.`
  }
  /** @param {string} href @param {string} name */
  const showPdf = async (href, name) => {
    // As a PDF and nothing else, whatever is in it.
    const pdf = new Blob([await bytesAt(href, reading.signal)], { type: "application/pdf" })
    frame = document.createElement("iframe")
    Object.assign(frame, { className: "lightbox__frame", src: URL.createObjectURL(pdf), title: name })
    text.hidden = true
    text.after(frame)
  }
  /** @param {number} to */
  const show = (to) => {
    at = (to + links.length) % links.length
    const { href, dataset, download: saved } = links[at]
    const name = dataset.name ?? saved
    const { look } = dataset
    clear()
    image.hidden = look !== undefined
    text.hidden = look === undefined
    if (look === undefined) Object.assign(image, { src: href, alt: name })
    else (look === "pdf" ? showPdf : showText)(href, name).catch(({ message, name }) => {
      if (name !== "AbortError") text.textContent = `It cannot be shown: ${message}`
    })
    Object.assign(download, { href, download: name })
    part(dialog, "name").textContent = name
    part(dialog, "place").textContent = links.length > 1 ? `${at + 1} of ${links.length}` : ""
    for (const step of ["previous", "next"]) find(dialog, `[data-action="${step}"]`).hidden = links.length === 1
  }

  on(document, "click", (event) => {
    const link = /** @type {Element} */ (event.target).closest(/** @type {"a"} */ (shownHere))
    const message = link?.closest(".message")
    // With a key, a browser opens it beside.
    if (!link || !message || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    links = [...message.querySelectorAll(/** @type {"a"} */ (shownHere))]
    show(links.indexOf(link))
    dialog.showModal()
  })
  on(dialog, "click", ({ target }) => {
    const pressed = /** @type {Element} */ (target).closest("button")?.dataset.action
    if (pressed === "previous") show(at - 1)
    if (pressed === "next") show(at + 1)
    if (/** @type {Element} */ (target).matches(".lightbox__stage")) dialog.close()
  })
  on(dialog, "keydown", ({ key }) => {
    const step = FILE_STEPS[key]
    if (step && links.length > 1) show(at + step)
  })
  on(dialog, "close", clear)
}

/**
 * The bytes of a file.
 *
 * @param {string} href
 * @param {AbortSignal} signal
 * @param {Record<string, string>} [headers]
 */
async function bytesAt(href, signal, headers) {
  const answer = await fetch(href, { signal, headers }).catch((error) => {
    throw signal.aborted ? error : new Error("No connection to the server.")
  })
  if (!answer.ok) throw new Error("The server does not give it.")
  return answer.arrayBuffer()
}
