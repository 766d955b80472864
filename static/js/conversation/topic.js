// What the channel is about.


/** @param {HTMLElement} line @param {import("../lib/mounting.js").Life} life */
export function mountTopic(line, { hear }) {
  hear("channel-updated", ({ topic }) => {
    line.textContent = topic
    line.title = topic
    line.hidden = topic === ""
  })
}
