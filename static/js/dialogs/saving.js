// Saving what a channel keeps, before it goes.

import { fileName, FORMATS } from "./transcript.js"
import { say } from "../lib/mounting.js"
import { here, part } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** A browser has taken the file long before. */
const TAKEN_MS = 60_000

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
export function mountSaving(dialog, { on }) {
  const told = part(dialog, "told")
  let saving = false

  /** @param {keyof typeof FORMATS} format */
  const save = async (format) => {
    if (saving) return
    saving = true
    told.textContent = ""
    const { ok, body, why } = await request("GET", `${channelPath(here().channel)}/messages`)
    saving = false
    if (!ok) return void (told.textContent = `Not saved: ${why}`)
    const name = part(document, "title").textContent ?? ""
    const title = here().kind === "public" ? `#${name}` : name
    const transcript = { title, origin: location.origin, savedAt: new Date(), messages: body.messages }
    const { type, make } = FORMATS[format]
    const file = fileName(transcript, format)
    download(new Blob([make(transcript)], { type: `${type};charset=utf-8` }), file)
    dialog.close()
    say("tell", { text: `Saved as ${file}.` })
  }

  on(dialog, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-format]")
    if (button instanceof HTMLElement) save(/** @type {keyof typeof FORMATS} */ (button.dataset.format))
  })
  on(dialog, "close", () => (told.textContent = ""))
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), TAKEN_MS)
}
