// What is said, as it is said: each message once, whether its answer or its event comes first.

import { replaceUnplayable, showProgress } from "./attachments.js"
import { followClock } from "./clock.js"
import { draw, moved } from "./drawing.js"
import { MessageList } from "./message-list.js"
import { showFailure, showPending, showStored, showTimes } from "./message.js"
import { find, here, part, stamp } from "../lib/page.js"

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountMessages(element, { hear, signal }) {
  const list = new MessageList(element)
  const empty = part(document, "empty")
  const me = here().user
  /** Shown before the server began again: nothing new to the reader. */
  let seen = new Set()

  /** @param {() => object | void} change gives what `drawn` has to tell */
  const drawList = (change) =>
    draw(() => {
      const told = change()
      list.settle()
      empty.hidden = list.all().length > 0
      return told
    })

  /** @param {import("../net/api.js").Message} message @param {boolean} [isBack] whether it was here before */
  const show = (message, isBack = false) =>
    drawList(() => {
      const known = list.byId(message.id)
      const item = known ?? stamp("message")
      const settled = known?.dataset.seq === String(message.seq)
      const own = message.author.id === me
      showStored(item, message)
      const isNew = !known && !isBack && !seen.has(message.id)
      item.toggleAttribute("data-arriving", isNew)
      if (!settled) list.place(item)
      return { message, isNew, own }
    })

  /** @param {string} id */
  const drop = async (id) => {
    const item = list.byId(id)
    // One's own deed stays in sight for a while: it can be undone.
    if (!item || "deleting" in item.dataset) return
    const inIt = item.contains(document.activeElement)
    item.dataset.leaving = "gone"
    // What is typed into it meanwhile would be lost.
    if (!inIt) await moved(item)
    // Unless its id was used anew meanwhile.
    if (!item.dataset.leaving) return
    drawList(() => {
      // Whoever was in it stays in the conversation.
      if (inIt) find(document, '[data-mount~="scroll"]').focus({ preventScroll: true })
      item.remove()
    })
  }

  hear("message", (message) => show(message))
  hear("sent", ({ channel, message }) => channel === here().channel && show(message))
  hear("message-restored", (message) => show(message, true))
  hear("message-updated", (message) => list.byId(message.id) && show(message))
  hear("message-deleted", ({ id }) => drop(id))
  hear("discarded", ({ id }) => drop(id))
  hear("reset", () =>
    drawList(() => {
      seen = new Set(list.stored().map((item) => item.dataset.id))
      list.stored().forEach((item) => item.remove())
      return { isReset: true }
    }),
  )

  hear("sending", (draft) => {
    const known = list.byId(draft.id)
    if (draft.channel !== here().channel || known?.dataset.seq) return
    drawList(() => {
      const item = known ?? stamp("message")
      showPending(item, draft)
      if (!known) list.append(item)
      return { isNew: !known, own: true }
    })
  })
  hear("progress", ({ id, sent }) => {
    const item = list.byId(id)
    if (item && !item.dataset.seq) showProgress(item, sent)
  })
  hear("not-sent", ({ id, why, retries }) => {
    const item = list.byId(id)
    if (item && !item.dataset.seq) drawList(() => showFailure(item, why, retries))
  })

  replaceUnplayable(element)
  followClock(element, {
    onTimes: () => drawList(() => list.all().forEach(showTimes)),
    onDay: () => drawList(() => {}),
  }, signal)
  drawList(() => {})
}
