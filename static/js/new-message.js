// Writing to somebody: everybody who holds a name, to choose from by typing.

import { hear } from "./bus.js"
import { goTo, optionOf } from "./destination.js"
import { fitting, peopleToWrite } from "./destinations.js"
import { everybody, knowsEverybody, readEverybody } from "./everybody.js"
import { Listbox } from "./listbox.js"
import { find, here, MOST_LISTED, part } from "./page.js"

/** @param {HTMLButtonElement} button */
export function mountNewMessage(button) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#new_message"))
  const field = /** @type {HTMLInputElement} */ (find(dialog, "input"))
  const list = part(dialog, "list")
  const told = part(dialog, "told")
  const listbox = new Listbox(field, list, goTo)

  const draw = () => {
    const found = fitting(peopleToWrite(everybody(), here().user), field.value).slice(0, MOST_LISTED)
    list.replaceChildren(...found.map(optionOf))
    list.hidden = found.length === 0
    field.ariaExpanded = String(found.length > 0)
    told.textContent = found.length > 0 || !knowsEverybody() ? "" : "Nobody here is called that."
    listbox.settle()
  }
  const typed = () => {
    listbox.restart()
    draw()
  }

  button.hidden = false
  button.addEventListener("click", async () => {
    field.value = ""
    dialog.showModal()
    field.focus()
    typed()
    if (!(await readEverybody())) told.textContent = "The list of people could not be loaded."
  })
  field.addEventListener("input", typed)
  field.addEventListener("keydown", (event) => listbox.press(event))
  hear("everybody", () => dialog.open && draw())
}
