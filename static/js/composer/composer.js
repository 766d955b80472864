// The message box: the text is kept as a draft of its channel until it is sent, and with it which message
// it answers. The box stays where it is while one goes from channel to channel, so that no key is lost on
// the way.

import { attached, attachTo, takeAttached } from "./attaching.js"
import { charsLeft, grow, isDone, isTouch, limitWords, write } from "./writing.js"
import { anchorOf, permalink } from "../lib/addresses.js"
import { recall, remember } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { find, here, part, place } from "../lib/page.js"

/**
 * Writing, and giving away what is written when it is sent.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountComposer(form, { hear, on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const limit = part(form, "limit")
  const { user } = here()
  /** What the draft belongs to: the channel, or its address until the server told the channel. */
  let key = ""
  let address = ""
  /** What this tab wrote or read last where the draft is kept. */
  let kept = ""
  /** Sent before it was known where to. */
  let waits = false

  const draftOf = (/** @type {string} */ channel) => `draft.${user}.${channel}`
  /** All that is sent: what is answered goes before what is written. */
  const whole = () => [quotation(), text.value].filter(Boolean).join("\n\n")
  const changed = () => {
    // Another tab's draft may stand there: each forgets only its own.
    if (text.value || recall(draftOf(key)) === kept) remember(draftOf(key), text.value)
    kept = text.value
    const left = charsLeft(whole())
    limit.toggleAttribute("data-over", left < 0)
    limit.textContent = limitWords(left)
    grow(text)
  }
  /** @param {string} words @param {number} [at] where the cursor is then */
  const put = (words, at = words.length) => {
    if (text.value !== words) {
      text.value = words
      text.setSelectionRange(at, at)
    }
    changed()
  }
  const send = () => {
    const written = whole().trim()
    if ((!text.value.trim() && attached().length === 0) || charsLeft(written) < 0) return
    const { channel } = here()
    if (!channel) return void (waits = true)
    answer(null)
    put("")
    say("send", { channel, text: written, files: takeAttached() })
  }
  const open = () => {
    const now = here()
    const before = key
    const isSame = now.channel !== "" && before === address && address === now.address
    key = now.channel || now.address
    address = now.address
    if (key === before) return
    attachTo(key, isSame)
    kept = recall(draftOf(key)) ?? ""
    if (isSame) {
      remember(draftOf(before), null)
      put([recall(draftOf(key)), text.value].filter(Boolean).join("\n"))
      if (waits) send()
    } else {
      // What was typed before any script was here goes first.
      const typed = before ? "" : text.value
      put(typed || (recall(draftOf(key)) ?? ""))
    }
    waits = false
  }
  /** What the box is for. */
  const name = () => {
    const { kind, name, title, userName } = here()
    form.ariaLabel = `Message to ${title}`
    const label = name === `@${userName}` ? "Message yourself" : `Message ${kind === "public" ? "#" : ""}${title}`
    find(form, "label").textContent = label
    text.placeholder = label
  }
  /** @param {string} why nobody can write here; nothing where one can */
  const enable = (why) => {
    text.disabled = why !== ""
    find(form, 'button[type="submit"]').toggleAttribute("disabled", why !== "")
    if (why) text.placeholder = why
    say("writable", !why)
  }

  on(form, "submit", (event) => {
    event.preventDefault()
    send()
    text.focus()
  })
  on(text, "input", changed)
  on(text, "keydown", (event) => {
    if (!isDone(event)) return
    event.preventDefault()
    form.requestSubmit()
  })
  hear("opened", () => {
    enable("")
    name()
    open()
  })
  hear("titled", name)
  hear("answering", changed)
  hear("channel-deleted", () => enable("This channel was deleted."))
  hear("no-channel", () => enable("There is nobody to write to."))
  hear("departed", () => enable("This conversation is over."))

  // Sending nothing is no mistake that a browser should point at.
  form.noValidate = true
  if (!isTouch()) text.focus()
}

/** @typedef {{author: string, link: string, text: string}} Answered */

/** Where it stands what is answered in the open channel. */
const keyOf = () => `reply.${here().user}.${here().channel}`

/** What the next message of the open channel answers. @returns {Answered | null} */
function answered() {
  return JSON.parse(recall(keyOf()) ?? "null")
}

/** The quotation that the next message of the open channel begins with; nothing without an answer. */
export function quotation() {
  const message = answered()
  return message ? quote(message) : ""
}

/** @param {Answered | null} message what is answered from here on */
export function answer(message) {
  remember(keyOf(), message && JSON.stringify(message))
  say("answering", message)
}

/**
 * Answering a message: a line over the message box says which, and what is sent begins with it as a
 * quotation. It is kept with the draft.
 *
 * @param {HTMLFormElement} form
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountReplying(form, { hear, on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"))
  const chip = part(form, "reply")

  /** @param {Answered | null} message */
  const draw = (message) => {
    chip.hidden = !message
    part(chip, "author").textContent = message?.author ?? ""
    part(chip, "said").textContent = message?.text ?? ""
  }
  const dismiss = () => {
    answer(null)
    text.focus()
  }

  hear("reply", ({ id }) => {
    const item = document.getElementById(anchorOf(id))
    if (!item || text.disabled) return
    const author = find(item, ".message__author").textContent ?? ""
    answer({ author, link: permalink(place(), id), text: item.dataset.text || find(item, ".message__files").innerText.trim() })
    text.focus()
  })
  hear("answering", draw)
  hear("opened", () => draw(answered()))
  on(part(chip, "dismiss"), "click", dismiss)
  on(form, "keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || chip.hidden) return
    event.preventDefault()
    dismiss()
  })
  // What was typed into a message that is gone.
  hear("left-over", ({ words }) => {
    write(text, [text.value.trim(), words].filter(Boolean).join("\n\n"))
    say("tell", { text: "That message is gone. What you wrote is in the message box." })
  })
}

const MOST_LINES = 3
const MOST_CHARS = 200

/**
 * The beginning of a message as a quotation in Markdown. What it quotes itself is left out.
 *
 * @param {{author: string, link: string, text: string}} message
 */
export function quote({ author, link, text }) {
  const lines = [`[${plain(author)}](${link}) wrote:`, ...beginning(text)]
  return lines.map((line) => `> ${line}`.trimEnd()).join("\n")
}

/** @param {string} text */
function beginning(text) {
  const lines = text.split("\n").filter((line) => line.trim())
  const said = lines.filter((line) => !line.startsWith(">"))
  const quoted = said.length > 0 ? said : lines
  const first = quoted.slice(0, MOST_LINES).join("\n")
  const cut = [...first].slice(0, MOST_CHARS).join("")
  const isWhole = quoted.length <= MOST_LINES && cut === first
  return cut ? (isWhole ? cut : `${cut.trimEnd()}…`).split("\n") : []
}

/**
 * A name with nothing in it that Markdown would take for more.
 *
 * @param {string} name
 */
function plain(name) {
  return name.replace(/[\\\x60*_[\]<>&~]/g, "\\$&")
}
