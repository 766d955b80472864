// One message on the page: made from the one partial that also the server draws with.

import { find, stamp } from "./page.js"

/** @typedef {import("./api.js").User} User */

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
 * @param {import("./api.js").Message} message
 */
export function fill(item, message) {
  Object.assign(item.dataset, {
    id: message.id,
    seq: String(message.seq),
    author: message.author.id,
    sentAt: message.sent_at,
  })
  delete item.dataset.state
  item.querySelector(".message__failure")?.remove()
  name(item, message.author)
  find(item, ".message__edited").hidden = !message.edited_at
  const text = find(item, ".message__text")
  delete text.dataset.plain
  if (shown.get(text) !== message.html) {
    // The one place where HTML is taken as such: the server renders it through an allow list, and
    // the page's policy runs no script but our own files.
    text.innerHTML = message.html
    shown.set(text, message.html)
  }
  finish(item)
}

/**
 * Shows a message that is on its way.
 *
 * @param {HTMLElement} item
 * @param {{id: string, text: string, sentAt: string, author: User}} draft
 */
export function fillPending(item, draft) {
  Object.assign(item.dataset, { id: draft.id, author: draft.author.id, sentAt: draft.sentAt, state: "pending" })
  delete item.dataset.seq
  item.querySelector(".message__failure")?.remove()
  name(item, draft.author)
  const text = find(item, ".message__text")
  text.dataset.plain = ""
  text.textContent = draft.text
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
 * Makes a message of the server's or of ours ready for this reader: local time, links that leave
 * the chat open beside it, code that can be scrolled.
 *
 * @param {HTMLElement} item
 */
export function finish(item) {
  const time = /** @type {HTMLTimeElement} */ (find(item, "time"))
  const sentAt = new Date(item.dataset.sentAt ?? "")
  time.dateTime = sentAt.toISOString()
  time.textContent = CLOCK.format(sentAt)
  time.title = FULL.format(sentAt)
  const text = find(item, ".message__text")
  for (const link of text.querySelectorAll("a")) link.target = "_blank"
  // A block of code may scroll sideways: also without a mouse.
  for (const block of text.querySelectorAll("pre")) block.tabIndex = 0
}

/**
 * @param {HTMLElement} item
 * @param {User} user
 */
function name(item, user) {
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
