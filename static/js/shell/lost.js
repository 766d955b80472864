// A page that is not there. A channel that is gone must not be remembered as the one to return to.

import { recall, remember } from "../lib/memory.js"

/** @param {HTMLElement} page */
export function mountLost(page) {
  if (page.dataset.status === "404" && recall("channel") === channelOf(location.pathname)) {
    remember("channel", null)
  }
}

/** @param {string} path */
function channelOf(path) {
  try {
    return decodeURIComponent(path.replace("/channels/", ""))
  } catch {
    return null
  }
}
