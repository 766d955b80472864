// The addresses of channels, conversations and messages.

/** @typedef {{origin: string, channel: string, name: string}} Place a page's origin, and its channel's id and name */

const ANCHOR_PREFIX = "message-"

/**
 * What a message is called in the page's address.
 *
 * @param {string} id
 */
export function anchorOf(id) {
  return ANCHOR_PREFIX + id
}

/**
 * A message's absolute address. A direct conversation's name reads differently for each of the two,
 * so it is told by its id.
 *
 * @param {Place} place
 * @param {string} id
 */
export function permalink({ origin, channel, name }, id) {
  const called = name.startsWith("@") ? `id:${channel}` : encodeURIComponent(name)
  return `${origin}/channels/${called}#${anchorOf(id)}`
}

/**
 * The message that a hash names, if any.
 *
 * @param {string} hash
 */
export function messageIn(hash) {
  return hash.startsWith(`#${ANCHOR_PREFIX}`) ? hash.slice(ANCHOR_PREFIX.length + 1) : null
}

/**
 * The message of this very channel that an address leads to, if any.
 *
 * @param {string} href
 * @param {Place} place
 */
export function messageAt(href, { origin, channel, name }) {
  if (!URL.canParse(href, origin)) return null
  const url = new URL(href, origin)
  const ours = [name, `id:${channel}`].map((called) => `/channels/${encodeURIComponent(called)}`)
  const path = url.pathname.replace("/channels/id:", "/channels/id%3A")
  return url.origin === origin && ours.includes(path) ? messageIn(url.hash) : null
}

/** The address of the direct conversation with whoever has this name. @param {string} name */
export function hrefOfName(name) {
  return `/channels/@${segment(name)}`
}

/**
 * A name as one segment of a path, as the server writes it: all but RFC 3986's unreserved characters
 * is encoded.
 *
 * @param {string} name
 */
export function segment(name) {
  return encodeURIComponent(name).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
