// Writing and sending. A message is shown at once and stays until it is stored, or discarded.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { charsLeft, MAX_CHARS } from "./limit.js"
import { recall, remember } from "./memory.js"
import { newId, Outbox } from "./outbox.js"

/** With fewer characters left than this, they are counted. */
const NEAR_LIMIT_CHARS = 200

/** @param {HTMLFormElement} form */
export function mountComposer(form) {
  const room = /** @type {HTMLElement} */ (document.querySelector('[data-mount~="room"]'))
  const text = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"))
  const limit = /** @type {HTMLElement} */ (form.querySelector('[data-part="limit"]'))
  const { channel = "", user = "" } = room.dataset
  const draftKey = `draft.${user}.${channel}`
  const outboxKey = `outbox.${user}.${channel}`
  const outbox = new Outbox(() => recall(outboxKey), (stored) => remember(outboxKey, stored))
  const underway = new Set()

  const changed = () => {
    remember(draftKey, text.value)
    const left = charsLeft(text.value)
    limit.toggleAttribute("data-over", left < 0)
    limit.textContent =
      left < 0 ? `${-left} characters too many (at most ${MAX_CHARS.toLocaleString()}).`
      : left < NEAR_LIMIT_CHARS ? `${left} characters left.`
      : ""
  }

  const send = async (draft) => {
    if (underway.has(draft.id)) return
    underway.add(draft.id)
    say("sending", { ...draft, author: { id: user, display_name: room.dataset.userName } })
    const path = `${channelPath(channel)}/messages/${draft.id}`
    const answer = await request("PUT", path, { text: draft.text })
    underway.delete(draft.id)
    if (answer.ok) {
      outbox.drop(draft.id)
      say("sent", answer.body)
      return
    }
    say("not-sent", { id: draft.id, why: answer.why })
    if (answer.status === 401) location.reload()
    // Whoever is only too fast need not press anything.
    if (answer.retryAfterMs) setTimeout(() => retry(draft.id), answer.retryAfterMs)
  }

  const retry = (id) => {
    const draft = outbox.draft(id)
    if (draft) send(draft)
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const written = text.value.trim()
    if (!written || charsLeft(written) < 0) return text.focus()
    const draft = { id: newId(), text: written, sentAt: new Date().toISOString() }
    outbox.add(draft)
    text.value = ""
    changed()
    text.focus()
    send(draft)
  })
  text.addEventListener("input", changed)
  text.addEventListener("keydown", (event) => {
    const plain = !event.shiftKey && !event.altKey && !event.isComposing
    if (event.key === "Enter" && plain && !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault()
      form.requestSubmit()
    }
  })
  hear("retry", ({ id }) => retry(id))
  hear("discard", ({ id }) => {
    outbox.drop(id)
    say("discarded", { id })
  })
  hear("connection", ({ connected }) => {
    if (connected) outbox.drafts().forEach((draft) => send(draft))
  })
  hear("channel-deleted", () => {
    text.disabled = true
    text.placeholder = "This channel was deleted."
  })
  hear("my-name", (name) => {
    room.dataset.userName = name
  })

  text.value ||= recall(draftKey) ?? ""
  changed()
  outbox.drafts().forEach((draft) => send(draft))
  if (!matchMedia("(pointer: coarse)").matches) text.focus()
}
