// Sending, one message at a time so that they arrive in the order in which they were written; those
// with files beside them, since these may take long. Each is shown at once and stays until it is
// stored, or discarded.

import { channelPath, request } from "./api.js"
import { attached } from "./attached.js"
import { waitMs } from "./backoff.js"
import { hear, say } from "./bus.js"
import { recall, remember } from "./memory.js"
import { fateOf, newId, Outbox } from "./outbox.js"
import { here } from "./page.js"
import { named, Uploads } from "./uploads.js"

/** @param {HTMLElement} room */
export function mountSending(room) {
  const { channel, user } = here()
  const key = `outbox.${user}.${channel}`
  const outbox = new Outbox(() => recall(key), (stored) => remember(key, stored))
  const uploads = new Uploads()
  /** @type {Set<string>} ids of those that are being sent, or wait for that */
  const underWay = new Set()
  let queue = Promise.resolve()
  let closed = false
  let connected = false

  /** @param {import("./outbox.js").Draft} draft */
  const show = (draft) => say("sending", { ...draft, author: { id: user, display_name: room.dataset.userName } })
  /** @param {string} id */
  const drop = (id) => {
    outbox.drop(id)
    uploads.drop(id)
  }

  /** @param {import("./outbox.js").Draft} draft */
  const send = (draft) => {
    show(draft)
    if (underWay.has(draft.id)) return
    underWay.add(draft.id)
    const before = draft.files ? Promise.resolve() : queue
    const sent = before.then(() => attempt(draft.id)).finally(() => underWay.delete(draft.id))
    if (!draft.files) queue = sent
  }

  /** @param {string} id @param {number} [failures] so far @returns {Promise<void>} */
  const attempt = async (id, failures = 0) => {
    const draft = outbox.draft(id)
    if (!draft || closed) return
    const path = `${channelPath(channel)}/messages/${id}`
    const answer = draft.files ? await uploads.send(path, draft) : await request("PUT", path, { text: draft.text })
    const still = outbox.draft(id)
    // Gone meanwhile: the stream had it first, or it was discarded.
    if (!still) return
    if (answer.ok) {
      drop(id)
      return say("sent", answer.body)
    }
    // A file was taken out of it.
    if (still.files?.length !== draft.files?.length) return attempt(id)
    const fate = fateOf(answer)
    if (answer.status === 401) return location.reload()
    // While the stream is there, so is the server: what follows waits for this one.
    const waits = fate === "waits" || (fate === "lost" && connected)
    say("not-sent", { id, why: answer.why, retries: waits })
    if (fate === "refused") outbox.refuse(id, answer.why)
    if (!waits) return
    await new Promise((waited) => setTimeout(waited, answer.retryAfterMs || waitMs(failures + 1, Math.random())))
    const waiting = outbox.draft(id)
    if (waiting) show(waiting)
    return attempt(id, failures + 1)
  }

  /** Tries all again that nothing but the connection kept back. */
  const sendAll = async () => {
    for (const draft of outbox.drafts().filter(({ refused }) => !refused)) {
      // Another tab may be sending its files; or they went with a tab.
      if (!draft.files || uploads.holds(draft.id) || !(await uploads.areElsewhere(draft.id))) send(draft)
    }
  }

  hear("send", ({ text, files }) => {
    const draft = { id: newId(), text, sentAt: new Date().toISOString(), files: named(files) }
    if (draft.files) uploads.keep(draft.id, files)
    outbox.add(draft)
    send(draft)
  })
  hear("cancel-file", ({ id, at }) => {
    const draft = outbox.draft(id)
    if (!draft?.files) return
    const files = draft.files.toSpliced(at, 1)
    if (files.length === 0 && !draft.text) return say("discard", { id })
    const rest = { ...draft, files: files.length > 0 ? files : undefined }
    outbox.add(rest)
    uploads.takeOut(id, at)
    send(rest)
  })
  hear("retry", ({ id }) => {
    outbox.refuse(id, undefined)
    const draft = outbox.draft(id)
    if (draft) send(draft)
  })
  hear("discard", ({ id }) => {
    drop(id)
    say("discarded", { id })
  })
  // Stored, though the answer may have got lost: sending again could bring back what was deleted.
  hear("message", ({ id }) => drop(id))
  hear("connection", (state) => {
    connected = state.connected
    if (connected) sendAll()
  })
  hear("channel-deleted", () => (closed = true))
  addEventListener("beforeunload", (event) => {
    // Texts that are kept are sent when one comes back; the rest would be lost.
    if (attached().length > 0 || uploads.holds() || outbox.unkept.length) event.preventDefault()
  })

  for (const { dataset } of document.querySelectorAll(/** @type {"li"} */ (".message[data-seq]"))) {
    drop(dataset.id ?? "")
  }
  for (const draft of outbox.drafts()) {
    if (!draft.refused) continue
    show(draft)
    say("not-sent", { id: draft.id, why: draft.refused, retries: false })
  }
  sendAll()
}
