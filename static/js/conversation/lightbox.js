// One file of a message over the page, as large as it fits, and its neighbours: an image, a text, or a
// PDF where the browser shows those. Files of which the server only tells downloads are read by the
// page, and what it shows of them can do nothing.

import { find, part } from "../lib/page.js"

/** @type {Record<string, number>} */
const FILE_STEPS = { ArrowLeft: -1, ArrowRight: 1 }

/** Of a longer text the beginning is shown: nobody reads so much here. */
const MAX_TEXT_BYTES = 256 * 1024

const CAN_SHOW = navigator.pdfViewerEnabled ? ".file:is([data-action='look'], [data-look])" : ".file:is([data-action='look'], [data-look='text'])"

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
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
    const bytes = await read(href, reading.signal, { Range: `bytes=0-${MAX_TEXT_BYTES - 1}` })
    // A sign that is cut in two is left out.
    const words = new TextDecoder().decode(bytes, { stream: true })
    text.textContent = bytes.byteLength < MAX_TEXT_BYTES ? words : `${words}\n\n… The whole text is in the download.`
  }
  /** @param {string} href @param {string} name */
  const showPdf = async (href, name) => {
    // As a PDF and nothing else, whatever is in it.
    const pdf = new Blob([await read(href, reading.signal)], { type: "application/pdf" })
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
    const link = /** @type {Element} */ (event.target).closest(/** @type {"a"} */ (CAN_SHOW))
    const message = link?.closest(".message")
    // With a key, a browser opens it beside.
    if (!link || !message || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    links = [...message.querySelectorAll(/** @type {"a"} */ (CAN_SHOW))]
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
 * @param {string} href
 * @param {AbortSignal} signal
 * @param {Record<string, string>} [headers]
 */
async function read(href, signal, headers) {
  const answer = await fetch(href, { signal, headers }).catch((error) => {
    throw signal.aborted ? error : new Error("No connection to the server.")
  })
  if (!answer.ok) throw new Error("The server does not give it.")
  return answer.arrayBuffer()
}
