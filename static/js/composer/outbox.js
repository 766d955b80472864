// What is on its way: kept across reloads until it is stored or discarded, and what the browser does
// not keep, for as long as the page is open. Other tabs keep theirs in the same place.

/**
 * @typedef {object} Draft
 * @property {string} id chosen here, so that sending again can never post twice
 * @property {string} text
 * @property {string} sentAt when it was written, RFC 3339
 * @property {{name: string, size: number}[]} [files] what goes with it, by name: a page keeps the bytes itself
 * @property {string} [refused] why the server does not take it as it is
 */

export class Outbox {
  /** What is kept nowhere else, because storage is full or refused. @type {Draft[]} */
  unkept = []
  #read
  #write

  /**
   * @param {() => string | null} read what was written last
   * @param {(stored: string | null) => void} write
   */
  constructor(read, write) {
    this.#read = read
    this.#write = write
  }

  /** Oldest first, as this page wrote them: what is in storage, and what is kept here, which is newer. */
  drafts() {
    return [...new Map([...this.#stored(), ...this.unkept].map((draft) => [draft.id, draft])).values()]
  }

  /** @param {string} id */
  draft(id) {
    return this.drafts().find((draft) => draft.id === id)
  }

  /** @param {Draft} draft in place of what was written under its id, if anything was */
  add(draft) {
    this.unkept.push(draft)
    this.#keep()
  }

  /** @param {string} id */
  drop(id) {
    const rest = (/** @type {Draft[]} */ drafts) => drafts.filter((draft) => draft.id !== id)
    this.unkept = rest(this.unkept)
    // By itself, which always fits: it must not come back because something else does not.
    this.#takes(rest(this.#stored()))
    this.#keep()
  }

  /**
   * Notes that sending again by itself is of no use.
   *
   * @param {string} id
   * @param {string | undefined} why nothing, to have it tried again
   */
  refuse(id, why) {
    const draft = this.draft(id)
    if (draft) this.add({ ...draft, refused: why })
  }

  #keep() {
    if (this.unkept.length > 0 && this.#takes(this.drafts())) this.unkept = []
  }

  /** @returns {Draft[]} of this page and of other tabs */
  #stored() {
    try {
      const drafts = JSON.parse(this.#read() ?? "[]")
      return Array.isArray(drafts) ? drafts : []
    } catch {
      return []
    }
  }

  /** @param {Draft[]} drafts */
  #takes(drafts) {
    const written = drafts.length > 0 ? JSON.stringify(drafts) : null
    this.#write(written)
    return this.#read() === written
  }
}

/** No answer, signed out, too slow, too fast: the same message may be taken later. */
const NOT_ITS_FAULT = new Set([0, 401, 408, 429])

/**
 * What becomes of a message that was not taken: it `waits` and goes out again in a moment, it goes
 * out when there is a connection again, or it was refused and needs its author.
 *
 * @param {{status: number, retryAfterMs: number}} answer
 * @returns {"waits" | "lost" | "refused"}
 */
export function fateOf({ status, retryAfterMs }) {
  if (retryAfterMs > 0) return "waits"
  return NOT_ITS_FAULT.has(status) || status >= 500 ? "lost" : "refused"
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/** 132 random bits in the alphabet of message ids. `randomUUID` is missing on plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(22))
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("")
}
