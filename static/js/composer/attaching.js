// Choosing files for the next message, by the button, by dropping, by pasting, and keeping those of each
// channel until they are sent.

import { admit, isNamesOf, sizeWords } from "../conversation/files.js"
import { say } from "../lib/mounting.js"
import { find, here, part, stamp } from "../lib/page.js"

/**
 * Choosing files by the button and by pasting, and the tray of those that go with the next message.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
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
  /** @param {Brought} brought */
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

/** What stands for a file in the tray. @param {File} file */
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

/** A browser tells at least every 550 ms of a drag that goes on, and of one that was given up not always. */
const DRAG_SILENCE_MS = 1_000

/**
 * Files that are dragged over the conversation can be dropped anywhere on it.
 *
 * @param {HTMLElement} conversation
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDropping(conversation, { on, later }) {
  const target = part(conversation, "drop")
  let silence = 0

  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false
  const hide = () => {
    clearTimeout(silence)
    target.hidden = true
  }
  /** @param {DragEvent} event */
  const over = (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    const { kind, title } = here()
    part(target, "drop-to").textContent = kind === "public" ? `#${title}` : title
    target.hidden = false
    clearTimeout(silence)
    silence = later(hide, DRAG_SILENCE_MS)
  }

  on(conversation, "dragenter", over)
  on(conversation, "dragover", over)
  on(conversation, "dragleave", ({ relatedTarget }) => {
    // Not from one element in it to the next.
    if (!(relatedTarget instanceof Node && conversation.contains(relatedTarget))) hide()
  })
  on(conversation, "drop", (event) => {
    hide()
    if (!hasFiles(event) || !event.dataTransfer) return
    event.preventDefault()
    say("dropped", broughtBy(event.dataTransfer))
  })
  // A browser tells of none of these while something is dragged.
  for (const name of ["keydown", "pointermove", "pointerdown"]) on(window, name, () => target.hidden || hide())
  // Beside it a drop would leave the page for the file.
  on(window, "dragover", (event) => hasFiles(event) && event.preventDefault())
  on(window, "drop", (event) => hasFiles(event) && event.preventDefault())
}

/** @typedef {{files: File[], folders: string[]}} Brought folders are told by their names: they cannot be sent */

/**
 * Sorts what is dropped or pasted. A browser has it only while it tells of that.
 *
 * @param {DataTransfer} transfer
 * @returns {Brought}
 */
function broughtBy(transfer) {
  const files = []
  const folders = []
  for (const item of transfer.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null
    const file = item.getAsFile()
    if (entry?.isDirectory) folders.push(entry.name)
    else if (file) files.push(file)
  }
  return { files, folders }
}

/**
 * The files of a paste, or nothing where its text is meant: an office program's text comes with a
 * picture of itself, and a file manager's file with its name.
 *
 * @param {DataTransfer} transfer
 * @returns {Brought | null}
 */
function pastedBy(transfer) {
  const brought = broughtBy(transfer)
  const names = [...brought.files.map(({ name }) => name), ...brought.folders]
  return names.length > 0 && isNamesOf(transfer.getData("text/plain"), names) ? brought : null
}

/** The files of each channel's next message, by its id, or its address while that is not known. @type {Map<string, File[]>} */
const attachedIn = new Map()

/** The channel that it is about. */
let attachingTo = ""

/** The files that go with the next message. */
export function attached() {
  return attachedIn.get(attachingTo) ?? []
}

/** Whether a message that was not sent has files, in any channel. */
export function isAnyAttached() {
  return [...attachedIn.values()].some((each) => each.length > 0)
}

/** @param {File[]} more */
function attach(more) {
  if (more.length > 0) setAttached([...attached(), ...more])
}

/** @param {File} file */
function detach(file) {
  setAttached(attached().filter((other) => other !== file))
}

/** Gives them away: there are none afterwards. */
export function takeAttached() {
  const taken = attached()
  if (taken.length > 0) setAttached([])
  return taken
}

/**
 * From here on it is about the files of another channel.
 *
 * @param {string} other
 * @param {boolean} isSame whether it is the same one under another name
 */
export function attachTo(other, isSame) {
  const moved = isSame ? attached() : []
  if (isSame) attachedIn.delete(attachingTo)
  attachingTo = other
  setAttached([...attached(), ...moved])
}

/** @param {File[]} now */
function setAttached(now) {
  if (now.length > 0) attachedIn.set(attachingTo, now)
  else attachedIn.delete(attachingTo)
  say("attached", now)
}

/**
 * Whether the bytes of a file can still be had: it may be moved, removed or written to after it was
 * chosen, and a browser then fails to send it as if there were no connection. This is a cheap look at its
 * end, by which Firefox does not see that it has grown.
 *
 * @param {File} file
 */
export async function isReadable(file) {
  const end = file.size > 0 ? file.slice(-1) : file
  return (await bytesOf(end)) === Math.min(file.size, 1)
}

/**
 * Whether a file is as it was when it was chosen. Reads all of it, into memory.
 *
 * @param {File} file
 */
export async function isUnchanged(file) {
  return (await bytesOf(file)) === file.size
}

/**
 * Those of the files that are not so.
 *
 * @param {File[]} files
 * @param {(file: File) => Promise<boolean>} [isSo]
 */
export async function unreadable(files, isSo = isReadable) {
  const all = await Promise.all(files.map(async (file) => ((await isSo(file)) ? [] : [file])))
  return all.flat()
}

/** @param {Blob} blob @returns {Promise<number>} -1 where it cannot be read */
async function bytesOf(blob) {
  try {
    return (await blob.arrayBuffer()).byteLength
  } catch {
    return -1
  }
}
