// The list of messages on the page: stored ones by `seq`, those under way after them, with notices and day
// lines between; and how behaviours change it.

import { dateOf, dayView } from "./local-time.js"
import { say } from "../lib/mounting.js"
import { drawn, fill, find, reader, stamp } from "../lib/page.js"

/**
 * The order of the conversation on the page. A notice is never written into somebody's run of messages: it
 * stands after the last of it. The list's elements are all its state, so several behaviours can each have
 * one of it.
 */
export class MessageList {
  #list

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list
  }

  /** @returns {HTMLElement[]} every message, from top to bottom */
  all() {
    return [...this.#list.querySelectorAll(/** @type {"li"} */ (".message"))]
  }

  /** Those that the server has. */
  stored() {
    return this.all().filter((item) => item.dataset.seq)
  }

  /** @param {string} id */
  byId(id) {
    return this.all().find((item) => item.dataset.id === id)
  }

  /** The notice that nothing stored was said after, if there is one. */
  openNotice() {
    const last = this.stored().at(-1)
    const notices = [...this.#list.querySelectorAll(/** @type {"li"} */ (".notice"))]
    return notices.findLast((line) => !last || last.compareDocumentPosition(line) & Node.DOCUMENT_POSITION_FOLLOWING)
  }

  /**
   * Puts a stored message where its `seq` belongs.
   *
   * @param {HTMLElement} item
   */
  place(item) {
    const others = this.stored().filter((other) => other !== item)
    const at = placeOf(others.map((other) => Number(other.dataset.seq)), Number(item.dataset.seq))
    if (at < others.length) others[at].before(item)
    else this.tell(item)
  }

  /**
   * Adds after all that is stored.
   *
   * @param {HTMLElement} item
   */
  tell(item) {
    const end = this.#end(item)
    // Moving an element takes the focus from it.
    if (item.parentElement !== this.#list || item.nextElementSibling !== end) this.#list.insertBefore(item, end)
  }

  /**
   * Adds a message under way, after everything.
   *
   * @param {HTMLElement} item
   */
  append(item) {
    this.#list.append(item)
  }

  /** Makes true again what depends on neighbours: the bound, day lines and runs. */
  settle() {
    this.#trim()
    const [{ locale }, now] = [reader(), new Date()]
    let before = null
    for (const item of this.all()) {
      const placed = { author: item.dataset.author ?? "", sentAt: item.dataset.sentAt ?? "" }
      this.#drawDay(item, sameDay(before, placed) ? null : dayView(new Date(placed.sentAt), locale, now))
      const goesOn = continues(before, placed)
      // What was told meanwhile waits for the end of the run.
      for (let above = item.previousElementSibling; goesOn && above?.classList.contains("notice"); above = item.previousElementSibling) {
        // It has arrived already.
        above.removeAttribute("data-arriving")
        item.after(above)
      }
      const neighbour = item.previousElementSibling?.classList.contains("message")
      item.toggleAttribute("data-continues", Boolean(neighbour) && goesOn)
      before = placed
    }
    for (const line of this.#list.querySelectorAll(".day")) {
      if (!line.nextElementSibling?.classList.contains("message")) line.remove()
    }
  }

  /** The server keeps so many messages and does not say when the oldest goes. */
  #trim() {
    const stored = this.stored().filter(({ dataset }) => dataset.leaving !== "gone")
    const surplus = stored.slice(0, Math.max(0, stored.length - Number(this.#list.dataset.kept)))
    for (const item of surplus) {
      // What was told before it has nothing to stand beside any more.
      while (item.previousElementSibling) item.previousElementSibling.remove()
      item.remove()
    }
  }

  /**
   * @param {HTMLElement} item
   * @param {import("../lib/page.js").View | null} day that begins with it, if one does
   */
  #drawDay(item, day) {
    const above = item.previousElementSibling
    const line = above?.classList.contains("day") ? above : null
    if (!day) line?.remove()
    else if (line) fill(line, day)
    else item.before(drawn("day", day))
  }

  /**
   * What the messages under way begin with, a day line included.
   *
   * @param {HTMLElement} [but] is not looked at
   */
  #end(but) {
    const first = this.all().find((item) => !item.dataset.seq && item !== but)
    const above = first?.previousElementSibling
    return above?.classList.contains("day") ? above : (first ?? null)
  }
}

/** Messages of one author this close together are one run. */
const RUN_MS = 5 * 60 * 1000

/**
 * @typedef {object} Placed
 * @property {string} author the author's id
 * @property {string} sentAt RFC 3339
 */

/**
 * Whether a message continues the run of the one before it.
 *
 * @param {Placed | null} before
 * @param {Placed} message
 */
export function continues(before, message) {
  if (!before || before.author !== message.author || !sameDay(before, message)) return false
  return Date.parse(message.sentAt) - Date.parse(before.sentAt) < RUN_MS
}

/**
 * Whether two messages were sent on one day, where the reader is.
 *
 * @param {Placed | null} before
 * @param {Placed} message
 */
export function sameDay(before, message) {
  return before !== null && dateOf(new Date(before.sentAt)) === dateOf(new Date(message.sentAt))
}

/**
 * Where a message belongs among those that are there: before the first with a larger `seq`.
 *
 * @param {number[]} seqs ascending
 * @param {number} seq
 */
export function placeOf(seqs, seq) {
  const later = seqs.findIndex((other) => other > seq)
  return later === -1 ? seqs.length : later
}

/**
 * Changes what the conversation shows: whoever follows it is told before and after.
 *
 * @param {() => object | void} change gives what `drawn` has to tell
 */
export function draw(change) {
  say("drawing")
  const told = change()
  say("drawn", { message: null, isNew: false, own: false, isReset: false, ...told })
}

/**
 * Lets a movement come to its end, where there is one and somebody sees it.
 *
 * @param {Element} element
 */
export async function moved(element) {
  if (!document.hidden) await Promise.allSettled(element.getAnimations().map(({ finished }) => finished))
}

/**
 * Says why something that was asked of a message could not be.
 *
 * @param {HTMLElement} item
 * @param {string} why
 */
export function showReason(item, why) {
  item.querySelector(".message__failure")?.remove()
  const reason = stamp("reason")
  find(reason, ".message__why").textContent = why
  item.append(reason)
}
