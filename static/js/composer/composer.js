// Writing: the text is kept as a draft of its channel until it is sent. The box stays where it is
// while one goes from channel to channel, so that no key is lost on the way.

import { attached, attachTo, takeAttached } from "./attached.js"
import { charsLeft, limitWords } from "./limit.js"
import { answer, quotation } from "./replying.js"
import { grow, isDone, isTouch } from "./writing.js"
import { recall, remember } from "../lib/browser.js"
import { say } from "../lib/mounting.js"
import { find, here, part } from "../lib/page.js"

/** @param {HTMLFormElement} form @param {import("../lib/mounting.js").Life} life */
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
    const { kind, title } = here()
    form.ariaLabel = `Message to ${title}`
    const label = `Message ${kind === "public" ? "#" : ""}${title}`
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
