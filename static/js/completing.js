// Completing while writing: a list over the message box, of people after `@` and channels after `#`.

import { hear } from "./bus.js"
import { complete, completions, tokenAt } from "./completion.js"
import { everybody, readEverybody } from "./everybody.js"
import { Listbox } from "./listbox.js"
import { initial } from "./message.js"
import { find, here, stamp } from "./page.js"

/** @typedef {import("./completion.js").Candidate & {id?: string, aside?: string}} Candidate */

/** @param {HTMLTextAreaElement} text */
export function mountCompleting(text) {
  const list = find(document, "#completions")
  /** @type {import("./completion.js").Token | null} */
  let token = null
  /** @type {string[]} names of the public channels */
  let channels = []
  /** Put away with Escape, until another one begins. */
  let dismissed = -1

  /** @returns {Candidate[]} */
  const candidates = () => {
    if (token?.sign === "#") return channels.map((name) => ({ name, near: true }))
    const me = here().user
    const near = new Set([...document.querySelectorAll(/** @type {"li"} */ (".person"))].map(({ dataset }) => dataset.id))
    return everybody()
      .filter(({ id }) => id !== me)
      .map(({ id, display_name, online }) => ({
        id,
        name: display_name,
        near: near.has(id),
        aside: online ? "online" : "",
      }))
  }

  const close = () => {
    token = null
    list.hidden = true
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-autocomplete"]) text.removeAttribute(name)
    listbox.rest()
  }
  const look = () => {
    const before = token
    token = text.selectionStart === text.selectionEnd ? tokenAt(text.value, text.selectionStart) : null
    if (token && !before && token.sign === "@") readEverybody()
    if (token?.start !== dismissed) dismissed = -1
    listbox.restart()
    draw()
  }
  const draw = () => {
    const found = token && token.start !== dismissed ? completions(candidates(), token.query) : []
    if (found.length === 0) return close()
    list.replaceChildren(...found.map((candidate) => optionOf(candidate, token?.sign ?? "@")))
    list.ariaLabel = token?.sign === "#" ? "Channels" : "People"
    list.hidden = false
    // Only while there is a list is the box more than a box.
    text.setAttribute("role", "combobox")
    text.setAttribute("aria-expanded", "true")
    text.setAttribute("aria-controls", list.id)
    text.setAttribute("aria-autocomplete", "list")
    listbox.settle()
  }

  const listbox = new Listbox(text, list, (option) => {
    if (!token) return
    const done = complete(text.value, text.selectionStart, token, find(option, ".completion__name").textContent ?? "")
    close()
    text.value = done.text
    text.setSelectionRange(done.cursor, done.cursor)
    text.dispatchEvent(new InputEvent("input", { bubbles: true }))
  })

  // Before all others who hear keys here: the composer would send.
  text.addEventListener("keydown", (event) => {
    if (list.hidden || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return
    const taken = listbox.press(event)
    if (event.key === "Tab") listbox.take(event)
    if (event.key === "Escape") {
      dismissed = token?.start ?? -1
      close()
    }
    if (!taken && event.key !== "Tab" && event.key !== "Escape") return
    event.preventDefault()
    event.stopImmediatePropagation()
  }, { capture: true })
  text.addEventListener("input", look)
  // The cursor may also be taken elsewhere.
  document.addEventListener("selectionchange", () => document.activeElement === text && !list.hidden && look())
  text.addEventListener("blur", close)
  hear("everybody", () => token && !list.hidden && draw())
  hear("channels", (known) => {
    channels = known.filter((/** @type {any} */ { kind }) => kind === "public").map((/** @type {any} */ { name }) => name)
  })
}

/** @param {Candidate} candidate @param {string} sign */
function optionOf({ id, name, aside }, sign) {
  const option = stamp("completion")
  option.dataset.id = id ?? name
  find(option, ".completion__name").textContent = name
  find(option, ".completion__sign").hidden = sign === "@"
  find(option, ".completion__aside").textContent = aside ?? ""
  const avatar = find(option, ".avatar")
  avatar.hidden = sign === "#"
  avatar.textContent = initial(name)
  avatar.dataset.avatarOf = id ?? ""
  return option
}
