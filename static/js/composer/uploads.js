// The bytes of what is on its way: kept for as long as the page is open.

import { isReadable, isUnchanged, unreadable } from "./readable.js"
import { isTaken, takeTurn } from "../lib/browser.js"
import { say } from "../lib/mounting.js"
import { answerOf, UNREACHABLE } from "../net/api.js"
import { upload } from "../net/upload.js"

const FILES_LOST = "Its files were lost when the page was closed. Discard it and attach them again."

export class Uploads {
  /** @type {Map<string, File[]>} by the draft's id */
  #files = new Map()
  /** @type {Map<string, AbortController>} */
  #sending = new Map()
  /** @type {Map<string, () => void>} what tells other tabs that the bytes are here, and ends that */
  #held = new Map()

  /**
   * @param {string} id
   * @param {File[]} files
   */
  keep(id, files) {
    this.#files.set(id, files)
    this.#held.set(id, takeTurn(`upload.${id}`, () => {}))
  }

  /**
   * Whether the bytes of a draft, or of any, are here.
   *
   * @param {string} [id]
   */
  holds(id) {
    return id ? this.#files.has(id) : this.#files.size > 0
  }

  /**
   * Whether another tab has the bytes of a draft.
   *
   * @param {string} id
   */
  areElsewhere(id) {
    return isTaken(`upload.${id}`)
  }

  /**
   * Forgets a draft's files, and stops sending them.
   *
   * @param {string} id
   */
  drop(id) {
    this.#files.delete(id)
    this.#held.get(id)?.()
    this.#held.delete(id)
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
   * @returns {Promise<import("../net/api.js").Answer>}
   */
  async send(path, { id, text }) {
    if (!this.#files.has(id)) return answerOf(410, { detail: FILES_LOST })
    if (await this.#leavesOut(id, isReadable)) return answerOf(0, { detail: UNREACHABLE })
    const files = this.#files.get(id) ?? []
    const controller = new AbortController()
    this.#sending.set(id, controller)
    const answer = await upload(path, { text, files }, controller.signal, (sent) => say("progress", { id, sent }))
    this.#sending.delete(id)
    // Or it was changed on the way: then there are fewer bytes than were announced, or more.
    if (answer.status === 0) await this.#leavesOut(id, isReadable)
    if (answer.status === 400) await this.#leavesOut(id, isUnchanged)
    return answer
  }

  /**
   * Takes out of a draft, as its author would, what cannot be read any more.
   *
   * @param {string} id
   * @param {(file: File) => Promise<boolean>} isSo whether a file can be read
   * @returns {Promise<boolean>} whether there was any
   */
  async #leavesOut(id, isSo) {
    const lost = await unreadable(this.#files.get(id) ?? [], isSo)
    for (const file of lost) {
      const at = this.#files.get(id)?.indexOf(file) ?? -1
      if (at >= 0) say("cancel-file", { id, at })
    }
    if (lost.length > 0) say("unreadable", lost)
    return lost.length > 0
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
