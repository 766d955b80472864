// Completing while writing: a list over the message box, of people after `@`, channels after `#`, and
// emoji after `:`.

import { complete, completions, tokenAt } from "./completion.js"
import { replace } from "./writing.js"
import { hueOf, initials } from "../lib/avatar.js"
import { folded, Listbox } from "../lib/choosing.js"
import { emojiFor, knownEmoji, readEmoji } from "../lib/emoji.js"
import { find, here, stamp } from "../lib/page.js"
import { everybody, readEverybody } from "../net/users.js"

/** @typedef {{name: string, id?: string, aside?: string, emoji?: string}} Option */

/** What the list is called, by the sign that it is for. */
const LABELS = { "@": "People", "#": "Channels", ":": "Emoji" }

/** The name by which all who have the channel open are called. */
const EVERYBODY_HERE = { name: "here", near: false, aside: "everybody who has the channel open" }

/** @param {HTMLTextAreaElement} text @param {import("../lib/mounting.js").Life} life */
export function mountCompleting(text, { hear, on }) {
  const list = find(document, "#completions")
  /** @type {import("./completion.js").Token | null} */
  let token = null
  /** @type {string[]} names of the public channels */
  let channels = []
  /** Put away with Escape, until another one begins. */
  let dismissed = -1

  /** @param {import("./completion.js").Token} token @returns {Option[]} */
  const optionsFor = ({ sign, query }) => {
    if (sign === ":") return emojiFor(knownEmoji(), query).map(emojiOption)
    if (sign === "#") return completions(channels.map((name) => ({ name, near: true })), query)
    const called = here().kind === "public" ? completions([EVERYBODY_HERE], query) : []
    return [...completions(people(), query), ...called]
  }
  const people = () => {
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
  /** @param {string} sign @param {string} name */
  const isName = (sign, name) => {
    const names = sign === "#" ? channels : [EVERYBODY_HERE.name, ...everybody().map(({ display_name }) => display_name)]
    return names.some((known) => folded(known) === folded(name))
  }

  const close = () => {
    token = null
    list.hidden = true
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-autocomplete"]) text.removeAttribute(name)
    listbox.rest()
  }
  const current = () => (text.selectionStart === text.selectionEnd ? tokenAt(text.value, text.selectionStart, isName) : null)
  const look = () => {
    const before = token
    token = current()
    if (token && token.sign !== before?.sign) {
      if (token.sign === "@") readEverybody()
      if (token.sign === ":") readEmoji()
    }
    if (token?.start !== dismissed) dismissed = -1
    listbox.restart()
    draw()
  }
  const draw = () => {
    const found = token && token.start !== dismissed ? optionsFor(token) : []
    if (!token || found.length === 0) return close()
    const { sign } = token
    list.replaceChildren(...found.map((each) => completionOption(each, sign)))
    list.ariaLabel = LABELS[sign]
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
    const chosen = token.sign === ":" ? option.dataset.id : find(option, ".completion__name").textContent
    const edit = complete(text.value, text.selectionStart, token, chosen ?? "")
    close()
    replace(text, edit)
  })

  // Before all others who hear keys here: the composer would send.
  on(text, "keydown", (event) => {
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
  on(text, "input", look)
  // The cursor may also be taken elsewhere.
  on(document, "selectionchange", () => document.activeElement === text && !list.hidden && look())
  on(text, "blur", close)
  hear("opened", close)
  // There may have been nobody to offer until now.
  hear("everybody", () => {
    if (document.activeElement !== text) return
    token = current()
    draw()
  })
  hear("emoji", () => document.activeElement === text && look())
  hear("channels", (known) => {
    channels = known.filter((/** @type {any} */ { kind }) => kind === "public").map((/** @type {any} */ { name }) => name)
  })
}

/** @param {{emoji: string, name: string, others: string[]}} found @returns {Option} */
function emojiOption({ emoji, name, others }) {
  return { id: emoji, emoji, name: `:${name}:`, aside: others.join(", ") }
}

/** @param {Option} option @param {string} sign */
function completionOption({ id, name, aside, emoji }, sign) {
  const option = stamp("completion")
  option.dataset.id = id ?? name
  find(option, ".completion__name").textContent = name
  const mark = find(option, ".completion__sign")
  mark.textContent = emoji ?? sign
  mark.hidden = id !== undefined && !emoji
  find(option, ".completion__aside").textContent = aside ?? ""
  const avatar = find(option, ".avatar")
  avatar.hidden = !mark.hidden
  avatar.textContent = initials(name)
  avatar.dataset.hue = String(hueOf(id ?? ""))
  return option
}
