// Files that are dragged over the conversation can be dropped anywhere on it.

import { broughtBy } from "./transfer.js"
import { say } from "../lib/mounting.js"
import { here, part } from "../lib/page.js"

/** A browser tells at least every 550 ms of a drag that goes on, and of one that was given up not always. */
const DRAG_SILENCE_MS = 1_000

/** @param {HTMLElement} conversation @param {import("../lib/mounting.js").Life} life */
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
