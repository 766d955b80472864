// One message on the page: made from the one partial that also the server draws with.

import { drawAttachments, drawUploads, finishAttachments } from "./attachments.js"
import { find, here, stamp } from "../lib/page.js"
import { anchorOf } from "./permalink.js"
import { finishProse } from "./prose.js"
import { drawReactions } from "./reactions.js"

/** @typedef {import("../net/api.js").User} User */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" })

/**
 * The HTML that a message shows, so that the same again leaves a reader's selection alone.
 *
 * @type {WeakMap<Element, string>}
 */
const shown = new WeakMap()

/**
 * Shows a stored message.
 *
 * @param {HTMLElement} item
 * @param {import("../net/api.js").Message} message
 */
export function fill(item, message) {
  identify(item, { ...message, sentAt: message.sent_at })
  item.dataset.seq = String(message.seq)
  delete item.dataset.state
  const edited = find(item, ".message__edited")
  edited.dataset.at = message.edited_at ?? ""
  edited.hidden = !message.edited_at
  const text = find(item, ".message__text")
  delete text.dataset.plain
  if (shown.get(text) !== message.html) {
    // The one place where HTML is taken as such: the server renders it through an allow list, and
    // the page's policy runs no script but our own files.
    text.innerHTML = message.html
    shown.set(text, message.html)
  }
  drawAttachments(item, message.attachments)
  drawReactions(item, message.reactions)
  finish(item)
}

/**
 * Shows a message that is on its way.
 *
 * @param {HTMLElement} item
 * @param {{id: string, text: string, sentAt: string, author: User, files?: {name: string, size: number}[]}} draft
 */
export function fillPending(item, draft) {
  identify(item, draft)
  item.dataset.state = "pending"
  delete item.dataset.seq
  const text = find(item, ".message__text")
  text.dataset.plain = ""
  text.textContent = draft.text
  drawUploads(item, draft.files ?? [])
  finish(item)
}

/**
 * Says why a message is not sent, and offers what can be done.
 *
 * @param {HTMLElement} item
 * @param {string} why
 * @param {boolean} retries whether it is tried again without being asked to
 */
export function showFailure(item, why, retries) {
  item.dataset.state = "failed"
  item.querySelector(".message__failure")?.remove()
  const failure = stamp("failure")
  find(failure, ".message__why").textContent = `Not sent: ${why}`
  find(failure, '[data-action="retry"]').hidden = retries
  item.append(failure)
}

/**
 * Says why something that was asked of a message could not be.
 *
 * @param {HTMLElement} item
 * @param {string} why
 */
export function showReason(item, why) {
  item.querySelector(".message__failure")?.remove()
  const reason = stamp("reason")
  find(reason, ".message__why").textContent = why
  item.append(reason)
}

/**
 * Makes a message of the server's or of ours ready for this reader: local time, its text and its files.
 *
 * @param {HTMLElement} item
 */
export function finish(item) {
  const time = /** @type {HTMLTimeElement} */ (find(item, "time"))
  const sentAt = new Date(item.dataset.sentAt ?? "")
  time.dateTime = sentAt.toISOString()
  time.textContent = CLOCK.format(sentAt)
  time.title = FULL.format(sentAt)
  const edited = find(item, ".message__edited")
  if (edited.dataset.at) edited.title = `Edited ${FULL.format(new Date(edited.dataset.at))}`
  finishAttachments(item)
  finishProse(item, find(item, ".message__text"))
}

/**
 * What a message that is stored and one that is on its way have in common.
 *
 * @param {HTMLElement} item
 * @param {{id: string, text: string, sentAt: string, author: User}} message
 */
function identify(item, { id, text, sentAt, author: user }) {
  item.id = anchorOf(id)
  delete item.dataset.leaving
  Object.assign(item.dataset, { id, text, sentAt, author: user.id })
  item.toggleAttribute("data-own", user.id === here().user)
  item.querySelector(".message__failure")?.remove()
  const author = find(item, ".message__author")
  author.textContent = user.display_name
  author.dataset.nameOf = user.id
  const avatar = find(item, ".message__avatar")
  avatar.textContent = initial(user.display_name)
  avatar.dataset.avatarOf = user.id
}

/**
 * The first character as people see it: an emoji of several code points is one.
 *
 * @param {string} name
 */
export function initial(name) {
  const [first] = new Intl.Segmenter().segment(name)
  return first?.segment ?? ""
}
