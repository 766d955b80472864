// A new name shows at once, wherever its owner is named: by `data-name-of` and `data-avatar-of`.

import { initials } from "./avatar.js"
import { hear, say } from "./bus.js"
import { remember } from "./memory.js"

/** @param {HTMLElement} room */
export function mountNames(room) {
  hear("everywhere-renamed", ({ user }) => say("renamed", user))
  hear("renamed", (user) => {
    const id = CSS.escape(user.id)
    for (const name of document.querySelectorAll(`[data-name-of="${id}"]`)) {
      name.textContent = user.display_name
    }
    for (const avatar of document.querySelectorAll(`[data-avatar-of="${id}"]`)) {
      avatar.textContent = initials(user.display_name)
    }
    if (user.id !== room.dataset.user) return
    room.dataset.userName = user.display_name
    remember("name", user.display_name)
  })
}
