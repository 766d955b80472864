// The actions of a message where nothing hovers: a sheet at the bottom of the screen, with quick
// reactions first. The message stays in view above it.

import { draw } from "./drawing.js"
import { showReason } from "./message.js"
import { react } from "./reacting.js"
import { hasReacted } from "./reaction.js"
import { reactionsOf } from "./reactions.js"
import { find, here, part } from "../lib/page.js"

/** Between the message and the sheet. */
const SHEET_GAP_PX = 8

/**
 * @param {HTMLElement} toolbar
 * @param {import("../lib/mounting.js").Life} life
 * @param {(action: keyof import("../lib/mounting.js").OfActions, item: HTMLElement) => void} act
 */
export function actionSheet(toolbar, { on }, act) {
  const sheet = /** @type {HTMLDialogElement} */ (find(document, "#sheet"))
  const scroll = find(document, '[data-mount~="scroll"]')
  const quick = [...part(sheet, "quick").querySelectorAll("button")]
  /** The message that it is open for. @type {HTMLElement | null} */
  let item = null
  /** The finger that opened it is still there, and what comes of its leaving is not meant. */
  let isHeld = false

  /** Lifts the conversation until the message is above the sheet, or its beginning at the top. */
  const lift = () => {
    if (!item) return
    const [own, view] = [item, scroll].map((each) => each.getBoundingClientRect())
    // Where it will be when it has arrived.
    const top = innerHeight - sheet.offsetHeight
    const covered = Math.min(own.bottom + SHEET_GAP_PX - top, own.top - view.top)
    if (covered > 0) scroll.style.setProperty("--lift", `${covered}px`)
  }

  on(sheet, "pointerdown", () => (isHeld = false), { capture: true })
  on(sheet, "click", (event) => {
    if (!isHeld || event.detail === 0) return
    event.stopImmediatePropagation()
    event.preventDefault()
  }, { capture: true })
  on(sheet, "click", async ({ target }) => {
    const button = /** @type {Element} */ (target).closest("button")
    const message = item
    if (!button || !message) return
    // Closed first, so that the focus is where the action wants it.
    sheet.close()
    const { action, reaction } = button.dataset
    if (action) return act(/** @type {keyof import("../lib/mounting.js").OfActions} */ (action), message)
    const why = await react(message.dataset.id ?? "", reaction ?? "", button.ariaPressed !== "true")
    if (why && message.isConnected) draw(() => showReason(message, why))
  })
  on(sheet, "close", () => {
    scroll.style.removeProperty("--lift")
    item?.removeAttribute("data-open")
  })

  return {
    /** @param {HTMLElement} message @param {boolean} byFinger */
    open(message, byFinger) {
      item = message
      isHeld = byFinger
      const given = reactionsOf(message)
      for (const button of quick) button.ariaPressed = String(hasReacted(given, button.dataset.reaction ?? "", { id: here().user }))
      part(sheet, "actions").append(toolbar)
      message.dataset.open = ""
      sheet.showModal()
      lift()
    },
  }
}
