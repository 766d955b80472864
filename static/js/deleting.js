// Deleting a message of one's own, after asking; and what the buttons of an unsent one do.

import { channelPath, request } from "./api.js"
import { say } from "./bus.js"
import { find, here, stamp } from "./page.js"

/** @param {HTMLElement} list */
export function mountDeleting(list) {
  list.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-action]")
    const item = button?.closest("li")
    if (button instanceof HTMLElement && item) act(button.dataset.action, item)
  })
  list.addEventListener("keydown", ({ key, target }) => {
    const item = /** @type {Element} */ (target).closest("li")
    if (key === "Escape" && item?.querySelector(".message__confirm")) keep(item)
  })
}

/**
 * @param {string | undefined} action
 * @param {HTMLElement} item
 */
function act(action, item) {
  const id = item.dataset.id ?? ""
  switch (action) {
    case "retry": return say("retry", { id })
    case "discard": return say("discard", { id })
    case "delete": return ask(item)
    case "keep": return keep(item)
    case "confirm": return remove(item, id)
  }
}

/** @param {HTMLElement} item */
function ask(item) {
  const confirm = stamp("confirm")
  find(item, '[data-action="delete"]').hidden = true
  find(item, ".message__actions").append(confirm)
  find(confirm, '[data-action="keep"]').focus()
  confirm.scrollIntoView({ block: "nearest" })
}

/** @param {HTMLElement} item */
function keep(item) {
  find(item, ".message__confirm").remove()
  const remove = find(item, '[data-action="delete"]')
  remove.hidden = false
  remove.focus()
}

/**
 * @param {HTMLElement} item
 * @param {string} id
 */
async function remove(item, id) {
  const { ok, status, why } = await request("DELETE", `${channelPath(here().channel)}/messages/${id}`)
  if (ok || status === 404) return say("message-deleted", { id })
  const question = item.querySelector(".message__question")
  if (question) question.textContent = why
}
