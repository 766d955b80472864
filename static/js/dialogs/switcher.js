// Going anywhere by typing: channels and people from what the page knows, messages from the server.

import { briefWords } from "../conversation/local-time.js"
import { anchorOf } from "../lib/addresses.js"
import { Listbox, markedPieces, wordsIn } from "../lib/choosing.js"
import { say } from "../lib/mounting.js"
import { find, here, part, reader, stamp } from "../lib/page.js"
import { request } from "../net/api.js"
import { everybody, readEverybody } from "../net/users.js"
import { APPLE } from "../shell/keys.js"
import { destinationOption, everywhere, fitting, goTo } from "../sidebar/destinations.js"

/** @typedef {import("../sidebar/destinations.js").Known} Known */

/** As many as leave room for messages below. */
const MOST_PLACES = 7

/** The server is asked after a pause in typing. */
const TYPING_PAUSE_MS = 200

/** A single letter is in nearly every message; a single character of Chinese is a word. */
const ENOUGH = /^(?:\p{Ideographic}|..)/su

/**
 * The switcher, over the page.
 *
 * @param {HTMLDialogElement} dialog
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSwitcher(dialog, { hear, on, later }) {
  const field = /** @type {HTMLInputElement} */ (find(dialog, "input"))
  const list = find(dialog, "#switcher_list")
  const [places, found] = [part(dialog, "places"), part(dialog, "found")]
  const told = part(dialog, "told")
  /** @type {import("../sidebar/destinations.js").Known[]} */
  let channels = []
  let pause = 0
  let asked = 0
  /** What was found last. */
  let answer = { messages: /** @type {Found[]} */ ([]), words: /** @type {string[]} */ ([]) }

  const listbox = new Listbox(field, list, (option, event) => {
    dialog.close()
    goTo(option, event)
  })

  /** @param {string} words */
  const tell = (words) => {
    if (told.textContent !== words) told.textContent = words
  }
  const settle = () => {
    places.hidden = part(places, "options").childElementCount === 0
    found.hidden = part(found, "options").childElementCount === 0
    list.hidden = places.hidden && found.hidden
    field.ariaExpanded = String(!list.hidden)
    listbox.settle()
  }
  const drawPlaces = () => {
    const all = everywhere(channels, everybody(), here().user).filter(({ href }) => href !== location.pathname)
    const options = fitting(all, field.value).slice(0, MOST_PLACES).map(destinationOption)
    part(places, "options").replaceChildren(...options)
  }
  const drawFound = (now = answer) => {
    answer = now
    const options = answer.messages.map((message) => foundOption(message, answer.words, channels))
    part(found, "options").replaceChildren(...options)
  }
  /** @param {string} typed @param {number} ask which question this is: only the last one counts */
  const search = async (typed, ask) => {
    const { ok, body, why } = await request("GET", `/search?q=${encodeURIComponent(typed)}`)
    if (ask !== asked) return
    const messages = ok ? body.messages : []
    drawFound({ messages, words: wordsIn(typed) })
    settle()
    if (!ok) tell(`Messages could not be searched. ${why}`)
    else if (messages.length > 0) tell(`${messages.length} ${messages.length === 1 ? "message" : "messages"} found`)
    else tell(places.hidden ? "Nothing here is called that, and no message says it." : "No message says that.")
  }
  const typed = () => {
    const words = field.value.trim()
    clearTimeout(pause)
    asked += 1
    drawPlaces()
    listbox.restart()
    const searches = ENOUGH.test(words) && !/^[#@]/.test(words)
    if (searches) {
      const ask = asked
      tell("Searching…")
      pause = later(() => search(words, ask), TYPING_PAUSE_MS)
    } else {
      drawFound({ messages: [], words: [] })
    }
    settle()
    if (!searches) tell(places.hidden ? "Nothing here is called that." : "")
  }
  /** Something changed while one was choosing. */
  const redraw = () => {
    if (!dialog.open) return
    drawPlaces()
    drawFound()
    settle()
  }
  const open = () => {
    if (document.querySelector("dialog[open]")) return
    field.value = ""
    dialog.showModal()
    field.focus()
    typed()
    readEverybody()
  }

  on(field, "input", typed)
  on(field, "keydown", (event) => listbox.press(event))
  hear("jump", open)
  hear("channels", (known) => {
    channels = known
    redraw()
  })
  hear("everybody", redraw)
  on(document, "keydown", (event) => {
    // On Apple's machines Ctrl+K is the field's own: it deletes to the end of the line.
    const [wanted, other] = APPLE ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey]
    if (event.key.toLowerCase() !== "k" || !wanted || other || event.shiftKey || event.altKey) return
    event.preventDefault()
    if (dialog.open) dialog.close()
    else open()
  })
}

/**
 * @param {HTMLButtonElement} button opens the switcher, and says by which keys that also goes
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountJump(button, { on }) {
  part(button, "keys").textContent = APPLE ? "⌘K" : "Ctrl K"
  button.setAttribute("aria-keyshortcuts", APPLE ? "Meta+K" : "Control+K")
  on(button, "click", () => say("jump"))
}

/** @typedef {import("../net/api.js").Message & {channel: string}} Found */

/**
 * A message that the server found, as an option of the list.
 *
 * @param {Found} message
 * @param {string[]} words that were searched for
 * @param {Known[]} channels
 */
function foundOption(message, words, channels) {
  const option = stamp("found")
  const { label, href } = channelOfFound(message, channels)
  const id = anchorOf(message.id)
  Object.assign(option.dataset, { id, href: `${href}#${id}` })
  find(option, ".found__author").textContent = message.author.display_name
  find(option, ".found__channel").textContent = label
  const time = /** @type {HTMLTimeElement} */ (find(option, "time"))
  time.dateTime = message.sent_at
  time.textContent = briefWords(new Date(message.sent_at), reader().locale, new Date())
  find(option, ".found__text").append(...markedPieces(message.text, words).map(drawnPart))
  return option
}

/** @param {import("../lib/choosing.js").Piece} piece */
function drawnPart({ text, marked }) {
  if (!marked) return text
  const mark = document.createElement("mark")
  mark.textContent = text
  return mark
}

/**
 * What the message's channel is called, and where it is.
 *
 * @param {Found} message
 * @param {Known[]} channels
 */
function channelOfFound({ channel }, channels) {
  if (!channel.startsWith("id:")) return { label: `#${channel}`, href: `/channels/${encodeURIComponent(channel)}` }
  const direct = channels.find(({ id }) => `id:${id}` === channel)
  return { label: direct?.label ?? "Direct message", href: direct?.href ?? `/channels/${channel}` }
}
