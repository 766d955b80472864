// A word in passing, seen and heard: what was just done, or cannot be.


const SHOWN_MS = 4_000

/** @param {HTMLElement} toast @param {import("../lib/mounting.js").Life} life */
export function mountToast(toast, { hear, later }) {
  let timer = 0
  hear("tell", ({ text }) => {
    clearTimeout(timer)
    toast.textContent = text
    timer = later(() => (toast.textContent = ""), SHOWN_MS)
  })
}
