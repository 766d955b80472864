// Quoting what is answered. Decides only.

const MOST_LINES = 3
const MOST_CHARS = 200

/**
 * The beginning of a message as a quotation in Markdown. What it quotes itself is left out.
 *
 * @param {{author: string, link: string, text: string}} message
 */
export function quote({ author, link, text }) {
  const lines = [`[${plain(author)}](${link}) wrote:`, ...beginning(text)]
  return lines.map((line) => `> ${line}`.trimEnd()).join("\n")
}

/** @param {string} text */
function beginning(text) {
  const lines = text.split("\n").filter((line) => line.trim())
  const said = lines.filter((line) => !line.startsWith(">"))
  const quoted = said.length > 0 ? said : lines
  const first = quoted.slice(0, MOST_LINES).join("\n")
  const cut = [...first].slice(0, MOST_CHARS).join("")
  const isWhole = quoted.length <= MOST_LINES && cut === first
  return cut ? (isWhole ? cut : `${cut.trimEnd()}…`).split("\n") : []
}

/**
 * A name with nothing in it that Markdown would take for more.
 *
 * @param {string} name
 */
function plain(name) {
  return name.replace(/[\\`*_[\]<>&~]/g, "\\$&")
}
