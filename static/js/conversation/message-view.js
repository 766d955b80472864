// What a message shows, with every value that is derived of what the API tells. Decides only. The server
// makes the same view, to the byte (src/pages/views.rs, src/pages/prose.rs).

import { fileView, sizeWords } from "./files.js"
import { clockWords, fullWords } from "./local-time.js"
import { hueOf, initials } from "./people.js"
import { previewsView } from "./previews.js"
import { reactionView } from "./reactions.js"
import { anchorOf, hrefOfName } from "../lib/addresses.js"
import { isEmojiAlone } from "../lib/emoji.js"
import { escaped } from "../lib/page.js"

/** @typedef {import("../lib/page.js").Reader} Reader */

/**
 * A stored message.
 *
 * @param {import("../net/api.js").Message} message
 * @param {Reader} reader
 */
export function messageView({ id, seq, author, text, html, sent_at, edited_at, attachments, previews, previews_hidden, reactions, hook }, reader) {
  const ready = readable(html, reader)
  return {
    ...identity({ id, author, text, hook }, reader),
    ...times({ sent_at, edited_at }, reader),
    ...previewsView({ previews, previews_hidden }, author.id === reader.me),
    seq,
    state: null,
    html: ready,
    is_plain: false,
    is_mention: author.id !== reader.me && namesReader(ready),
    is_emoji_alone: isEmojiAlone(ready),
    files: attachments.map(fileView),
    reactions: reactions.map((each) => reactionView(each, reader.me)),
  }
}

/**
 * A message that is on its way: its text as it was written.
 *
 * @param {{id: string, text: string, sentAt: string, author: import("../net/api.js").User, files?: {name: string, size: number}[]}} draft
 * @param {Reader} reader
 */
export function pendingView({ id, text, sentAt, author, files = [] }, reader) {
  return {
    ...identity({ id, author, text }, reader),
    ...times({ sent_at: sentAt, edited_at: null }, reader),
    ...previewsView({ previews: [] }, true),
    seq: null,
    state: "pending",
    html: escaped(text),
    is_plain: true,
    is_mention: false,
    is_emoji_alone: false,
    files: files.map(uploadView),
    reactions: [],
  }
}

/**
 * The part of a view that depends on where the reader is.
 *
 * @param {{sent_at: string, edited_at: string | null}} message
 * @param {Reader} reader
 */
export function times({ sent_at, edited_at }, { locale }) {
  const sentAt = new Date(sent_at)
  return {
    sent_at,
    edited_at,
    clock: clockWords(sentAt, locale),
    sent_words: fullWords(sentAt, locale),
    edited_words: edited_at && `Edited ${fullWords(new Date(edited_at), locale)}`,
  }
}

/**
 * The part of a view that says which message it is, and whose.
 *
 * @param {{id: string, author: import("../net/api.js").User, text: string, hook?: {icon: string | null}}} message
 * @param {Reader} reader
 */
function identity({ id, author, text, hook }, { me }) {
  return {
    id,
    anchor: anchorOf(id),
    text,
    // With the name, so that what a hook writes under several names is no one run.
    author_id: hook ? `${author.id} ${author.display_name}` : author.id,
    author: author.display_name,
    author_href: hook ? null : hrefOfName(author.display_name),
    initials: hook?.icon ?? initials(author.display_name),
    hue: hueOf(author.id),
    is_own: author.id === me,
    is_bot: author.bot ?? false,
  }
}

/**
 * A file that is on its way, as its partial shows it.
 *
 * @param {{name: string, size: number}} file on its way
 * @param {number} at its place
 */
function uploadView({ name, size }, at) {
  const words = { size_words: sizeWords(size), sending: `Sending ${name}`, cancel: `Do not send ${name}` }
  return { template: "upload", key: `upload-${at}`, name, size, ...words }
}

/**
 * The tags that are changed. A text's HTML is written in one way only: attributes in quotation marks,
 * and no `<` outside of tags and attributes.
 */
const TAGS = /<(\/?)(a|input|pre|table)((?: [a-z-]+="[^"]*")*)>/g

const NAMES_READER = ' data-me=""'

/**
 * Makes a text's HTML ready: links that leave this host open beside it, links that name the reader say
 * so, tables and code can be scrolled by keys, code has a button that copies it, and the boxes of
 * tasks have names.
 *
 * @param {string} html
 * @param {{me: string, host: string, copy: string}} reader their id, the page's host, the button
 */
export function readable(html, { me, host, copy }) {
  return html.replace(TAGS, (tag, end, name, attributes) => {
    if (end) return name === "pre" ? `</pre>${copy}</div>` : tag
    if (name === "a") {
      const names = attributes.includes(` data-user="${me}"`) ? NAMES_READER : ""
      return `<a${attributes}${names}${leaves(attributes, host) ? ' target="_blank"' : ""}>`
    }
    if (name === "input") return `<input${attributes} aria-label="${attributes.includes(' checked=""') ? "Done" : "To do"}">`
    return `${name === "pre" ? '<div class="code">' : ""}<${name}${attributes} tabindex="0">`
  })
}

/**
 * Whether HTML that is ready for a reader names them.
 *
 * @param {string} html
 */
export function namesReader(html) {
  return [...html.matchAll(TAGS)].some(([, , name, attributes]) => name === "a" && attributes.includes(NAMES_READER))
}

/**
 * Whether a link leads to a web page of another host.
 *
 * @param {string} attributes
 * @param {string} here
 */
function leaves(attributes, here) {
  const href = / href="([^"]*)"/.exec(attributes)?.[1] ?? ""
  if (!URL.canParse(href)) return false
  const { protocol, host } = new URL(href)
  return (protocol === "http:" || protocol === "https:") && host !== here
}
