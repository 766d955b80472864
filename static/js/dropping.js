// Files that are dragged over the conversation can be dropped anywhere on it.

import { say } from "./bus.js"
import { part } from "./page.js"
import { broughtBy } from "./transfer.js"

/** A browser tells at least every 550 ms of a drag that goes on, and of one that was given up not always. */
const SILENCE_MS = 1_000

/** @param {HTMLElement} conversation */
export function mountDropping(conversation) {
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
    target.hidden = false
    clearTimeout(silence)
    silence = setTimeout(hide, SILENCE_MS)
  }

  conversation.addEventListener("dragenter", over)
  conversation.addEventListener("dragover", over)
  conversation.addEventListener("dragleave", ({ relatedTarget }) => {
    // Not from one element in it to the next.
    if (!(relatedTarget instanceof Node && conversation.contains(relatedTarget))) hide()
  })
  conversation.addEventListener("drop", (event) => {
    hide()
    if (!hasFiles(event) || !event.dataTransfer) return
    event.preventDefault()
    say("dropped", broughtBy(event.dataTransfer))
  })
  // A browser tells of none of these while something is dragged.
  for (const name of ["keydown", "pointermove", "pointerdown"]) addEventListener(name, () => target.hidden || hide())
  // Beside it a drop would leave the page for the file.
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault())
  addEventListener("drop", (event) => hasFiles(event) && event.preventDefault())
}
