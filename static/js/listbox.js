// Choosing one of several while the focus stays in the field: arrows move, Enter chooses.

export class Listbox {
  #field
  #list
  #choose
  #at = 0

  /**
   * @param {HTMLElement} field
   * @param {HTMLElement} list with an id
   * @param {(option: HTMLElement, event: Event) => void} choose
   */
  constructor(field, list, choose) {
    this.#field = field
    this.#list = list
    this.#choose = choose
    // The field keeps the focus, and a phone its keyboard.
    list.addEventListener("mousedown", (event) => event.preventDefault())
    list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest('[role="option"]')
      if (option instanceof HTMLElement) choose(option, event)
    })
  }

  get options() {
    return [...this.#list.querySelectorAll(/** @type {"li"} */ ('[role="option"]'))]
  }

  /** Begins again at the first, after the options changed. */
  restart() {
    this.#at = 0
    this.#mark()
  }

  /** Keeps its place, after options were added below. */
  settle() {
    this.#mark()
  }

  /** Nothing is marked any more. */
  rest() {
    this.#field.removeAttribute("aria-activedescendant")
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was for the list
   */
  press(event) {
    // An input method uses these keys itself.
    if (event.isComposing || event.keyCode === 229 || this.options.length === 0) return false
    if (event.key === "ArrowDown") this.#move(1)
    else if (event.key === "ArrowUp") this.#move(-1)
    else if (event.key === "Enter") this.#choose(this.options[this.#at], event)
    else return false
    event.preventDefault()
    return true
  }

  /** Chooses what is marked. @param {Event} event */
  take(event) {
    this.#choose(this.options[this.#at], event)
  }

  /** @param {number} by */
  #move(by) {
    const count = this.options.length
    this.#at = (this.#at + by + count) % count
    this.#mark()
    this.options[this.#at].scrollIntoView({ block: "nearest" })
  }

  #mark() {
    const options = this.options
    this.#at = Math.min(this.#at, Math.max(0, options.length - 1))
    options.forEach((option, at) => {
      option.id = `${this.#list.id}_${at}`
      option.ariaSelected = String(at === this.#at)
    })
    const marked = options[this.#at]
    if (marked) this.#field.setAttribute("aria-activedescendant", marked.id)
    else this.rest()
  }
}
