// The head of the open channel: what it is called and what it is about, its bell and its menu, and how much
// of the conversation is kept.

import { briefWords } from "./local-time.js"
import { MessageList } from "./message-list.js"
import { say } from "../lib/mounting.js"
import { find, here, part, reader } from "../lib/page.js"
import { want } from "../net/api.js"
import { knowsEverybody, personOf } from "../net/users.js"
import { go } from "../shell/navigation.js"
import { changePermission, drawPermission } from "../shell/settings.js"
import { hrefOf, labelOf } from "../sidebar/destinations.js"

/**
 * What the channel is about.
 *
 * @param {HTMLElement} line
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountTopic(line, { hear }) {
  hear("channel-updated", ({ topic }) => {
    line.textContent = topic
    line.title = topic
    line.hidden = topic === ""
  })
}

/**
 * A direct conversation is called after the other one, whatever they are called now.
 *
 * @param {HTMLElement} view
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDirect(view, { hear }) {
  const { channel, kind, user: me } = here()
  if (kind !== "direct") return

  const draw = () => {
    // Nobody is known yet, oneself included.
    if (!knowsEverybody()) return
    const direct = { id: channel, name: view.dataset.name ?? "" }
    const partner = personOf(view.dataset.with)
    if (partner) view.dataset.name = `@${partner.display_name}`
    const title = labelOf(direct, partner, me)
    view.dataset.title = title
    part(view, "title").textContent = title
    find(view, '[data-mount~="scroll"]').ariaLabel = `Messages in ${title}`
    say("titled")
    part(view, "lamp").dataset.presence = partner?.online ? "online" : "offline"
    part(view, "lamp").hidden = !partner || partner.id === me
    depart(part(view, "departed"), partner ? "" : title)
    history.replaceState(history.state, "", hrefOf(direct, partner) + location.search + location.hash)
    view.dataset.address = location.pathname
  }

  hear("everybody", draw)
  draw()
}

/**
 * Says that the other one has signed out for good, and reads nothing any more.
 *
 * @param {HTMLElement} line
 * @param {string} who nobody, while the partner holds their name
 */
function depart(line, who) {
  const words = who && `${who} has signed out for good. What was said here stays readable to you.`
  if (line.textContent !== words) line.textContent = words
  line.hidden = !who
  if (who) say("departed")
}

/**
 * The bell: what of this channel is told outside the page, on all devices, and whether this one tells
 * anything.
 *
 * @param {HTMLDetailsElement} details
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountBell(details, { hear, on }) {
  const { channel, user: me } = here()
  const choices = [...details.querySelectorAll("input")]
  const [told, button] = [part(details, "told"), part(details, "notify")]
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"))

  /** The server's value. @type {string | undefined} */
  let bell = choices.find(({ defaultChecked }) => defaultChecked)?.value

  const draw = () => {
    for (const choice of choices) choice.checked = choice.value === bell
    const permission = drawPermission(told, button, me)
    summary.dataset.bell = permission === "on" && bell !== "nothing" ? "on" : "off"
  }

  on(details, "change", async ({ target }) => {
    const chosen = /** @type {import("../shell/notifications.js").Bell} */ (/** @type {HTMLInputElement} */ (target).value)
    const { ok, why } = await want(channel, { bell: chosen })
    if (ok) bell = chosen
    draw()
    if (!ok) told.textContent = `That could not be kept. ${why}`
  })
  on(button, "click", () => changePermission(me))
  hear("permission", draw)
  // Another tab may have changed the permission, another device the bell.
  on(window, "storage", draw)
  hear("channels", (/** @type {import("../sidebar/destinations.js").Known[]} */ known) => {
    const now = known.find(({ id }) => id === channel)?.bell
    if (!now || now === bell) return
    bell = now
    draw()
  })
  draw()
}

/**
 * The menu of the channel: what the user wants of it.
 *
 * @param {HTMLDetailsElement} menu
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountChannelMenu(menu, { hear, on }) {
  const { channel, kind } = here()
  const [star, hide] = [part(menu, "star"), part(menu, "hide")]
  const leave = menu.querySelector('[data-part="leave"]')
  const untilThen = kind === "direct" ? "until something is said" : "until it names you"

  const isStarred = () => star.textContent === "Unstar"
  const isHidden = () => hide.textContent !== "Hide"
  /** @param {{starred: boolean, hidden: boolean}} mine */
  const draw = ({ starred, hidden }) => {
    star.textContent = starred ? "Unstar" : "Star"
    hide.textContent = hidden ? "Show in the sidebar" : "Hide"
  }
  /** @param {Partial<import("../net/api.js").Mine>} change @param {string} told once it is done */
  const ask = async (change, told) => {
    menu.open = false
    menu.querySelector("summary")?.focus()
    const { ok, body, why } = await want(channel, change)
    if (ok) draw(body.mine)
    say("tell", { text: ok ? told : why })
    return ok
  }

  on(star, "click", () => ask({ starred: !isStarred() }, isStarred() ? "No longer starred." : "Starred: it comes first."))
  on(hide, "click", () => ask({ hidden: !isHidden() }, isHidden() ? "It is in the sidebar again." : `Hidden, once you go elsewhere, ${untilThen}.`))
  if (leave) {
    on(leave, "click", async () => {
      say("read-all")
      if (await ask({ hidden: true, starred: false }, `You have left, ${untilThen}.`)) go("/channels/general")
    })
  }
  hear("channels", (/** @type {import("../sidebar/destinations.js").Known[]} */ known) => {
    const now = known.find(({ id }) => id === channel)
    if (now) draw(now)
  })
}

/**
 * How much of the conversation is kept, and since when, at its top.
 *
 * @param {HTMLElement} ring
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountRing(ring, { hear }) {
  const element = find(document, '[data-mount~="messages"]')
  const list = new MessageList(element)
  const words = part(ring, "kept")

  const draw = () => {
    const stored = list.stored()
    const kept = Number(element.dataset.kept)
    ring.hidden = stored.length === 0
    element.toggleAttribute("data-full", stored.length >= kept)
    const now = keptWords({ count: stored.length, kept, since: stored[0]?.dataset.sentAt }, reader().locale, new Date())
    if (words.textContent !== now) words.textContent = now
  }
  hear("drawn", draw)
  draw()
}

/**
 * How much of a conversation is kept, in words. The server says the same.
 *
 * @param {{count: number, kept: number, since: string | undefined}} ring how many there are of how
 *   many there can be, and when the oldest was sent, RFC 3339
 * @param {import("./local-time.js").Locale} locale
 * @param {Date} now
 */
export function keptWords({ count, kept, since }, locale, now) {
  const words = `${count} of ${kept} kept${since ? `, since ${briefWords(new Date(since), locale, now)}` : ""}`
  return count < kept ? words : `${words}. The oldest goes next.`
}
