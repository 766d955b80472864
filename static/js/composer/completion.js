// Completing while writing: a list over the message box, of people after `@`, channels after `#`, and emoji
// after `:`; a shortcode whose closing colon is typed becomes its emoji.

import { replace } from "./writing.js"
import { hueOf, initials } from "../conversation/people.js"
import { fitOf, folded, Listbox } from "../lib/choosing.js"
import { emojiFor, emojiOf, knownEmoji, readEmoji } from "../lib/emoji.js"
import { find, here, stamp } from "../lib/page.js"
import { everybody, readEverybody } from "../net/users.js"

/** @typedef {{name: string, id?: string, aside?: string, emoji?: string}} Option */

/** What the list is called, by the sign that it is for. */
const LABELS = { "@": "People", "#": "Channels", ":": "Emoji" }

/** The name by which all who have the channel open are called. */
const EVERYBODY_HERE = { name: "here", near: false, aside: "everybody who has the channel open" }

/**
 * Offers what may be meant at the cursor, in a list over the message box.
 *
 * @param {HTMLTextAreaElement} text
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountCompleting(text, { hear, on }) {
  const list = find(document, "#completions")
  /** @type {Token | null} */
  let token = null
  /** @type {string[]} names of the public channels */
  let channels = []
  /** Put away with Escape, until another one begins. */
  let dismissed = -1

  /** @param {Token} token @returns {Option[]} */
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

/**
 * Makes an emoji of a shortcode when its closing colon is typed.
 *
 * @param {HTMLTextAreaElement} text
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountShortening(text, { on }) {
  on(text, "input", async (event) => {
    // Not when it comes back by undoing, when it was pasted, or when a script wrote more than that.
    const { inputType, data, isComposing } = /** @type {InputEvent} */ (event)
    if (inputType !== "insertText" || data !== ":" || isComposing) return
    const [written, cursor] = [text.value, text.selectionStart]
    const closed = closedAt(written, cursor)
    if (!closed) return
    await readEmoji()
    const emoji = emojiOf(knownEmoji(), closed.query)
    const still = text.value === written && text.selectionStart === cursor
    if (emoji && still) replace(text, complete(written, cursor, closed, emoji))
  })
}

/** The longest name, in UTF-16 units: 64 characters of up to two. */
const LONGEST_UNITS = 128

/** As many as can be looked over at a glance. */
const MOST_NAMES = 8

/** What begins a name, in either width. @type {Record<string, "@" | "#">} */
const SIGNS = { "@": "@", "＠": "@", "#": "#", "＃": "#" }

/** Letters of scripts that are written without spaces: what follows them may begin a word. */
const WITHOUT_SPACES =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u

/** In characters that are drawn as emoji, though one of letters or digits: 1️⃣, ℹ️. */
const DRAWN_AS_EMOJI = /[\uFE0F\u20E3]/
const CHARACTERS = new Intl.Segmenter()

/** A shortcode that has not been closed. */
const SHORTCODE = /:([a-z0-9_+-]+)$/i

/** As much is typed before any is offered: `:)` and `:D` stay. */
const LEAST_OF_SHORTCODE = 2

/**
 * @typedef {object} Token
 * @property {"@" | "#" | ":"} sign
 * @property {number} start where the sign stands
 * @property {string} query what follows it, up to the cursor
 */

/**
 * What is being named at the cursor: a person, a channel or an emoji. Names of people may have
 * spaces in them, so a query may too.
 *
 * @param {string} text
 * @param {number} cursor
 * @param {(sign: "@" | "#", name: string) => boolean} [isName] whether a user or channel has this name
 * @returns {Token | null}
 */
export function tokenAt(text, cursor, isName = () => false) {
  const emoji = emojiAt(text, cursor)
  return emoji && emoji.query.length >= LEAST_OF_SHORTCODE ? emoji : nameAt(text, cursor, isName)
}

/**
 * The shortcode that the colon before the cursor closes, if there is one.
 *
 * @param {string} text
 * @param {number} cursor
 */
export function closedAt(text, cursor) {
  return text[cursor - 1] === ":" ? emojiAt(text, cursor - 1) : null
}

/** @param {string} text @param {number} cursor @returns {Token | null} */
function emojiAt(text, cursor) {
  const from = Math.max(0, cursor - LONGEST_UNITS)
  const found = SHORTCODE.exec(text.slice(from, cursor))
  if (!found) return null
  const start = from + found.index
  const before = [...CHARACTERS.segment(text.slice(from, start))].at(-1)?.segment
  // In `10:30`, `https://` and `std::vector` none begins.
  const none = before === ":" || !beginsAfter(before) || isInCode(text.slice(0, start))
  return none ? null : { sign: ":", start, query: found[1] }
}

/**
 * @param {string} text
 * @param {number} cursor
 * @param {(sign: "@" | "#", name: string) => boolean} isName
 * @returns {Token | null}
 */
function nameAt(text, cursor, isName) {
  const from = Math.max(0, cursor - LONGEST_UNITS)
  let token = /** @type {Token | null} */ (null)
  let before = /** @type {string | undefined} */ (text[from - 1])
  for (const { segment, index } of CHARACTERS.segment(text.slice(from, cursor))) {
    const start = from + index
    const sign = SIGNS[segment]
    if (sign) {
      const named = token && token.sign !== ":" && isName(token.sign, token.query)
      token = named || beginsAfter(before) ? { sign, start, query: "" } : null
    } else if (token) token.query += segment
    before = segment
  }
  const none = token?.sign === "#" ? /\s/ : /^\s|\n/
  return token && !none.test(token.query) ? token : null
}

/**
 * Whether a sign right after this character begins a name: not within a word, as in a mail address.
 *
 * @param {string | undefined} before with its marks
 */
function beginsAfter(before = "") {
  const letter = /^[\p{L}\p{N}]/u.exec(before)?.[0]
  return !letter || DRAWN_AS_EMOJI.test(before) || WITHOUT_SPACES.test(letter)
}

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {boolean} near here now, and so more likely to be meant
 */

/**
 * Those that the query may mean: who is near first, then whose name begins so. None when there is
 * nothing left to complete.
 *
 * @template {Candidate} T
 * @param {T[]} candidates
 * @param {string} query
 * @returns {T[]}
 */
export function completions(candidates, query) {
  // After a whole name and a space, the sentence goes on.
  const whole = candidates.some(({ name }) => folded(`${name} `) === folded(query))
  const rated = candidates.map((candidate) => ({ candidate, fit: fitOf(candidate.name, query) }))
  const fitting = rated.filter(({ fit }) => fit === 0 || fit === 1)
  const done = fitting.length === 1 && folded(fitting[0].candidate.name) === folded(query)
  if (whole || done) return []
  return fitting
    .sort((a, b) => rank(a) - rank(b) || a.candidate.name.localeCompare(b.candidate.name))
    .slice(0, MOST_NAMES)
    .map(({ candidate }) => candidate)
}

/** @param {{candidate: Candidate, fit: number}} rated */
const rank = ({ candidate, fit }) => (candidate.near ? 0 : 2) + fit

/**
 * The edit that completes a token: what is replaced, and by what.
 *
 * @param {string} text
 * @param {number} cursor
 * @param {Token} token
 * @param {string} chosen a name without its sign, or an emoji
 * @returns {{start: number, end: number, words: string}}
 */
export function complete(text, cursor, { sign, start }, chosen) {
  if (sign === ":") return { start, end: cursor, words: chosen }
  // The sign stays as wide as it is, and there is one space after the name.
  return { start, end: text[cursor] === " " ? cursor + 1 : cursor, words: `${text[start]}${chosen} ` }
}

/**
 * Whether what follows is code: behind back-ticks on its line, or in a block.
 *
 * @param {string} before
 */
function isInCode(before) {
  const lines = before.split("\n")
  const fences = lines.filter((line) => /^ {0,3}(```|~~~)/.test(line)).length
  const ticks = lines.at(-1)?.match(/`+/g)?.length ?? 0
  return fences % 2 === 1 || ticks % 2 === 1
}
