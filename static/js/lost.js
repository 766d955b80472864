// A page that is not there. A channel that is gone must not be remembered as the one to return to.

import { recall, remember } from "./memory.js"

/** @param {HTMLElement} page */
export function mountLost(page) {
  const remembered = recall("channel")
  const wanted = remembered && `/channels/${encodeURIComponent(remembered)}`
  if (page.dataset.status === "404" && wanted === location.pathname) remember("channel", null)
}
