// Reactions: which there are under a message, giving and taking them back, and the picker of more.

import { draw, showReason } from "./message-list.js"
import { anchorOf } from "../lib/addresses.js"
import { emojiFor, emojiOf, isEmoji, knownEmoji, readEmoji } from "../lib/emoji.js"
import { recall, remember } from "../lib/memory.js"
import { fill, find, here, part, placeBeside } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/**
 * Follows new names in what is told of who reacted.
 *
 * @param {HTMLElement} list
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountReactions(list, { hear }) {
  hear("renamed", (user) => {
    for (const pill of pillsIn(list)) {
      const { reaction, users } = reactedOf(pill)
      if (!users.some(({ id }) => id === user.id)) continue
      const renamed = users.map((each) => (each.id === user.id ? user : each))
      fill(pill, reactionView({ reaction, users: renamed }, here().user))
    }
  })
}

/**
 * Shows these reactions. Those that were there stay the same elements: one may have the focus.
 *
 * @param {HTMLElement} item
 * @param {Reacted[]} reactions
 */
function drawReactions(item, reactions) {
  const focused = document.activeElement
  const views = reactions.map((each) => reactionView(each, here().user))
  fill(find(item, ".message__reactions"), { reactions: views })
  if (focused && !focused.isConnected) item.focus({ preventScroll: true })
}

/**
 * The reactions of a message.
 *
 * @param {HTMLElement} item
 * @returns {Reacted[]} as they are shown
 */
export function reactionsOf(item) {
  return pillsIn(item).map(reactedOf)
}

/** @param {ParentNode} root */
function pillsIn(root) {
  return [...root.querySelectorAll(/** @type {"button"} */ (".reaction"))]
}

/**
 * @param {HTMLElement} pill
 * @returns {Reacted}
 */
function reactedOf({ dataset }) {
  return { reaction: dataset.reaction ?? "", users: JSON.parse(dataset.users || "[]") }
}

/** The key under which the browser remembers what was given last. */
const REACTIONS_USED = "reactions"

/** One request after the other, so that two quick clicks end as the second one wants. */
let lastReaction = Promise.resolve()

/**
 * Gives and takes back the reactions that stand under messages.
 *
 * @param {HTMLElement} list
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountReacting(list, { on }) {
  on(list, "click", async ({ target }) => {
    const pill = /** @type {Element} */ (target).closest(".reaction")
    const item = pill?.closest("li")
    if (!(pill instanceof HTMLElement) || !item) return
    const why = await react(item.dataset.id ?? "", pill.dataset.reaction ?? "", pill.ariaPressed !== "true")
    if (why && item.isConnected) draw(() => showReason(item, why))
  })
}

/** The six reactions that a reader is likely to give. */
function atHand() {
  return quickReactions(recall(REACTIONS_USED)?.split(" ") ?? [])
}

/**
 * Gives a reaction or takes it back: shown at once, undone where the server refuses.
 *
 * @param {string} id of the message
 * @param {string} reaction
 * @param {boolean} given or taken back
 * @returns {Promise<string>} why it could not be, if it could not
 */
export async function react(id, reaction, given) {
  const { channel, user, userName } = here()
  /** @param {boolean} shown */
  const show = (shown) => {
    const item = document.getElementById(anchorOf(id))
    const mine = { id: user, display_name: userName }
    if (item) draw(() => drawReactions(item, withReaction(reactionsOf(item), reaction, mine, shown)))
  }
  if (given && isEmoji(reaction)) remember(REACTIONS_USED, quickReactions(atHand(), reaction).join(" "))
  const path = `${channelPath(channel)}/messages/${id}/reactions/${encodeURIComponent(reaction)}`
  const item = document.getElementById(anchorOf(id))
  const before = item ? hasReacted(reactionsOf(item), reaction, { id: user }) : !given
  show(given)
  const asked = lastReaction.then(() => request(given ? "PUT" : "DELETE", path))
  lastReaction = asked.then(() => {})
  const { ok, why } = await asked
  if (!ok) show(before)
  return why
}

/** How many stand in a row of what is found, as the stylesheet lays them out. */
const COLUMNS = 8

/** How many are shown at once. */
const MOST_PICKED_FROM = 7 * COLUMNS

/** @type {Record<string, number>} */
const PICKER_STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }

/**
 * The picker of reactions, beside the message that it is for: six at hand, a field that finds every emoji
 * by its name, and what is found.
 *
 * @param {HTMLElement} picker
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountPicker(picker, { hear, on }) {
  const quick = part(picker, "quick")
  const grid = part(picker, "grid")
  const form = part(picker, "form")
  const error = part(picker, "error")
  const field = /** @type {HTMLInputElement} */ (find(form, "input"))
  let id = ""

  /** @param {string} why */
  const complain = (why) => {
    error.textContent = why
    error.hidden = !why
    field.ariaInvalid = why ? "true" : null
  }
  /** Each group is one stop for the Tab key. @param {HTMLElement} group @param {number} at */
  const stopAt = (group, at) => {
    const buttons = [...group.querySelectorAll("button")]
    buttons.forEach((each, other) => (each.tabIndex = other === at ? 0 : -1))
    return buttons[at]
  }
  /** @param {Element | undefined} button */
  const reactionOf = (button) => button?.getAttribute("data-key") ?? ""

  const draw = () => {
    const names = new Map(knownEmoji())
    /** @param {string} key */
    const view = (key) => ({ template: "emoji", key, name: names.get(key)?.at(-1)?.replaceAll("_", " ") ?? key })
    const query = field.value.trim().replace(/^:|:$/g, "").replace(/\s+/g, "_")
    const found = query ? emojiFor(knownEmoji(), query, MOST_PICKED_FROM).map(({ emoji }) => emoji) : [...names.keys()].slice(0, MOST_PICKED_FROM)
    fill(picker, { quick: atHand().map(view), found: found.map(view) })
    stopAt(quick, 0)
    stopAt(grid, 0)
    part(picker, "told").textContent = query && found.length === 0 ? "No emoji is called so. It is added as it is written." : ""
  }
  /** @param {string} reaction */
  const choose = async (reaction) => {
    const asked = id
    const why = await react(asked, reaction, true)
    if (asked !== id) return
    if (!why) return picker.hidePopover()
    complain(why)
    field.focus()
  }

  hear("react", (asked) => {
    id = asked.id
    field.value = ""
    complain("")
    draw()
    readEmoji()
    picker.showPopover()
    placePicker(picker, document.getElementById(anchorOf(id)))
    stopAt(quick, 0).focus()
  })
  hear("emoji", () => {
    if (picker.matches(":popover-open")) draw()
  })
  hear("drawn", () => {
    if (picker.matches(":popover-open") && !document.getElementById(anchorOf(id))) picker.hidePopover()
  })
  on(window, "resize", () => {
    if (picker.matches(":popover-open")) placePicker(picker, document.getElementById(anchorOf(id)))
  })
  on(picker, "toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open"
    document.getElementById(anchorOf(id))?.toggleAttribute("data-open", isOpen)
  })
  on(picker, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-key]")
    if (button) choose(reactionOf(button))
  })
  on(picker, "keydown", (event) => {
    const button = /** @type {Element} */ (event.target)
    const group = button.parentElement
    if (group !== quick && group !== grid) return
    const at = [...group.children].indexOf(button)
    const step = PICKER_STEPS[event.key]
    const isDown = Math.abs(step) > 1
    const to = group === quick && isDown ? -1 : at + step
    // Whoever begins to write means the field.
    if (/^\S$/u.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) return field.focus()
    if (!step) return
    event.preventDefault()
    if (group.children[to]) stopAt(group, to).focus()
    else if (isDown && (group === quick ? step > 0 : step < 0)) field.focus()
  })
  on(field, "keydown", async (event) => {
    // An input method uses these keys itself.
    if (event.isComposing || event.keyCode === 229) return
    const to = { ArrowUp: quick, ArrowDown: grid }[/** @type {string} */ (event.key)]
    if (to?.children.length) stopAt(to, 0).focus()
    else if (event.key !== "Enter" || !field.value.trim()) return
    event.preventDefault()
    if (to) return
    await readEmoji()
    draw()
    choose(reactionOf(grid.children[0]) || written())
  })
  on(form, "submit", (event) => {
    event.preventDefault()
    if (written()) choose(written())
  })
  on(field, "input", () => {
    complain("")
    draw()
    grid.parentElement?.scrollTo(0, 0)
  })

  /** What is in the field: the emoji of a whole shortcode, or the text itself. */
  function written() {
    const typed = field.value.trim()
    const shortcode = /^:(.+):$/.exec(typed)?.[1]
    return (shortcode && emojiOf(knownEmoji(), shortcode)) || typed
  }
}

/**
 * On a small screen the stylesheet keeps it at the bottom.
 *
 * @param {HTMLElement} picker
 * @param {HTMLElement | null} item
 */
function placePicker(picker, item) {
  if (!item) return
  const beside = find(item, ".message__actions").getBoundingClientRect()
  placeBeside(picker, beside, "picker", beside.right - picker.offsetWidth)
}

/**
 * @typedef {import("../net/api.js").User} User
 * @typedef {{reaction: string, users: User[]}} Reacted
 */

/** Reactions that are at hand until the reader has given others. */
const USUAL_REACTIONS = ["👍", "❤️", "😂", "🎉", "👀", "✅"]

/** Beyond these, people are counted instead of named. */
const MOST_REACTORS_NAMED = 8

/**
 * Tells whether both count as the same reaction, as the server compares them: in NFC, without the
 * selector of an emoji's coloured form.
 *
 * @param {string} one
 * @param {string} other
 */
export function isSameReaction(one, other) {
  return compared(one) === compared(other)
}

/**
 * The same reactions with, or without, this one of this user. One that nobody gives is gone; a new
 * one comes last.
 *
 * @param {Reacted[]} reactions
 * @param {string} reaction
 * @param {User} user
 * @param {boolean} given
 * @returns {Reacted[]}
 */
export function withReaction(reactions, reaction, user, given) {
  const same = reactions.filter((each) => isSameReaction(each.reaction, reaction))
  if (!given) return without(reactions, same, user)
  if (hasReacted(same, reaction, user)) return reactions
  // Of both `❤️` and `❤`, which old messages may have, the one of this very form.
  const group = same.find((each) => each.reaction === reaction) ?? same[0]
  if (!group) return [...reactions, { reaction, users: [user] }]
  return reactions.map((each) => (each === group ? { ...each, users: [...each.users, user] } : each))
}

/**
 * Whether a user has given a reaction.
 *
 * @param {Reacted[]} reactions
 * @param {string} reaction
 * @param {{id: string}} user
 */
export function hasReacted(reactions, reaction, user) {
  return reactions.some((each) => isSameReaction(each.reaction, reaction) && each.users.some(({ id }) => id === user.id))
}

/**
 * Who gave a reaction: a sentence that the reaction completes.
 *
 * @param {User[]} users
 */
export function tellWho(users) {
  const names = users.slice(0, MOST_REACTORS_NAMED).map((user) => user.display_name)
  const more = users.length - names.length
  if (more > 0) names.push(more === 1 ? "1 other" : `${more} others`)
  const last = names.pop()
  return `${names.length > 0 ? `${names.join(", ")} and ${last}` : last} reacted with`
}

/**
 * The reactions at hand: what the reader gave last, then the usual ones.
 *
 * @param {string[]} used emoji, latest first
 * @param {string} [reaction] that is given now
 */
export function quickReactions(used, reaction) {
  const all = [...(reaction ? [reaction] : []), ...used, ...USUAL_REACTIONS]
  return all.filter((each, at) => all.findIndex((other) => isSameReaction(each, other)) === at).slice(0, USUAL_REACTIONS.length)
}

/**
 * A reaction, as its partial shows it. The server makes the same view.
 *
 * @param {Reacted} reacted
 * @param {string} me
 */
export function reactionView({ reaction, users }, me) {
  const who = tellWho(users)
  return {
    template: "reaction",
    key: reaction,
    reaction,
    users: JSON.stringify(users.map(({ id, display_name }) => ({ id, display_name }))),
    who,
    title: `${who} ${reaction}`,
    count: users.length,
    pressed: String(users.some(({ id }) => id === me)),
  }
}

/**
 * The same reactions without a user in some of them.
 *
 * @param {Reacted[]} reactions
 * @param {Reacted[]} groups of them
 * @param {User} user
 */
function without(reactions, groups, user) {
  return reactions
    .map((each) => (groups.includes(each) ? { ...each, users: each.users.filter(({ id }) => id !== user.id) } : each))
    .filter(({ users }) => users.length > 0)
}

/** @param {string} reaction */
function compared(reaction) {
  return reaction.replaceAll("\uFE0F", "").normalize("NFC")
}
