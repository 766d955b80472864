// What is on its way: kept across reloads until it is stored or discarded, and where the browser
// keeps nothing, for as long as the page is open.

/**
 * @typedef {object} Draft
 * @property {string} id chosen here, so that sending again can never post twice
 * @property {string} text
 * @property {string} sentAt when it was written, RFC 3339
 * @property {{name: string, size: number}[]} [files] what goes with it, by name: a page keeps the bytes itself
 * @property {string} [refused] why the server does not take it as it is
 */

export class Outbox {
  /** What was written and is kept nowhere else, because storage is full or refused. */
  unkept = /** @type {string | null} */ (null)
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

  /** @returns {Draft[]} oldest first */
  drafts() {
    try {
      const drafts = JSON.parse(this.unkept ?? this.#read() ?? "[]")
      return Array.isArray(drafts) ? drafts : []
    } catch {
      return []
    }
  }

  /** @param {string} id */
  draft(id) {
    return this.drafts().find((draft) => draft.id === id)
  }

  /** @param {Draft} draft */
  add(draft) {
    this.#keep([...this.drafts().filter(({ id }) => id !== draft.id), draft])
  }

  /** @param {string} id */
  drop(id) {
    this.#keep(this.drafts().filter((draft) => draft.id !== id))
  }

  /**
   * Notes that sending again by itself is of no use.
   *
   * @param {string} id
   * @param {string | undefined} why nothing, to have it tried again
   */
  refuse(id, why) {
    this.#keep(this.drafts().map((draft) => (draft.id === id ? { ...draft, refused: why } : draft)))
  }

  /** @param {Draft[]} drafts */
  #keep(drafts) {
    const written = drafts.length > 0 ? JSON.stringify(drafts) : null
    this.#write(written)
    this.unkept = this.#read() === written ? null : written
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
