// A word in passing, seen and heard: what was just done, or cannot be.

import { hear } from "./bus.js"

const SHOWN_MS = 4_000

/** @param {HTMLElement} toast */
export function mountToast(toast) {
  let timer = 0
  hear("tell", ({ text }) => {
    clearTimeout(timer)
    toast.textContent = text
    timer = setTimeout(() => (toast.textContent = ""), SHOWN_MS)
  })
}
