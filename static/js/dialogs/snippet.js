// A line to take along: this server's address, or a command for a script. It is told by the page itself,
// since only the page knows under which address it was reached.

import { copy } from "../conversation/copying.js"
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

/** Where curl keeps who it is, so that nobody has to handle a token. */
const JAR = "robot.cookies"

/**
 * How a script talks here: lines for a shell.
 *
 * @param {string} origin the server's
 * @param {{kind: string, name: string, userName: string}} here the channel, and who looks at it
 */
export function scriptLines(origin, { kind, name, userName }) {
  // In a direct conversation a script is a third: what it writes to the reader is one of its own.
  const path = `/api/channels/${encoded(kind === "direct" ? `@${userName}` : name)}`
  return {
    "sign-in": lines(`curl -so /dev/null -b ${JAR} -c ${JAR}`, `'${origin}/api/session'`, "-H 'Content-Type: application/json'", `-d '{"display_name": "Robot"}'`),
    send: lines(`curl -b ${JAR} -d 'Hello from a script'`, `'${origin}${path}/messages'`),
    listen: lines(`curl -Nb ${JAR}`, `'${origin}${path}/events'`),
  }
}

/** @param {string} name for a URL between single quotes */
const encoded = (name) => encodeURIComponent(name).replace(/'/g, "%27").replace("%40", "@")

/** One command, in lines that fit. @param {string[]} parts */
const lines = (...parts) => parts.join(" \\\n  ")
