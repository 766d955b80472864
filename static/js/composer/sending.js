// Sending, whatever channel is open: of each channel one message at a time, so that they arrive in the
// order in which they were written; those with files beside them, since these may take long. Each is
// shown at once and stays until it is stored, or discarded.

import { isAnyAttached } from "./attached.js"
import { fateOf, newId, Outbox } from "./outbox.js"
import { named, Uploads } from "./uploads.js"
import { recall, remember, remembered } from "../lib/browser.js"
import { say } from "../lib/mounting.js"
import { find, here } from "../lib/page.js"
import { channelPath, request, waitMs } from "../net/api.js"

/** @typedef {import("./outbox.js").Draft} Draft */

/** What is on its way to one channel. */
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

/** @param {HTMLElement} _ @param {import("../lib/mounting.js").Life} life */
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
