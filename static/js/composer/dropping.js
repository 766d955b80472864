// Files that are dragged over the conversation can be dropped anywhere on it.

import { say } from "../lib/bus.js"
import { here, part } from "../lib/page.js"

/** @param {HTMLElement} conversation @param {import("../lib/mounting.js").Life} life */
export function mountDropping(conversation, { on }) {
  const target = part(conversation, "drop")
  /** Elements inside are entered and left, too: only the last one left counts. */
  let depth = 0

  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false
  /** @param {number} change */
  const move = (change) => {
    depth = Math.max(0, depth + change)
    target.hidden = depth === 0
    const { kind, title } = here()
    part(target, "drop-to").textContent = kind === "public" ? `#${title}` : title
  }

  on(conversation, "dragenter", (event) => hasFiles(event) && move(1))
  on(conversation, "dragleave", (event) => hasFiles(event) && move(-1))
  on(conversation, "dragover", (event) => hasFiles(event) && event.preventDefault())
  on(conversation, "drop", (event) => {
    move(-depth)
    if (!hasFiles(event)) return
    event.preventDefault()
    say("dropped", event.dataTransfer?.files)
  })
  // Beside it a drop would leave the page for the file.
  on(window, "dragover", (event) => hasFiles(event) && event.preventDefault())
  on(window, "drop", (event) => hasFiles(event) && event.preventDefault())
}
