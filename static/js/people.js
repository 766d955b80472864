// Who is here.

import { hear } from "./bus.js"

/** @param {HTMLDetailsElement} people */
export function mountPeople(people) {
  const list = /** @type {HTMLElement} */ (people.querySelector('[data-part="list"]'))
  const count = /** @type {HTMLElement} */ (people.querySelector('[data-part="count"]'))
  const byId = (id) => [...list.children].find((person) => /** @type {HTMLElement} */ (person).dataset.user === id)

  hear("joined", ({ user, online }) => {
    count.textContent = String(online)
    if (byId(user.id)) return
    const person = document.createElement("li")
    person.className = "people__person"
    person.dir = "auto"
    person.dataset.user = user.id
    person.textContent = user.display_name
    list.append(person)
  })
  hear("left", ({ user, online }) => {
    count.textContent = String(online)
    byId(user.id)?.remove()
  })

  document.addEventListener("click", (event) => {
    if (!people.contains(/** @type {Node} */ (event.target))) people.open = false
  })
  people.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !people.open) return
    people.open = false
    people.querySelector("summary")?.focus()
  })
}
