// A conversation as a file, to be kept after the server has let go of it. Decides only.

import { sizeWords } from "../conversation/files.js"
import { clockWords, dateOf } from "../conversation/local-time.js"

/** @typedef {import("../net/api.js").Message} Message */

/**
 * @typedef {object} Transcript
 * @property {string} title the channel's name as people read it: `#general`, `Bob`
 * @property {string} origin of the server, since a file has none
 * @property {Date} savedAt
 * @property {Message[]} messages oldest first
 */

/** What each format is made with, and called. */
export const FORMATS = {
  txt: { type: "text/plain", make: transcriptText },
  html: { type: "text/html", make: transcriptHtml },
  json: { type: "application/json", make: transcriptJson },
}

/** @param {Transcript} transcript @param {keyof typeof FORMATS} format */
export function fileName({ title, savedAt }, format) {
  // What some file system or other does not take, and a name that would be hidden.
  const name = title.replace(/^[#.]+/, "").replace(/[\\/:*?"<>|\p{C}]/gu, "-")
  return `${name || "conversation"}-${dateOf(savedAt)}.${format}`
}

/** @param {Transcript} transcript */
export function transcriptText({ title, origin, savedAt, messages }) {
  const head = `${title} at ${origin}\n${counted(messages)}, saved ${momentOf(savedAt)}\n`
  const lines = messages.map((message) => {
    const sentAt = new Date(message.sent_at)
    const edited = message.edited_at ? " (edited)" : ""
    const said = [
      ...(message.text ? message.text.split("\n") : []),
      ...message.attachments.map(({ name, size, url }) => `[${name}, ${sizeWords(size)}: ${origin}${url}]`),
      ...message.reactions.map((given) => reactionWords(given)),
    ]
    return `${momentOf(sentAt)} ${message.author.display_name}${edited}\n${said.map((line) => `  ${line}`.trimEnd()).join("\n")}\n`
  })
  return [head, ...lines].join("\n")
}

/** @param {Transcript} transcript */
export function transcriptJson({ title, origin, savedAt, messages }) {
  return `${JSON.stringify({ channel: title, origin, saved_at: savedAt.toISOString(), messages }, null, 2)}\n`
}

/**
 * A page that needs nothing else and runs nothing: its own policy says so, too.
 *
 * @param {Transcript} transcript
 */
export function transcriptHtml({ title, origin, savedAt, messages }) {
  const items = messages.map((message) => {
    const sentAt = new Date(message.sent_at)
    const files = message.attachments.map(({ name, size, url }) => `<p><a href="${escaped(url)}" dir="auto">${escaped(name)}</a> (${escaped(sizeWords(size))})</p>`)
    const given = message.reactions.map((each) => `<p class="soft">${escaped(reactionWords(each))}</p>`)
    // The server's own rendering, which the page shows as it is, too.
    return `<li><p><b dir="auto">${escaped(message.author.display_name)}</b> <time class="soft" datetime="${escaped(message.sent_at)}">${momentOf(sentAt)}${message.edited_at ? ", edited" : ""}</time></p>
<div dir="auto">${message.html}</div>${files.join("")}${given.join("")}</li>`
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<base href="${escaped(origin)}/">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem }
ol { list-style: none; padding: 0 }
li { margin-block: 1.25rem }
li p { margin: 0 }
pre, table { overflow-x: auto }
table { border-collapse: collapse; display: block }
th, td { border: 1px solid; padding: .2rem .6rem }
blockquote { border-inline-start: 3px solid; margin-inline: 0; padding-inline-start: 1rem }
.soft { font-size: .85em; opacity: .75 }
</style>
<h1 dir="auto">${escaped(title)}</h1>
<p class="soft">${counted(messages)}, saved ${momentOf(savedAt)} from ${escaped(origin)}</p>
<ol>
${items.join("\n")}
</ol>
</html>
`
}

/** @param {{reaction: string, users: import("../net/api.js").User[]}} given */
const reactionWords = ({ reaction, users }) => `${reaction} ${users.map(({ display_name }) => display_name).join(", ")}`

/** @param {Message[]} messages */
const counted = ({ length }) => `${length} ${length === 1 ? "message" : "messages"}`

/** @param {Date} date where the reader is */
const momentOf = (date) => `${dateOf(date)} ${clockWords(date, { clock: "24", isMonthFirst: false })}`

/** @type {Record<string, string>} */
const FILE_ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => FILE_ENTITIES[sign])
