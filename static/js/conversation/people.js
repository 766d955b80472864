// People: who is here, who came and went, the card of somebody whose name was pressed, and how somebody is
// shown, whatever they are called now.

import { replace } from "../composer/writing.js"
import { draw, MessageList } from "./message-list.js"
import { hrefOfName } from "../lib/addresses.js"
import { remember } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { drawn, fill, find, here, MOST_LISTED, part, placeBeside, stamp, tellRest } from "../lib/page.js"
import { channelPath, Listing } from "../net/api.js"
import { knowsEverybody, personOf, readEverybody } from "../net/users.js"
import { go } from "../shell/navigation.js"

/** @typedef {import("../net/api.js").User} User */

/**
 * The list of who is here.
 *
 * @param {HTMLElement} people
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountPeople(people, { hear }) {
  const list = part(people, "list")
  const count = part(people, "count")
  const rest = part(people, "rest")
  const { channel, user: me } = here()

  /** @param {string} id */
  const byId = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`)

  /** @param {User} user */
  const draw = (user) => drawn("person", personView(user, me))

  const listing = new Listing(channelPath(channel), ({ online }, heard) => {
    const told = online.filter((/** @type {User} */ { id }) => !heard.has(id))
    const kept = [...list.querySelectorAll(/** @type {"li"} */ (".person"))].filter(({ dataset }) => heard.has(dataset.id ?? ""))
    list.replaceChildren(...told.slice(0, MOST_LISTED).map(draw), ...kept, rest)
    tellRest(rest, told.length - MOST_LISTED)
    if (!listing.stale) count.textContent = String(told.length + kept.length)
  })

  /** @param {(user: User) => void} change */
  const heardOf = (change) => (/** @type {{user: User, online: number}} */ { user, online }) => {
    count.textContent = String(online)
    if (listing.stale) return listing.read()
    listing.heard(user.id)
    change(user)
  }

  hear("renamed", (user) => {
    const link = byId(user.id)?.querySelector("a")
    // The answer on its way may have them, under their old name.
    if (!link) return (listing.again = true)
    listing.heard(user.id)
    link.href = hrefOfName(user.display_name)
  })
  hear("joined", heardOf((user) => byId(user.id) ?? rest.before(draw(user))))
  hear("left", heardOf((user) => byId(user.id)?.remove()))
  // Where many are, only how many is told.
  hear("presence", ({ online }) => {
    count.textContent = String(online)
    listing.stale = true
  })
  // Comings and goings are not told again: after a gap, ask who is here.
  hear("connection", ({ connected }) => connected && listing.read())
}

/** What each notice tells of. @type {WeakMap<Element, Move[]>} */
const movesIn = new WeakMap()

/**
 * Who joined and who left, as quiet lines in the conversation.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNotices(element, { hear }) {
  const list = new MessageList(element)
  const me = here().user

  /** @param {"joined" | "left"} kind */
  const notice = (kind) => (/** @type {{user: import("../net/api.js").User}} */ { user }) => {
    if (user.id === me) return
    draw(() => {
      const open = list.openNotice()
      const moves = fold((open && movesIn.get(open)) ?? [], { kind, ...user })
      if (moves.length === 0) open?.remove()
      else {
        const line = open ?? stamp("notice")
        write(line, moves)
        line.toggleAttribute("data-arriving", !open)
        if (!open) list.tell(line)
      }
      list.settle()
    })
  }

  /**
   * @param {HTMLElement} line
   * @param {Move[]} moves
   */
  const write = (line, moves) => {
    movesIn.set(line, moves)
    const text = /** @type {Element} */ (line.firstElementChild)
    text.textContent = noticeWords(moves)
  }

  // What stood between two of them is gone, or was put above.
  hear("drawn", () => {
    for (const line of element.querySelectorAll(/** @type {"li"} */ (".notice + .notice"))) {
      const before = /** @type {HTMLElement} */ (line.previousElementSibling)
      const moves = [before, line].flatMap((each) => movesIn.get(each) ?? []).reduce(fold, /** @type {Move[]} */ ([]))
      line.remove()
      if (moves.length > 0) write(before, moves)
      else before.remove()
    }
  })
  hear("joined", notice("joined"))
  hear("left", notice("left"))
  hear("renamed", (user) => {
    for (const line of element.querySelectorAll(/** @type {"li"} */ (".notice"))) {
      const moves = movesIn.get(line) ?? []
      write(line, moves.map((move) => (move.id === user.id ? { ...move, ...user } : move)))
    }
  })
}

/** Beyond these, the first is named and the others are counted. */
const MOST_MOVERS_NAMED = 3

/** @typedef {{kind: "joined" | "left", id: string, display_name: string}} Move */

/**
 * Adds a move to those that stand together in one notice.
 *
 * @param {Move[]} moves
 * @param {Move} move
 * @returns {Move[]}
 */
export function fold(moves, move) {
  const others = moves.filter((other) => other.id !== move.id)
  const undone = moves.some((other) => other.id === move.id && other.kind !== move.kind)
  return undone ? others : [...others, move]
}

/**
 * What a notice says: who came and went cancels out, many become a number.
 *
 * @param {Move[]} moves
 * @returns {string} one line: "Ada and 3 others joined, Bob left"; names are isolated, so that they
 *   keep their own direction (Unicode UAX #9)
 */
export function noticeWords(moves) {
  return ["joined", "left"]
    .map((kind) => [kind, moves.filter((move) => move.kind === kind)])
    .filter(([, who]) => who.length > 0)
    .map(([kind, who]) => `${namesOf(/** @type {Move[]} */ (who))} ${kind}`)
    .join(", ")
}

/** @param {Move[]} who */
function namesOf(who) {
  const names = who.map((move) => `\u2068${move.display_name}\u2069`)
  if (names.length > MOST_MOVERS_NAMED) return `${names[0]} and ${names.length - 1} others`
  const last = names.pop()
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last
}

/**
 * The card of somebody whose name or avatar was pressed: who that is, and what one can do then. One
 * popover for all names in the conversation.
 *
 * @param {HTMLElement} card
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountCard(card, { hear, on }) {
  const text = /** @type {HTMLTextAreaElement} */ (find(document, "#text"))
  /** The link with the name that was pressed. @type {HTMLElement | null} */
  let link = null
  let view = cardView({ id: "", name: "" }, undefined, false, "")

  const isOpen = () => card.matches(":popover-open")
  const draw = () => {
    if (!link) return
    const isAuthor = link.matches(".message__author")
    const words = link.textContent ?? ""
    const name = isAuthor ? words : words.replace(/^[@＠]/, "")
    const bot = isAuthor && !find(/** @type {Element} */ (link.parentElement), ".bot").hidden
    const id = link.dataset.user ?? ""
    view = cardView({ id, name, bot }, personOf(id), knowsEverybody(), here().user)
    fill(card, view)
  }
  const place = () => {
    const beside = /** @type {HTMLElement} */ (link).getBoundingClientRect()
    placeBeside(card, beside, "card", beside.left)
  }
  const hide = () => isOpen() && card.hidePopover()

  on(document, "click", (event) => {
    const pressed = event.target instanceof Element && event.target.closest(".message a[data-user], .message__avatar")
    if (!pressed || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    link = /** @type {HTMLElement} */ (pressed.matches("a") ? pressed : find(/** @type {Element} */ (pressed.parentElement), ".message__author"))
    // That is where the focus comes back to.
    link.focus({ preventScroll: true })
    draw()
    card.showPopover()
    place()
    card.querySelector(/** @type {"button"} */ (".card__actions:not([hidden]) button"))?.focus({ preventScroll: true })
    readEverybody()
  })
  on(card, "click", ({ target }) => {
    const { action } = /** @type {HTMLElement} */ (target).dataset
    if (!action) return
    card.hidePopover()
    if (action === "write") return go(view.href)
    const [start, end] = [text.selectionStart, text.selectionEnd]
    const space = start > 0 && !/\s$/.test(text.value.slice(0, start)) ? " " : ""
    replace(text, { start, end, words: `${space}@${view.name} ` })
  })
  hear("everybody", () => isOpen() && draw())
  hear("renamed", () => isOpen() && draw())
  hear("drawn", () => link?.isConnected || hide())
  hear("went", hide)
  on(window, "resize", () => isOpen() && place())
}

/**
 * A new name shows at once, wherever its owner is named: by `data-name-of` and `data-avatar-of`.
 *
 * @param {HTMLElement} shell
 * @param {import("../lib/mounting.js").Life} life
 */
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

const PRESENCES = { online: "Online", offline: "Not online", "": "" }

/**
 * Somebody, as the list of who is here shows them. The server makes the same view (src/pages/views.rs).
 *
 * @param {import("../net/api.js").User} user
 * @param {string} me
 */
export function personView({ id, display_name: name, bot = false }, me) {
  return {
    id,
    name,
    initials: initials(name),
    hue: hueOf(id),
    href: hrefOfName(name),
    aside: id === me ? "you" : "Message",
    is_bot: bot,
  }
}

/**
 * Somebody as their card shows them.
 *
 * @param {{id: string, name: string, bot?: boolean}} named as they are named where one pressed
 * @param {import("../net/users.js").Person | undefined} person as they are known now
 * @param {boolean} isKnown whether everybody is
 * @param {string} me
 */
export function cardView(named, person, isKnown, me) {
  const name = person?.display_name ?? named.name
  const isMe = named.id === me
  const isGone = isKnown && !person
  const presence = isMe || !person ? "" : person.online ? "online" : "offline"
  return {
    name,
    initials: initials(name),
    hue: hueOf(named.id),
    is_bot: person?.bot ?? named.bot ?? false,
    is_me: isMe,
    presence,
    words: isMe ? "This is you." : isGone ? "Signed out for good." : PRESENCES[presence],
    href: isGone ? "" : hrefOfName(name),
    write: isMe ? "Notes to self" : "Message",
  }
}

/** So many looks an avatar can have: `avatar.css` has as many. */
const HUES = 24

const LETTER = /^[\p{Alphabetic}\p{N}]/u

/**
 * The one or two characters that stand for a name: the first letters or digits of its first and last
 * word, or the first two of its only one. Words without any are passed over; of a name without any it
 * is the first character.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.split(" ").map(lettersOf).filter(({ length }) => length > 0)
  const [first = characters(name).slice(0, 1), ...others] = words
  return [first[0], others.length > 0 ? others[others.length - 1][0] : first[1]].join("")
}

/**
 * The hue of somebody's avatar, 0 to 23, by their id: FNV-1a of its bytes.
 *
 * @param {string} id
 */
export function hueOf(id) {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % HUES
}

/** @param {string} word */
function lettersOf(word) {
  return characters(word).filter((each) => LETTER.test(each))
}

/** As people see them: an emoji of several code points is one. @param {string} text */
function characters(text) {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)
}
