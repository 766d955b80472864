// Choosing files for the next message: by the button, by dropping, by pasting.

import { attach, attached, detach } from "./attached.js"
import { unreadable } from "./readable.js"
import { pastedBy } from "./transfer.js"
import { admit, sizeWords } from "../conversation/files.js"
import { say } from "../lib/mounting.js"
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

  /** @param {string[]} refused */
  const tell = (refused) => {
    told.textContent = refused.join(" ")
    told.hidden = refused.length === 0
  }
  /** @param {import("./transfer.js").Brought} brought */
  const add = async ({ files, folders }) => {
    if (closed) return
    const { taken, refused } = admit(files, attached().length, limits)
    const why = [...refused, ...folders.map((name) => `“${name}” is a folder: attach the files that are in it.`)]
    tell(why)
    attach(taken)
    text.focus()
    // Those that were sent meanwhile are looked at once more.
    const lost = (await unreadable(taken)).filter((file) => attached().includes(file))
    lost.forEach(detach)
    if (lost.length > 0) tell([...why, ...lost.map(({ name }) => `“${name}” cannot be read.`)])
  }

  on(input, "change", () => {
    add({ files: [...(input.files ?? [])], folders: [] })
    // So that the same file can be chosen again.
    input.value = ""
  })
  on(text, "paste", (event) => {
    const brought = event.clipboardData && pastedBy(event.clipboardData)
    if (!brought) return
    event.preventDefault()
    add(brought)
  })
  hear("dropped", add)
  hear("writable", (/** @type {boolean} */ writable) => {
    closed = !writable
    input.disabled = closed
  })
  hear("send", () => (told.hidden = true))
  hear("unreadable", (/** @type {File[]} */ files) =>
    tell(files.map(({ name }) => `“${name}” was not sent: it was changed or removed after it was chosen.`)),
  )

  hear("attached", (/** @type {File[]} */ files) => {
    for (const [file, chip] of chips) {
      if (files.includes(file)) continue
      chip.remove()
      chips.delete(file)
    }
    for (const file of files) {
      if (chips.has(file)) continue
      chips.set(file, chipOf(file))
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
function chipOf(file) {
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
