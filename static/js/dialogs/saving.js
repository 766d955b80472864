// Saving what a channel keeps as a file, before the server lets go of it.

import { sizeWords } from "../conversation/files.js"
import { clockWords, dateOf } from "../conversation/local-time.js"
import { say } from "../lib/mounting.js"
import { escaped, here, part } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** @typedef {import("../net/api.js").Message} Message */

/** A browser has taken the file long before. */
const TAKEN_MS = 60_000

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
export function mountSaving(dialog, { on }) {
  const told = part(dialog, "told")
  let saving = false

  /** @param {keyof typeof FORMATS} format */
  const save = async (format) => {
    if (saving) return
    saving = true
    told.textContent = ""
    const { ok, body, why } = await request("GET", `${channelPath(here().channel)}/messages`)
    saving = false
    if (!ok) return void (told.textContent = `Not saved: ${why}`)
    const name = part(document, "title").textContent ?? ""
    const title = here().kind === "public" ? `#${name}` : name
    const transcript = { title, origin: location.origin, savedAt: new Date(), messages: body.messages }
    const { type, make } = FORMATS[format]
    const file = fileName(transcript, format)
    download(new Blob([make(transcript)], { type: `${type};charset=utf-8` }), file)
    dialog.close()
    say("tell", { text: `Saved as ${file}.` })
  }

  on(dialog, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-format]")
    if (button instanceof HTMLElement) save(/** @type {keyof typeof FORMATS} */ (button.dataset.format))
  })
  on(dialog, "close", () => (told.textContent = ""))
}

/**
 * Gives the browser a file to save.
 *
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), TAKEN_MS)
}

/**
 * @typedef {object} Transcript
 * @property {string} title the channel's name as people read it: `#general`, `Bob`
 * @property {string} origin of the server, since a file has none
 * @property {Date} savedAt
 * @property {Message[]} messages oldest first
 */

/** What each format is made with, and called. */
const FORMATS = {
  txt: { type: "text/plain", make: transcriptText },
  html: { type: "text/html", make: transcriptHtml },
  json: { type: "application/json", make: transcriptJson },
}

/** What the file is called. @param {Transcript} transcript @param {keyof typeof FORMATS} format */
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
