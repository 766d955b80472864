// Sending, one message at a time so that they arrive in the order in which they were written.
// Each is shown at once and stays until it is stored, or discarded.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { recall, remember } from "./memory.js"
import { fateOf, newId, Outbox } from "./outbox.js"
import { here } from "./page.js"

/** @param {HTMLElement} room */
export function mountSending(room) {
  const { channel, user } = here()
  const key = `outbox.${user}.${channel}`
  const outbox = new Outbox(() => recall(key), (stored) => remember(key, stored))
  /** @type {Set<string>} ids of those in the queue */
  const queued = new Set()
  let queue = Promise.resolve()
  let closed = false

  /** @param {import("./outbox.js").Draft} draft */
  const show = (draft) => say("sending", { ...draft, author: { id: user, display_name: room.dataset.userName } })

  /** @param {import("./outbox.js").Draft} draft */
  const send = (draft) => {
    show(draft)
    if (queued.has(draft.id)) return
    queued.add(draft.id)
    queue = queue.then(() => attempt(draft.id)).finally(() => queued.delete(draft.id))
  }

  /** @param {string} id @returns {Promise<void>} */
  const attempt = async (id) => {
    const draft = outbox.draft(id)
    if (!draft || closed) return
    const answer = await request("PUT", `${channelPath(channel)}/messages/${id}`, { text: draft.text })
    // Gone meanwhile: the stream had it first, or it was discarded.
    if (!outbox.draft(id)) return
    if (answer.ok) {
      outbox.drop(id)
      return say("sent", answer.body)
    }
    const fate = fateOf(answer)
    say("not-sent", { id, why: answer.why, retries: fate === "waits" })
    if (answer.status === 401) location.reload()
    if (fate === "refused") outbox.refuse(id, answer.why)
    if (fate !== "waits") return
    await new Promise((waited) => setTimeout(waited, answer.retryAfterMs))
    const still = outbox.draft(id)
    if (still) show(still)
    return attempt(id)
  }

  /** Tries all again that nothing but the connection kept back. */
  const sendAll = () => outbox.drafts().filter(({ refused }) => !refused).forEach(send)

  hear("send", ({ text }) => {
    const draft = { id: newId(), text, sentAt: new Date().toISOString() }
    outbox.add(draft)
    send(draft)
  })
  hear("retry", ({ id }) => {
    outbox.refuse(id, undefined)
    const draft = outbox.draft(id)
    if (draft) send(draft)
  })
  hear("discard", ({ id }) => {
    outbox.drop(id)
    say("discarded", { id })
  })
  // Stored, though the answer may have got lost: sending again could bring back what was deleted.
  hear("message", ({ id }) => outbox.drop(id))
  hear("connection", ({ connected }) => connected && sendAll())
  hear("channel-deleted", () => (closed = true))

  for (const { dataset } of document.querySelectorAll(/** @type {"li"} */ (".message[data-seq]"))) {
    outbox.drop(dataset.id ?? "")
  }
  for (const draft of outbox.drafts()) {
    if (!draft.refused) continue
    show(draft)
    say("not-sent", { id: draft.id, why: draft.refused, retries: false })
  }
  sendAll()
}
