// A list of the server's, asked for while the stream goes on telling what changes in it.

import { request } from "./api.js"

export class Listing {
  /** Whether more has changed than was heard of: whoever hears of one asks anew. */
  stale = false
  /** Whether to ask once more after the answer on its way, which may be too old. */
  again = false
  #path
  #apply
  /** @type {Set<string>} */
  #heard = new Set()
  /** @type {Promise<boolean> | null} */
  #reading = null

  /**
   * @param {string} path below `/api`
   * @param {(body: any, heard: Set<string>) => void} apply is given what was heard of while the
   *   answer was on its way: what was heard is newer
   */
  constructor(path, apply) {
    this.#path = path
    this.#apply = apply
  }

  /** @param {string} id of one that came, went or changed, or what else tells it from others */
  heard(id) {
    this.#heard.add(id)
  }

  /**
   * Asks one question at a time, and once more where it was asked meanwhile: the answer on its way
   * may be older than the reason to ask.
   *
   * @returns {Promise<boolean>} whether there was an answer
   */
  read() {
    this.again = true
    this.#reading ??= this.#ask()
    return this.#reading
  }

  /** @returns {Promise<boolean>} */
  async #ask() {
    this.again = this.stale = false
    this.#heard.clear()
    const { ok, body } = await request("GET", this.#path)
    this.#reading = null
    if (ok) this.#apply(body, this.#heard)
    else this.stale = true
    return this.again ? this.read() : ok
  }
}
