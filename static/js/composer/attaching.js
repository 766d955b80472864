// Choosing files for the next message: by the button, by dropping, by pasting.

import { attach, attached, detach } from "./attached.js"
import { say } from "../lib/bus.js"
import { admit, sizeWords } from "../conversation/files.js"
import { find, part, stamp } from "../lib/page.js"

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
export function mountAttaching(form, { hear, on }) {
  const input = /** @type {HTMLInputElement} */ (find(form, 'input[type="file"]'))
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const tray = part(form, "tray")
  const told = part(form, "refused")
  const limits = { maxBytes: Number(form.dataset.maxBytes), maxFiles: Number(form.dataset.maxFiles) }
  /** @type {Map<File, HTMLElement>} */
  const chips = new Map()
  let closed = false

  /** @param {Iterable<File>} files */
  const add = (files) => {
    if (closed) return
    const { taken, refused } = admit([...files], attached().length, limits)
    told.textContent = refused.join(" ")
    told.hidden = refused.length === 0
    attach(taken)
    text.focus()
  }

  on(input, "change", () => {
    add(input.files ?? [])
    // So that the same file can be chosen again.
    input.value = ""
  })
  on(text, "paste", (event) => {
    const files = event.clipboardData?.files ?? []
    // Text from an office program comes with a picture of itself.
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return
    event.preventDefault()
    add(files)
  })
  hear("dropped", add)
  hear("writable", (/** @type {boolean} */ writable) => {
    closed = !writable
    input.disabled = closed
  })
  hear("send", () => (told.hidden = true))

  hear("attached", (/** @type {File[]} */ files) => {
    for (const [file, chip] of chips) {
      if (files.includes(file)) continue
      chip.remove()
      chips.delete(file)
    }
    for (const file of files) {
      if (chips.has(file)) continue
      chips.set(file, drawn(file))
      tray.append(chips.get(file) ?? "")
    }
    tray.hidden = files.length === 0
  })
  on(tray, "click", ({ target }) => {
    const chip = /** @type {Element} */ (target).closest("button")?.closest("li")
    const [file] = [...chips].find(([, other]) => other === chip) ?? []
    if (!file) return
    detach(file)
    text.focus()
    say("tell", { text: `${file.name} is not sent.` })
  })
}

/** @param {File} file */
function drawn(file) {
  const chip = stamp("attached")
  part(chip, "name").textContent = file.name
  part(chip, "size").textContent = sizeWords(file.size)
  part(chip, "remove").ariaLabel = `Remove ${file.name}`
  const image = /** @type {HTMLImageElement} */ (part(chip, "image"))
  for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(image.src))
  image.addEventListener("error", () => (image.hidden = true))
  if (file.type.startsWith("image/")) image.src = URL.createObjectURL(file)
  else image.hidden = true
  return chip
}
