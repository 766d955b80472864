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
export function mountAllChannels(button, { on, hear }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#all_channels"))
  const field = /** @type {HTMLInputElement} */ (find(dialog, "input"))
  const list = part(dialog, "list")
  const told = part(dialog, "told")
  /** @type {Channel[]} */
  let channels = []
  let isMaking = false

  const wanted = () => field.value.trim().replace(/^#/, "")
  const listbox = new Listbox(field, list, (option, event) => {
    if (option.dataset.id === NEW_CHANNEL) make()
    else goTo(option, event)
  })

  const draw = () => {
    const [name, { locale }, now] = [wanted(), reader(), new Date()]
    const found = channelsFitting(channels, name)
    const options = found.slice(0, MOST_LISTED).map((channel) => drawn("listed-channel", listedView(channel, locale, now)))
    const isNew = name !== "" && channels.every((channel) => channel.name !== folded(name))
    if (isNew) options.push(drawn("listed-channel", { id: NEW_CHANNEL, href: "", title: `Create #${name}`, about: "", topic: "" }))
    list.replaceChildren(...options)
    list.hidden = options.length === 0
    field.ariaExpanded = String(options.length > 0)
    const more = found.length - MOST_LISTED
    told.textContent = more > 0 ? `and ${more} more: type to find them` : ""
    listbox.settle()
  }
  const typed = () => {
    listbox.restart()
    list.scrollTop = 0
    draw()
  }
  const make = async () => {
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
  const readIfOpen = () => dialog.open && read()

  on(button, "click", () => {
    field.value = ""
    dialog.showModal()
    field.focus()
    typed()
    read()
  })
  on(field, "input", typed)
  on(field, "keydown", (event) => listbox.press(event))
  hear("everywhere-channel-created", readIfOpen)
  hear("everywhere-channel-deleted", readIfOpen)
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

/**
 * Writing to somebody: everybody who holds a name.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNewMessage(button, { hear, on }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#new_message"))
  const field = /** @type {HTMLInputElement} */ (find(dialog, "input"))
  const list = part(dialog, "list")
  const told = part(dialog, "told")
  // Enter writes to nobody whom one did not mean.
  const listbox = new Listbox(field, list, goTo, ({ length }) => length === 1 && field.value.trim() !== "")

  const draw = () => {
    const found = fitting(peopleToWrite(everybody(), here().user), field.value).slice(0, MOST_LISTED)
    list.replaceChildren(...found.map(destinationOption))
    list.hidden = found.length === 0
    field.ariaExpanded = String(found.length > 0)
    told.textContent = found.length > 0 || !knowsEverybody() ? "" : "Nobody here is called that."
    listbox.settle()
  }
  const typed = () => {
    listbox.restart()
    draw()
  }

  on(button, "click", async () => {
    field.value = ""
    dialog.showModal()
    field.focus()
    typed()
    if (!(await readEverybody())) told.textContent = "The list of people could not be loaded."
  })
  on(field, "input", typed)
  on(field, "keydown", (event) => listbox.press(event))
  hear("everybody", () => dialog.open && draw())
}
