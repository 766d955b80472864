// What the page says of itself: the state of the connection when it is not well, and, in passing, what was
// just done or cannot be.

import { say } from "../lib/mounting.js"
import { find, part } from "../lib/page.js"

/** Shorter losses heal unseen. */
const UNSEEN_LOSS_MS = 1_500

const CONNECTION_LOST = "Connection lost. What you write is kept and sent when it is back."
const OFFLINE = "You are offline. What you write is kept and sent when you are back."
const DELETED = "This channel was deleted."

/**
 * @param {HTMLElement} region announces what is said in it, so the countdown is kept out of that
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountBanner(region, { hear, on, later, every }) {
  const banner = part(region, "banner")
  const text = part(region, "text")
  const countdown = part(region, "countdown")
  const connectNow = find(region, '[data-action="connect-now"]')
  let ticking = 0
  let patience = 0
  let over = false

  /** @param {string} words */
  const show = (words) => {
    if (text.textContent !== words) text.textContent = words
    banner.hidden = false
  }
  const calm = () => {
    clearInterval(ticking)
    clearTimeout(patience)
    countdown.textContent = ""
  }

  hear("connection", ({ connected, retryInMs }) => {
    if (over) return
    calm()
    if (connected) {
      banner.hidden = true
      return
    }
    const retryAt = Date.now() + retryInMs
    const tick = () => (countdown.textContent = ` ${nextAttempt(retryAt - Date.now())}`)
    const begin = () => {
      show(navigator.onLine ? CONNECTION_LOST : OFFLINE)
      if (!navigator.onLine) return
      tick()
      ticking = every(tick, 1_000)
    }
    if (!banner.hidden || !navigator.onLine) begin()
    else patience = later(begin, UNSEEN_LOSS_MS)
  })

  hear("opened", () => {
    if (!over) return
    over = false
    connectNow.hidden = false
    part(region, "home").hidden = true
    banner.hidden = true
  })
  hear("channel-deleted", () => {
    over = true
    calm()
    connectNow.hidden = true
    part(region, "home").hidden = false
    show(DELETED)
  })

  on(connectNow, "click", () => say("connect-now"))
}

/** @param {number} ms until then */
function nextAttempt(ms) {
  return ms > 0 ? `Trying again in ${Math.ceil(ms / 1000)} s.` : "Trying again…"
}

const SHOWN_MS = 4_000

/**
 * What was just done, or cannot be, seen and heard.
 *
 * @param {HTMLElement} toast
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountToast(toast, { hear, later }) {
  let timer = 0
  hear("tell", ({ text }) => {
    clearTimeout(timer)
    toast.textContent = text
    timer = later(() => (toast.textContent = ""), SHOWN_MS)
  })
}
