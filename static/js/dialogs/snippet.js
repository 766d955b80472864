// A line to take along: this server's address, or a command for a script. It is told by the page
// itself, since only the page knows under which address it was reached.

import { scriptLines } from "./script-lines.js"
import { copy } from "../lib/clipboard.js"
import { here, part } from "../lib/page.js"

/** How long the button says what became of it. */
const TOLD_MS = 2_000

/** @param {HTMLElement} snippet @param {import("../lib/mounting.js").Life} life */
export function mountSnippet(snippet, { on, later }) {
  const line = part(snippet, "line")
  const button = part(snippet, "copy")
  const told = part(snippet, "told")
  const name = button.textContent
  const { origin } = location
  const lines = { address: `${origin}/`, ...scriptLines(origin, here()) }
  let timer = 0

  line.textContent = lines[/** @type {keyof typeof lines} */ (snippet.dataset.line)]
  on(button, "click", async () => {
    clearTimeout(timer)
    const copied = await copy(line.textContent ?? "")
    if (!copied) getSelection()?.selectAllChildren(line)
    button.textContent = copied ? "Copied" : "Selected"
    told.textContent = copied ? "Copied." : "Your browser does not let us copy. The line is selected."
    timer = later(() => {
      button.textContent = name
      told.textContent = ""
    }, TOLD_MS)
  })
}
