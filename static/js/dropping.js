// Files that are dragged over the conversation can be dropped anywhere on it.

import { say } from "./bus.js"
import { part } from "./page.js"

/** @param {HTMLElement} conversation */
export function mountDropping(conversation) {
  const target = part(conversation, "drop")
  /** Elements inside are entered and left, too: only the last one left counts. */
  let depth = 0

  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false
  /** @param {number} change */
  const move = (change) => {
    depth = Math.max(0, depth + change)
    target.hidden = depth === 0
  }

  conversation.addEventListener("dragenter", (event) => hasFiles(event) && move(1))
  conversation.addEventListener("dragleave", (event) => hasFiles(event) && move(-1))
  conversation.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault())
  conversation.addEventListener("drop", (event) => {
    move(-depth)
    if (!hasFiles(event)) return
    event.preventDefault()
    say("dropped", event.dataTransfer?.files)
  })
  // Beside it a drop would leave the page for the file.
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault())
  addEventListener("drop", (event) => hasFiles(event) && event.preventDefault())
}
