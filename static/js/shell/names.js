// A new name shows at once, wherever its owner is named: by `data-name-of` and `data-avatar-of`.

import { hrefOfName } from "../lib/addresses.js"
import { initials } from "../lib/avatar.js"
import { remember } from "../lib/browser.js"
import { say } from "../lib/mounting.js"

/** @param {HTMLElement} shell @param {import("../lib/mounting.js").Life} life */
export function mountNames(shell, { hear }) {
  /** Who took another name while this page is open, by id. @type {Map<string, import("../net/api.js").User>} */
  const renamed = new Map()

  hear("everywhere-renamed", ({ user }) => say("renamed", user))
  hear("renamed", (user) => {
    renamed.set(user.id, user)
    rename(user)
    if (user.id !== shell.dataset.user) return
    shell.dataset.userName = user.display_name
    remember("name", user.display_name)
  })
  // A view that was put aside has not heard of it.
  hear("entered", () => renamed.forEach(rename))
}

/** @param {import("../net/api.js").User} user */
function rename(user) {
  const id = CSS.escape(user.id)
  for (const name of document.querySelectorAll(`[data-name-of="${id}"]`)) {
    if (name.textContent !== user.display_name) name.textContent = user.display_name
    if (name instanceof HTMLAnchorElement) name.href = hrefOfName(user.display_name)
  }
  for (const avatar of document.querySelectorAll(`[data-avatar-of="${id}"]`)) {
    avatar.textContent = initials(user.display_name)
  }
}
