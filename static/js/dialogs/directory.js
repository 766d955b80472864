// Everything there is, to choose from by typing: all public channels, or a new one, and everybody to write
// to.

import { briefWords } from "../conversation/local-time.js"
import { segment } from "../lib/addresses.js"
import { folded, Listbox } from "../lib/choosing.js"
import { drawn, find, here, MOST_LISTED, part, reader } from "../lib/page.js"
import { request } from "../net/api.js"
import { everybody, knowsEverybody, readEverybody } from "../net/users.js"
import { go } from "../shell/navigation.js"
import { channelsFitting, destinationOption, fitting, goTo, peopleToWrite } from "../sidebar/destinations.js"

/** @typedef {import("../net/api.js").Channel} Channel */

/** The `data-id` of the option that makes a channel: no channel has it. */
const NEW_CHANNEL = "new"

/**
 * All public channels, to find one among them or to make a new one.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountAllChannels(button, life) {
  /** @type {Channel[]} */
  let channels = []
  let isMaking = false

  const wanted = () => field.value.trim().replace(/^#/, "")
  const offer = () => {
    const [name, { locale }, now] = [wanted(), reader(), new Date()]
    const found = channelsFitting(channels, name)
    const options = found.slice(0, MOST_LISTED).map((channel) => drawn("listed-channel", listedView(channel, locale, now)))
    const isNew = name !== "" && channels.every((channel) => channel.name !== folded(name))
    if (isNew) options.push(drawn("listed-channel", { id: NEW_CHANNEL, href: "", title: `Create #${name}`, about: "", topic: "" }))
    const more = found.length - MOST_LISTED
    return { options, words: more > 0 ? `and ${more} more: type to find them` : "" }
  }
  /** @param {HTMLElement} option @param {Event} event */
  const choose = async (option, event) => {
    if (option.dataset.id !== NEW_CHANNEL) return goTo(option, event)
    if (isMaking) return
    isMaking = true
    const { ok, body, why } = await request("POST", "/channels", { name: wanted() })
    isMaking = false
    if (ok) go(`/channels/${segment(body.name)}`)
    else told.textContent = why
  }
  const read = async () => {
    const { ok, body, why } = await request("GET", "/channels")
    if (!ok) return void (told.textContent = `The channels could not be loaded. ${why}`)
    channels = body.channels.filter((/** @type {Channel} */ { kind }) => kind === "public")
    draw()
  }

  const { dialog, field, told, draw } = directory(button, "#all_channels", life, { offer, choose, read })
  const readIfOpen = () => dialog.open && read()
  life.hear("everywhere-channel-created", readIfOpen)
  life.hear("everywhere-channel-deleted", readIfOpen)
}

/**
 * Everybody who holds a name, to write to one of them.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNewMessage(button, life) {
  const offer = () => {
    const found = fitting(peopleToWrite(everybody(), here().user), field.value).slice(0, MOST_LISTED)
    const words = found.length > 0 || !knowsEverybody() ? "" : "Nobody here is called that."
    return { options: found.map(destinationOption), words }
  }
  const read = async () => {
    if (!(await readEverybody())) told.textContent = "The list of people could not be loaded."
  }
  // Enter writes to nobody whom one did not mean.
  const offersFirst = (/** @type {HTMLElement[]} */ { length }) => length === 1 && field.value.trim() !== ""

  const { dialog, field, told, draw } = directory(button, "#new_message", life, { offer, choose: goTo, read, offersFirst })
  life.hear("everybody", () => dialog.open && draw())
}

/**
 * A dialog that a button opens, with a list from which one chooses by typing.
 *
 * @param {HTMLButtonElement} button
 * @param {string} id
 * @param {import("../lib/mounting.js").Life} life
 * @param {object} acts
 * @param {() => {options: HTMLElement[], words: string}} acts.offer what is offered now, and what is said of it
 * @param {(option: HTMLElement, event: Event) => void} acts.choose
 * @param {() => void} acts.read asks for what there is
 * @param {(options: HTMLElement[]) => boolean} [acts.offersFirst]
 */
function directory(button, id, { on }, { offer, choose, read, offersFirst }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, id))
  const field = /** @type {HTMLInputElement} */ (find(dialog, "input"))
  const [list, told] = [part(dialog, "list"), part(dialog, "told")]
  const listbox = new Listbox(field, list, choose, offersFirst)

  const draw = () => {
    const { options, words } = offer()
    list.replaceChildren(...options)
    list.hidden = options.length === 0
    field.ariaExpanded = String(options.length > 0)
    told.textContent = words
    listbox.settle()
  }
  const typed = () => {
    listbox.restart()
    list.scrollTop = 0
    draw()
  }
  on(button, "click", () => {
    field.value = ""
    dialog.showModal()
    field.focus()
    typed()
    read()
  })
  on(field, "input", typed)
  on(field, "keydown", (event) => listbox.press(event))
  return { dialog, field, told, draw }
}

/**
 * A channel, as its option shows it.
 *
 * @param {Channel} channel
 * @param {import("../conversation/local-time.js").Locale} locale
 * @param {Date} now
 */
function listedView({ id, name, topic, messages, last_message_at }, locale, now) {
  const size = messages === 0 ? "no messages" : messages === 1 ? "1 message" : `${messages} messages`
  const latest = last_message_at ? ` · ${briefWords(new Date(last_message_at), locale, now)}` : ""
  const place = id === here().channel ? "you are here · " : ""
  return { id, href: `/channels/${segment(name)}`, title: `#${name}`, topic, about: `${place}${size}${latest}` }
}
