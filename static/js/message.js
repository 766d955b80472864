// One message on the page: made from the one partial that also the server draws with.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" })

/** @param {string} className */
const part = (item, className) => /** @type {HTMLElement} */ (item.querySelector(`.${className}`))

/** @param {string} id */
export function stamp(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id))
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
}

/**
 * Shows a stored message.
 *
 * @param {HTMLElement} item
 * @param {any} message as the API has it
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
  part(item, "message__edited").hidden = !message.edited_at
  const text = part(item, "message__text")
  delete text.dataset.plain
  // The one place where HTML is taken as such: the server renders it through an allow list, and
  // the page's policy runs no script but our own files.
  text.innerHTML = message.html
  finish(item)
}

/**
 * Shows a message that is on its way.
 *
 * @param {HTMLElement} item
 * @param {{id: string, text: string, sentAt: string, author: {id: string, display_name: string}}} draft
 */
export function fillPending(item, draft) {
  Object.assign(item.dataset, { id: draft.id, author: draft.author.id, sentAt: draft.sentAt, state: "pending" })
  delete item.dataset.seq
  name(item, draft.author)
  const text = part(item, "message__text")
  text.dataset.plain = ""
  text.textContent = draft.text
  finish(item)
}

/**
 * Makes a message of the server's or of ours ready for this reader: local time, links that leave
 * the chat open beside it, code that can be scrolled.
 *
 * @param {HTMLElement} item
 */
export function finish(item) {
  const time = /** @type {HTMLTimeElement} */ (item.querySelector("time"))
  const sentAt = new Date(item.dataset.sentAt ?? "")
  time.dateTime = sentAt.toISOString()
  time.textContent = CLOCK.format(sentAt)
  time.title = FULL.format(sentAt)
  const text = part(item, "message__text")
  for (const link of text.querySelectorAll("a")) link.target = "_blank"
  // A block of code may scroll sideways: also without a mouse.
  for (const block of text.querySelectorAll("pre")) block.tabIndex = 0
}

/**
 * @param {HTMLElement} item
 * @param {{id: string, display_name: string}} user
 */
function name(item, user) {
  const author = part(item, "message__author")
  author.textContent = user.display_name
  author.dataset.user = user.id
  showAvatar(part(item, "message__avatar"), user)
}

/**
 * @param {HTMLElement} avatar
 * @param {{id: string, display_name: string}} user
 */
export function showAvatar(avatar, user) {
  const [first] = new Intl.Segmenter().segment(user.display_name)
  avatar.textContent = first?.segment ?? ""
  avatar.dataset.hue = user.id.at(-1)
}
