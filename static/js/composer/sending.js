// Sending, whatever channel is open. Each message is shown at once and stays until it is stored, or
// discarded.

import { isAnyAttached, isReadable, isUnchanged, unreadable } from "./attaching.js"
import { recall, remember, remembered } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { find, here } from "../lib/page.js"
import { isTaken, takeTurn } from "../lib/tabs.js"
import { answerOf, channelPath, request, UNREACHABLE, waitMs } from "../net/api.js"

/**
 * What is on its way to one channel: one message at a time, so that they arrive in the order in which they
 * were written; those with files beside them, since these may take long.
 */
class Sender {
  outbox
  uploads = new Uploads()
  #channel
  /** Ids of those that are being sent, or wait for that. @type {Set<string>} */
  #underWay = new Set()
  #queue = Promise.resolve()
  #isConnected
  #closed = false

  /** @param {string} channel its id @param {() => boolean} isConnected */
  constructor(channel, isConnected) {
    const key = `outbox.${here().user}.${channel}`
    this.outbox = new Outbox(() => recall(key), (stored) => remember(key, stored))
    this.#channel = channel
    this.#isConnected = isConnected
  }

  /** @param {string} text @param {File[]} files */
  write(text, files) {
    const draft = { id: newId(), text, sentAt: new Date().toISOString(), files: named(files) }
    if (draft.files) this.uploads.keep(draft.id, files)
    this.outbox.add(draft)
    this.#send(draft)
  }

  /** @param {string} id @param {number} at which of its files stays behind */
  cancelFile(id, at) {
    const draft = this.outbox.draft(id)
    if (!draft?.files) return
    const files = draft.files.toSpliced(at, 1)
    if (files.length === 0 && !draft.text) return say("discard", { id })
    const rest = { ...draft, files: files.length > 0 ? files : undefined }
    this.outbox.add(rest)
    this.uploads.takeOut(id, at)
    this.#send(rest)
  }

  /** @param {string} id */
  retry(id) {
    this.outbox.refuse(id, undefined)
    const draft = this.outbox.draft(id)
    if (draft) this.#send(draft)
  }

  /** @param {string} id */
  drop(id) {
    if (!this.outbox.draft(id)) return false
    this.outbox.drop(id)
    this.uploads.drop(id)
    return true
  }

  /** Tries all again that nothing but the connection kept back. */
  async sendAll() {
    for (const draft of this.outbox.drafts().filter(({ refused }) => !refused)) {
      // Another tab may be sending its files; or they went with a tab.
      if (!draft.files || this.uploads.holds(draft.id) || !(await this.uploads.areElsewhere(draft.id))) this.#send(draft)
    }
  }

  /** Shows all that is not stored, in a view that was just put in place. */
  showAll() {
    for (const draft of this.outbox.drafts()) {
      if (!draft.refused && !this.#underWay.has(draft.id)) continue
      this.#show(draft)
      if (draft.refused) say("not-sent", { id: draft.id, why: draft.refused, retries: false })
    }
  }

  /** There is nowhere to send to any more. */
  close() {
    this.#closed = true
  }

  /** @param {Draft} draft */
  #show(draft) {
    const { user, userName } = here()
    say("sending", { ...draft, channel: this.#channel, author: { id: user, display_name: userName } })
  }

  /** @param {Draft} draft */
  #send(draft) {
    this.#show(draft)
    if (this.#underWay.has(draft.id)) return
    this.#underWay.add(draft.id)
    const before = draft.files ? Promise.resolve() : this.#queue
    const sent = before.then(() => this.#attempt(draft.id)).finally(() => this.#underWay.delete(draft.id))
    if (!draft.files) this.#queue = sent
  }

  /** @param {string} id @param {number} [failures] so far @returns {Promise<void>} */
  async #attempt(id, failures = 0) {
    const draft = this.outbox.draft(id)
    if (!draft || this.#closed) return
    const path = `${channelPath(this.#channel)}/messages/${id}`
    const answer = draft.files ? await this.uploads.send(path, draft) : await request("PUT", path, { text: draft.text })
    const still = this.outbox.draft(id)
    // Gone meanwhile: the stream had it first, or it was discarded.
    if (!still) return
    if (answer.ok) {
      this.drop(id)
      return say("sent", { channel: this.#channel, message: answer.body })
    }
    // A file was taken out of it.
    if (still.files?.length !== draft.files?.length) return this.#attempt(id)
    const fate = fateOf(answer)
    if (answer.status === 401) return location.reload()
    // While the stream is there, so is the server: what follows waits for this one.
    const waits = fate === "waits" || (fate === "lost" && this.#isConnected())
    say("not-sent", { id, why: answer.why, retries: waits })
    if (fate === "refused") this.outbox.refuse(id, answer.why)
    if (!waits) return
    await new Promise((waited) => setTimeout(waited, answer.retryAfterMs || waitMs(failures + 1, Math.random())))
    const waiting = this.outbox.draft(id)
    if (waiting) this.#show(waiting)
    return this.#attempt(id, failures + 1)
  }
}

/**
 * Sends what is written, and keeps it until it is stored.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSending(_, { hear, on }) {
  let connected = false
  /** @type {Map<string, Sender>} by channel */
  const senders = new Map()
  const senderOf = (/** @type {string} */ channel) => {
    const sender = senders.get(channel) ?? new Sender(channel, () => connected)
    senders.set(channel, sender)
    return sender
  }
  /** @param {string} id of what is on its way */
  const senderWith = (id) => [...senders.values()].find(({ outbox }) => outbox.draft(id))

  hear("send", ({ channel, text, files }) => senderOf(channel).write(text, files))
  hear("cancel-file", ({ id, at }) => senderWith(id)?.cancelFile(id, at))
  hear("retry", ({ id }) => senderWith(id)?.retry(id))
  hear("discard", ({ id }) => {
    senderWith(id)?.drop(id)
    say("discarded", { id })
  })
  // Stored, though the answer may have got lost: sending again could bring back what was deleted.
  hear("message", ({ id }) => senders.get(here().channel)?.drop(id))
  hear("entered", () => {
    const sender = senderOf(here().channel)
    for (const { dataset } of find(document, ".view").querySelectorAll(/** @type {"li"} */ (".message[data-seq]"))) {
      sender.drop(dataset.id ?? "")
    }
    sender.showAll()
    sender.sendAll()
  })
  hear("connection", (state) => {
    connected = state.connected
    if (connected) for (const sender of senders.values()) sender.sendAll()
  })
  hear("channel-deleted", () => senders.get(here().channel)?.close())
  on(window, "beforeunload", (event) => {
    const all = [...senders.values()]
    // Texts that are kept are sent when one comes back; the rest would be lost.
    if (isAnyAttached() || all.some(({ uploads, outbox }) => uploads.holds() || outbox.unkept.length)) event.preventDefault()
  })

  // What was written elsewhere in this browser and never arrived goes out, too.
  for (const channel of remembered(`outbox.${here().user}.`)) senderOf(channel)
}

/**
 * @typedef {object} Draft
 * @property {string} id chosen here, so that sending again can never post twice
 * @property {string} text
 * @property {string} sentAt when it was written, RFC 3339
 * @property {{name: string, size: number}[]} [files] what goes with it, by name: a page keeps the bytes itself
 * @property {string} [refused] why the server does not take it as it is
 */

/**
 * What is on its way to a channel: kept across reloads until it is stored or discarded, and what the browser
 * does not keep, for as long as the page is open. Other tabs keep theirs in the same place.
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

const FILES_LOST = "Its files were lost when the page was closed. Discard it and attach them again."

/** The bytes of what is on its way: kept for as long as the page is open. */
class Uploads {
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
    // Or it was changed on the way: then there are fewer bytes than were announced, or more, and the
    // connection that brought them may be gone.
    const isBroken = answer.status === 400 || (answer.status === 0 && !controller.signal.aborted)
    if (isBroken) await this.#leavesOut(id, isUnchanged)
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

/** An upload during which nothing went out and nothing came in for so long has ended. */
const UPLOAD_SILENCE_MS = 30_000

/**
 * Sends a message with files. `fetch` does not say how far it is, so this is an `XMLHttpRequest`.
 *
 * @param {string} path below `/api`
 * @param {{text: string, files: File[]}} message
 * @param {AbortSignal} signal
 * @param {(sent: number) => void} onProgress told from 0 to 1
 * @returns {Promise<import("../net/api.js").Answer>}
 */
export function upload(path, { text, files }, signal, onProgress) {
  const form = new FormData()
  form.append("text", text)
  for (const file of files) form.append("file", file, file.name)
  const request = new XMLHttpRequest()
  request.open("PUT", `/api${path}`)
  request.responseType = "json"
  return new Promise((done) => {
    let silence = 0
    const stop = () => request.abort()
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(stop, UPLOAD_SILENCE_MS)
    }
    const end = () => {
      clearTimeout(silence)
      signal.removeEventListener("abort", stop)
      const { status, response } = request
      done(answerOf(status, status ? response : { detail: UNREACHABLE }, request.getResponseHeader("Retry-After")))
    }
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      heard()
      onProgress(loaded / total)
    })
    // Also after an error, or when it was stopped: then it has no status.
    request.addEventListener("loadend", end)
    signal.addEventListener("abort", stop)
    heard()
    request.send(form)
  })
}
