// Who one is: another name, or signing out.

import { request } from "./api.js"
import { hear, say } from "./bus.js"
import { showAvatar } from "./message.js"
import { remember } from "./memory.js"

/** @param {HTMLDetailsElement} me */
export function mountMe(me) {
  const form = /** @type {HTMLFormElement} */ (me.querySelector('[data-part="rename"]'))
  const error = /** @type {HTMLElement} */ (form.querySelector('[data-part="error"]'))
  const mine = /** @type {HTMLElement} */ (me.querySelector("[data-user]")).dataset.user
  form.hidden = false

  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const answer = await request("PATCH", "/session", Object.fromEntries(new FormData(form)))
    error.hidden = answer.ok
    error.textContent = answer.why
    if (!answer.ok) return
    say("renamed", answer.body.user)
    me.open = false
  })

  hear("renamed", (user) => {
    for (const name of document.querySelectorAll(`[data-user="${CSS.escape(user.id)}"]:not([data-mount])`)) {
      name.textContent = user.display_name
    }
    for (const item of document.querySelectorAll(`.message[data-author="${CSS.escape(user.id)}"]`)) {
      showAvatar(/** @type {HTMLElement} */ (item.querySelector(".message__avatar")), user)
    }
    if (user.id !== mine) return
    showAvatar(/** @type {HTMLElement} */ (me.querySelector(".avatar")), user)
    remember("name", user.display_name)
    say("my-name", user.display_name)
  })
}
