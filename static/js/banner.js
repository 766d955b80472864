// The state of the connection, when it is not well.

import { hear, say } from "./bus.js"

/** Shorter losses heal unseen. */
const PATIENCE_MS = 1_500

/** @param {HTMLElement} banner */
export function mountBanner(banner) {
  const text = /** @type {HTMLElement} */ (banner.querySelector('[data-part="text"]'))
  const retry = /** @type {HTMLButtonElement} */ (banner.querySelector('[data-action="retry"]'))
  let lost = false
  let countdown = 0
  let patience = 0

  const show = (words) => {
    if (text.textContent !== words) text.textContent = words
    banner.hidden = false
  }

  hear("connection", ({ connected, retryInMs }) => {
    clearInterval(countdown)
    clearTimeout(patience)
    if (connected) {
      lost = false
      banner.hidden = true
      return
    }
    const retryAt = Date.now() + retryInMs
    const tell = () => show(lostWords(Math.ceil((retryAt - Date.now()) / 1000)))
    const begin = () => {
      lost = true
      tell()
      if (retryInMs) countdown = setInterval(tell, 1_000)
    }
    if (lost || !navigator.onLine) begin()
    else patience = setTimeout(begin, PATIENCE_MS)
  })

  hear("channel-deleted", () => {
    clearInterval(countdown)
    clearTimeout(patience)
    retry.hidden = true
    show("This channel was deleted. ")
    const home = document.createElement("a")
    home.href = "/channels/general"
    home.textContent = "Go to #general"
    text.append(home)
  })

  retry.addEventListener("click", () => say("connect-now"))
}

/** @param {number} seconds until the next attempt; 0 or less: now, or when the network is back */
function lostWords(seconds) {
  if (!navigator.onLine) return "You are offline. What you write is kept and sent when you are back."
  if (seconds <= 0) return "Connection lost. Trying again…"
  return `Connection lost. Trying again in ${seconds} s. What you write is kept.`
}
