// The conversation: stored messages by `seq`, pending ones after them, day lines, notices.

import { channelPath, request } from "./api.js"
import { hear, say } from "./bus.js"
import { fold, tell } from "./folding.js"
import { fill, fillPending, finish, stamp } from "./message.js"
import { continues, dayName, placeOf, sameDay } from "./timeline.js"

/** @param {HTMLElement} list */
export function mountMessages(list) {
  const room = /** @type {HTMLElement} */ (document.querySelector('[data-mount~="room"]'))
  const empty = /** @type {HTMLElement} */ (document.querySelector('[data-part="empty"]'))
  const me = room.dataset.user ?? ""
  const kept = Number(room.dataset.kept)

  const all = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".message")])
  const stored = () => all().filter((item) => item.dataset.seq)
  const byId = (id) => all().find((item) => item.dataset.id === id)
  const pending = () => all().find((item) => !item.dataset.seq) ?? null

  /** Puts what changed into words and order: runs, days, the empty state, the bound. */
  const tidy = () => {
    const items = stored()
    items.slice(0, Math.max(0, items.length - kept)).forEach((item) => item.remove())
    list.querySelectorAll(".day").forEach((line) => line.remove())
    let before = null
    for (const item of all()) {
      const placed = { author: item.dataset.author ?? "", sentAt: item.dataset.sentAt ?? "" }
      if (!sameDay(before, placed)) {
        const line = stamp("day")
        line.firstElementChild.textContent = dayName(placed.sentAt, new Date())
        item.before(line)
      }
      const noticeBetween = item.previousElementSibling?.classList.contains("notice")
      item.toggleAttribute("data-continues", !noticeBetween && continues(before, placed))
      before = placed
    }
    empty.hidden = list.childElementCount > 0
  }

  const place = (item, seq) => {
    const others = stored().filter((other) => other !== item)
    const at = placeOf(others.map((other) => Number(other.dataset.seq)), seq)
    const next = others[at] ?? pending()
    if (next) list.insertBefore(item, next)
    else list.append(item)
  }

  const show = (message) => {
    const known = byId(message.id)
    const item = known ?? stamp("message")
    const settled = known?.dataset.seq
    fill(item, message)
    if (message.author.id !== me) item.querySelector('[data-action="delete"]')?.remove()
    else item.dataset.own = ""
    if (!known) item.dataset.arriving = ""
    if (!settled) place(item, message.seq)
    tidy()
    say("drawn", { message, isNew: !known, own: message.author.id === me })
  }

  hear("message", show)
  hear("message-updated", (message) => byId(message.id) && show(message))
  hear("message-deleted", ({ id }) => {
    byId(id)?.remove()
    tidy()
  })
  hear("reset", () => {
    list.querySelectorAll(".message[data-seq], .notice").forEach((item) => item.remove())
    tidy()
  })

  hear("sending", (draft) => {
    const item = byId(draft.id) ?? stamp("message")
    if (item.dataset.seq) return
    item.querySelector(".message__failure")?.remove()
    fillPending(item, draft)
    item.dataset.own = ""
    list.append(item)
    tidy()
    say("drawn", { message: null, isNew: true, own: true })
  })
  hear("sent", (message) => show(message))
  hear("not-sent", ({ id, why }) => {
    const item = byId(id)
    if (!item || item.dataset.seq) return
    item.dataset.state = "failed"
    const failure = stamp("failure")
    failure.querySelector(".message__why").textContent = `Not sent: ${why}`
    item.querySelector(".message__failure")?.remove()
    item.append(failure)
    say("drawn", { message: null, isNew: true, own: true })
  })
  hear("discarded", ({ id }) => {
    byId(id)?.remove()
    tidy()
  })

  const notice = (kind) => ({ user }) => {
    if (user.id === me) return
    const last = list.lastElementChild
    const open = last?.classList.contains("notice") ? last : null
    const moves = fold(open ? JSON.parse(open.dataset.moves ?? "[]") : [], { kind, ...user })
    if (moves.length === 0) return void open?.remove()
    const item = open ?? stamp("notice")
    item.dataset.moves = JSON.stringify(moves)
    item.firstElementChild.textContent = tell(moves)
    if (!open) list.insertBefore(item, pending())
    empty.hidden = true
    say("drawn", { message: null, isNew: false, own: false })
  }
  hear("joined", notice("joined"))
  hear("left", notice("left"))

  list.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-action]")
    const item = /** @type {HTMLElement | null} */ (button?.closest(".message") ?? null)
    if (button && item) act(/** @type {HTMLElement} */ (button), item, room.dataset.channel ?? "")
  })

  for (const item of all()) finish(item)
  tidy()
}

/**
 * What the buttons of a message do.
 *
 * @param {HTMLElement} button
 * @param {HTMLElement} item
 * @param {string} channel
 */
async function act(button, item, channel) {
  const actions = /** @type {HTMLElement} */ (item.querySelector(".message__actions"))
  const id = item.dataset.id ?? ""
  switch (button.dataset.action) {
    case "retry":
      return say("retry", { id })
    case "discard":
      return say("discard", { id })
    case "delete": {
      button.hidden = true
      const confirm = stamp("confirm")
      actions.append(confirm)
      return /** @type {HTMLElement} */ (confirm.querySelector('[data-action="keep"]')).focus()
    }
    case "keep":
      return closeConfirm(actions)
    case "confirm": {
      const { ok, status, why } = await request("DELETE", `${channelPath(channel)}/messages/${id}`)
      if (ok || status === 404) return item.remove()
      /** @type {HTMLElement} */ (actions.querySelector(".message__question")).textContent = why
    }
  }
}

/** @param {HTMLElement} actions */
function closeConfirm(actions) {
  actions.querySelector(".message__confirm")?.remove()
  const remove = /** @type {HTMLElement} */ (actions.querySelector('[data-action="delete"]'))
  remove.hidden = false
  remove.focus()
}
