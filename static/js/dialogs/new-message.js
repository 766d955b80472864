// Writing to somebody: everybody who holds a name, to choose from by typing.

import { Listbox } from "../lib/choosing.js"
import { find, here, MOST_LISTED, part } from "../lib/page.js"
import { everybody, knowsEverybody, readEverybody } from "../net/users.js"
import { destinationOption, fitting, goTo, peopleToWrite } from "../sidebar/destinations.js"

/** @param {HTMLButtonElement} button @param {import("../lib/mounting.js").Life} life */
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
