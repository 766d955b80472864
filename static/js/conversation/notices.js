// Who joined and who left, as quiet lines in the conversation.

import { draw } from "./drawing.js"
import { fold, noticeWords } from "./folding.js"
import { MessageList } from "./message-list.js"
import { here, stamp } from "../lib/page.js"

/** @typedef {import("./folding.js").Move} Move */

/** What each line tells of. @type {WeakMap<Element, Move[]>} */
const told = new WeakMap()

/** @param {HTMLElement} element @param {import("../lib/mounting.js").Life} life */
export function mountNotices(element, { hear }) {
  const list = new MessageList(element)
  const me = here().user

  /** @param {"joined" | "left"} kind */
  const notice = (kind) => (/** @type {{user: import("../net/api.js").User}} */ { user }) => {
    if (user.id === me) return
    draw(() => {
      const open = list.openNotice()
      const moves = fold((open && told.get(open)) ?? [], { kind, ...user })
      if (moves.length === 0) open?.remove()
      else {
        const line = open ?? stamp("notice")
        write(line, moves)
        line.toggleAttribute("data-arriving", !open)
        if (!open) list.tell(line)
      }
      list.settle()
    })
  }

  /**
   * @param {HTMLElement} line
   * @param {Move[]} moves
   */
  const write = (line, moves) => {
    told.set(line, moves)
    const text = /** @type {Element} */ (line.firstElementChild)
    text.textContent = noticeWords(moves)
  }

  // What stood between two of them is gone, or was put above.
  hear("drawn", () => {
    for (const line of element.querySelectorAll(/** @type {"li"} */ (".notice + .notice"))) {
      const before = /** @type {HTMLElement} */ (line.previousElementSibling)
      const moves = [before, line].flatMap((each) => told.get(each) ?? []).reduce(fold, /** @type {Move[]} */ ([]))
      line.remove()
      if (moves.length > 0) write(before, moves)
      else before.remove()
    }
  })
  hear("joined", notice("joined"))
  hear("left", notice("left"))
  hear("renamed", (user) => {
    for (const line of element.querySelectorAll(/** @type {"li"} */ (".notice"))) {
      const moves = told.get(line) ?? []
      write(line, moves.map((move) => (move.id === user.id ? { ...move, ...user } : move)))
    }
  })
}
