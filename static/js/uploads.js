// The bytes of what is on its way: kept for as long as the page is open.

import { say } from "./bus.js"
import { upload } from "./upload.js"

const LOST = "Its files were lost when the page was closed. Discard it and attach them again."

export class Uploads {
  /** @type {Map<string, File[]>} by the draft's id */
  #files = new Map()
  /** @type {Map<string, AbortController>} */
  #sending = new Map()

  /**
   * @param {string} id
   * @param {File[]} files
   */
  keep(id, files) {
    this.#files.set(id, files)
  }

  /**
   * Forgets a draft's files, and stops sending them.
   *
   * @param {string} id
   */
  drop(id) {
    this.#files.delete(id)
    this.#sending.get(id)?.abort()
  }

  /**
   * Takes one file out, stopping for that: sending begins anew with the others.
   *
   * @param {string} id
   * @param {number} at
   */
  takeOut(id, at) {
    const files = (this.#files.get(id) ?? []).toSpliced(at, 1)
    this.#files.set(id, files)
    this.#sending.get(id)?.abort()
  }

  /**
   * @param {string} path
   * @param {{id: string, text: string}} draft
   * @returns {Promise<import("./api.js").Answer>}
   */
  async send(path, { id, text }) {
    const files = this.#files.get(id)
    if (!files) return { ok: false, status: 410, body: null, why: LOST, retryAfterMs: 0 }
    const controller = new AbortController()
    this.#sending.set(id, controller)
    const answer = await upload(path, { text, files }, controller.signal, (sent) => say("progress", { id, sent }))
    this.#sending.delete(id)
    return answer
  }
}

/**
 * What a page remembers of files: not their bytes.
 *
 * @param {File[]} files
 */
export function named(files) {
  return files.length > 0 ? files.map(({ name, size }) => ({ name, size })) : undefined
}
