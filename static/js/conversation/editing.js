// Changing what was said: editing a message of one's own in its place, and deleting one.

import { charsLeft, grow, isDone, limitWords, prefill } from "../composer/writing.js"
import { draw, MessageList, showReason } from "./message-list.js"
import { say } from "../lib/mounting.js"
import { find, here, part, stamp } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** After a reset all that is stored comes again: by then at the latest. */
const COMES_BACK_MS = 3_000

/**
 * @typedef {object} Edit
 * @property {HTMLElement} form
 * @property {HTMLTextAreaElement} field
 * @property {string} text what the message said when the edit began
 * @property {HTMLElement | null} from where the focus goes afterwards
 */

/**
 * Editing a message of one's own, in its place. What was typed outlives whatever happens to the message
 * meanwhile.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountEditing(element, { hear, later }) {
  const list = new MessageList(element)
  /** @type {Map<string, Edit>} by the message's id */
  const edits = new Map()
  let resetting = 0

  /**
   * @param {string} id
   * @param {HTMLElement | null} from
   */
  const begin = (id, from) => {
    const item = list.byId(id)
    if (!item?.dataset.seq || !("own" in item.dataset)) return
    const known = edits.get(id)
    if (known) return known.field.focus()
    const { form, field } = editForm({ save: () => save(id), cancel: () => end(id) })
    edits.set(id, { form, field, text: item.dataset.text ?? "", from })
    draw(() => attachForm(item, form))
    prefill(field, item.dataset.text ?? "")
    form.scrollIntoView({ block: "nearest" })
  }

  /** @param {string} id */
  const save = async (id) => {
    const edit = edits.get(id)
    if (!edit || edit.form.ariaBusy === "true" || charsLeft(edit.field.value) < 0) return
    edit.form.ariaBusy = "true"
    const answer = await request("PUT", `${channelPath(here().channel)}/messages/${id}`, { text: edit.field.value })
    edit.form.ariaBusy = null
    if (!answer.ok) return draw(() => void (part(edit.form, "error").textContent = `Not saved: ${answer.why}`))
    end(id)
    // The stream may have brought this already, and more.
    const shown = list.byId(id)?.querySelector(/** @type {"span"} */ (".message__edited"))?.dataset.at ?? ""
    if (shown < answer.body.edited_at) say("message-updated", answer.body)
  }

  /** @param {string} id */
  const end = (id) => {
    const edit = edits.get(id)
    if (!edit) return
    edits.delete(id)
    const item = edit.form.closest("li")
    const hadFocus = edit.form.contains(document.activeElement)
    draw(() => {
      edit.form.remove()
      item?.removeAttribute("data-editing")
    })
    if (hadFocus) (edit.from ?? item)?.focus()
  }

  /** Each form is where its message is; what was typed for a message that is gone goes to the message box. */
  const look = () => {
    for (const [id, edit] of edits) {
      const item = list.byId(id)
      if (item && !item.contains(edit.form)) {
        attachForm(item, edit.form)
        if (document.activeElement === document.body) edit.field.focus({ preventScroll: true })
      }
      // The change may be this one, told before its own answer.
      const changed = item && item.dataset.text !== edit.text && edit.form.ariaBusy !== "true"
      const note = changed ? "This message was changed elsewhere meanwhile. Saving replaces that." : ""
      if (part(edit.form, "note").textContent !== note) part(edit.form, "note").textContent = note
      if (item || resetting) continue
      edits.delete(id)
      if (edit.field.value.trim() !== edit.text) say("left-over", { words: edit.field.value.trim() })
    }
  }

  hear("edit", ({ id }) => begin(id, null))
  hear("edit-last", ({ from }) => {
    const last = list.stored().findLast((item) => "own" in item.dataset && !("deleting" in item.dataset))
    if (last) begin(last.dataset.id ?? "", from)
  })
  hear("drawn", ({ isReset }) => {
    if (isReset) {
      clearTimeout(resetting)
      resetting = later(() => {
        resetting = 0
        look()
      }, COMES_BACK_MS)
    }
    look()
  })
}

/**
 * @param {HTMLElement} item
 * @param {HTMLElement} form
 */
function attachForm(item, form) {
  find(item, ".message__body").after(form)
  item.dataset.editing = ""
}

/**
 * The key that edits one's last message from the message box.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountEditLast(form, { on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  on(text, "keydown", (event) => {
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey && !event.isComposing
    if (event.key !== "ArrowUp" || !plain || text.value || event.defaultPrevented) return
    event.preventDefault()
    say("edit-last", { from: text })
  })
}

/**
 * The form in which a message is written anew.
 *
 * @param {{save: () => void, cancel: () => void}} acts
 * @returns {{form: HTMLElement, field: HTMLTextAreaElement}}
 */
function editForm({ save, cancel }) {
  const form = stamp("edit")
  const field = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const limit = part(form, "limit")

  field.addEventListener("input", () => {
    limit.textContent = limitWords(charsLeft(field.value))
    limit.toggleAttribute("data-over", charsLeft(field.value) < 0)
    part(form, "error").textContent = ""
    grow(field)
  })
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) cancel()
    else if (event.target === field && isDone(event)) save()
    else return
    event.preventDefault()
  })
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    save()
  })
  part(form, "cancel").addEventListener("click", cancel)
  return { form, field }
}

/** How long one can think better of it. The server waits a little longer. */
const UNDO_MS = 10_000

const TICK_MS = 250

/**
 * Deleting a message: it is deleted at once, and folds into a line from which it can be brought back for a
 * while.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDeleting(element, { hear, every, atEnd }) {
  const list = new MessageList(element)
  const { channel } = here()
  /**
   * By the message's id: `isTold` once the stream told of it, `isRegretted` when it was undone before it
   * was done. @type {Map<string, {line: HTMLElement, until: number, isTold: boolean, isRegretted: boolean}>}
   */
  const deleted = new Map()
  let ticking = 0

  const pathOf = (/** @type {string} */ id) => `${channelPath(channel)}/messages/${id}`
  const tick = () => {
    for (const [id, { line, until }] of deleted) {
      const left = Math.ceil((until - Date.now()) / 1_000)
      part(line, "left").textContent = String(Math.max(1, left))
      if (left <= 0 || !line.isConnected) letGo(id)
    }
    if (deleted.size === 0) {
      clearInterval(ticking)
      ticking = 0
    }
  }

  /** @param {string} id */
  const remove = async (id) => {
    const item = list.byId(id)
    if (!item || deleted.has(id)) return
    const line = stamp("undo")
    const button = find(line, "button")
    button.ariaDisabled = "true"
    draw(() => {
      item.dataset.deleting = ""
      item.append(line)
    })
    button.focus({ preventScroll: true })
    const deletion = { line, until: Infinity, isTold: false, isRegretted: false }
    deleted.set(id, deletion)
    // It has to outlive the page: this may be the reader leaving.
    const { ok, status, why } = await request("DELETE", pathOf(id), undefined, { keepalive: true })
    if (!deleted.has(id)) return
    if (status === 404) return letGo(id)
    if (!ok) return unfold(id, `Not deleted: ${why}`)
    button.ariaDisabled = null
    deletion.until = Date.now() + UNDO_MS
    ticking ||= every(tick, TICK_MS)
    tick()
    if (deletion.isRegretted) await restore(id)
  }
  /** @param {string} id */
  const restore = async (id) => {
    const deletion = deleted.get(id)
    if (!deletion) return
    const { line } = deletion
    const button = find(line, "button")
    if (button.ariaDisabled) {
      deletion.isRegretted = deletion.until === Infinity
      return
    }
    button.ariaDisabled = "true"
    const { ok, body, why } = await request("POST", `${pathOf(id)}/restore`)
    if (!deleted.has(id)) return
    if (ok) {
      unfold(id, "")
      return say("message-restored", body)
    }
    button.ariaDisabled = null
    part(line, "text").textContent = `Not restored: ${why}`
  }

  /** The message is shown again. @param {string} id @param {string} why it is, unless that was asked for */
  const unfold = (id, why) => {
    const item = list.byId(id)
    deleted.delete(id)
    if (!item) return
    const hadFocus = item.contains(document.activeElement)
    draw(() => {
      item.querySelector(".undo")?.remove()
      item.removeAttribute("data-deleting")
      if (why) showReason(item, why)
    })
    if (hadFocus) item.focus({ preventScroll: true })
  }
  /** It is gone for good. @param {string} id */
  const letGo = (id) => {
    deleted.delete(id)
    list.byId(id)?.removeAttribute("data-deleting")
    say("message-deleted", { id })
  }

  hear("delete", ({ id }) => remove(id))
  hear("undo", ({ id }) => restore(id))
  hear("message-deleted", ({ id }) => {
    const deletion = deleted.get(id)
    if (deletion) deletion.isTold = true
  })
  // Another tab may have brought it back, or its id is used anew. What is told before the deletion is
  // of an earlier one.
  for (const event of /** @type {const} */ (["message", "message-restored"])) hear(event, ({ id }) => deleted.get(id)?.isTold && unfold(id, ""))
  atEnd(() => [...deleted.keys()].forEach((id) => list.byId(id)?.remove()))
}
