// What a message shows, with every value that is derived of what the API tells. Decides only. The
// server makes the same view (src/pages/views.rs).

import { hueOf, initials } from "../lib/avatar.js"
import { isEmojiAlone } from "./emoji.js"
import { fileView, sizeWords } from "./files.js"
import { clockWords, fullWords } from "./local-time.js"
import { anchorOf } from "./permalink.js"
import { namesReader, readable } from "./prose.js"
import { reactionView } from "./reaction.js"
import { hrefOfName } from "../sidebar/destinations.js"

/** @typedef {import("../lib/reader.js").Reader} Reader */

/**
 * A stored message.
 *
 * @param {import("../net/api.js").Message} message
 * @param {Reader} reader
 */
export function messageView({ id, seq, author, text, html, sent_at, edited_at, attachments, reactions, hook }, reader) {
  const ready = readable(html, reader)
  return {
    ...identity({ id, author, text, hook }, reader),
    ...times({ sent_at, edited_at }, reader),
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
    seq: null,
    state: "pending",
    html: text.replace(/[&<>]/g, (sign) => ENTITIES[sign]),
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
 * @param {{name: string, size: number}} file on its way
 * @param {number} at its place
 */
function uploadView({ name, size }, at) {
  const words = { size_words: sizeWords(size), sending: `Sending ${name}`, cancel: `Do not send ${name}` }
  return { template: "upload", key: `upload-${at}`, name, size, ...words }
}

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" }
