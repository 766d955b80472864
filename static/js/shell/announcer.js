// What others say, for those who listen to the page. Never a flood: bursts become a number.


/** Messages within this time are announced together. */
const ANNOUNCE_AFTER_MS = 1_000

/** Nobody listens to more of a message than this in passing. */
const ANNOUNCED_CHARS = 200

/** @param {HTMLElement} announcer @param {import("../lib/mounting.js").Life} life */
export function mountAnnouncer(announcer, { hear, later }) {
  /** @type {string[]} */
  let waiting = []
  let catchingUp = false
  // What was missed is told as one, with whether anything was lost.
  hear("catching-up", (is) => (catchingUp = is))
  hear("drawn", ({ message, isNew, own }) => {
    if (!message || !isNew || own || catchingUp) return
    waiting.push(`${message.author.display_name}: ${brief(message.text)}`)
    if (waiting.length > 1) return
    later(() => {
      announcer.textContent = waiting.length === 1 ? waiting[0] : `${waiting.length} new messages`
      waiting = []
    }, ANNOUNCE_AFTER_MS)
  })
}

/** @param {string} text */
function brief(text) {
  const chars = [...text]
  return chars.length > ANNOUNCED_CHARS ? `${chars.slice(0, ANNOUNCED_CHARS).join("")}…` : text
}
