// Editing a message of one's own, in its place. What was typed outlives whatever happens to the
// message meanwhile.

import { charsLeft, prefill } from "../composer/writing.js"
import { draw } from "./drawing.js"
import { editForm } from "./edit-form.js"
import { MessageList } from "./message-list.js"
import { say } from "../lib/mounting.js"
import { find, here, part } from "../lib/page.js"
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

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
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

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
export function mountEditLast(form, { on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  on(text, "keydown", (event) => {
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey && !event.isComposing
    if (event.key !== "ArrowUp" || !plain || text.value || event.defaultPrevented) return
    event.preventDefault()
    say("edit-last", { from: text })
  })
}
