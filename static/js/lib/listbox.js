// Choosing one of several while the focus stays in the field: arrows move, Enter chooses.

export class Listbox {
  #field
  #list
  #choose
  #offersFirst
  /** The `data-id` of what is marked. @type {string | undefined} */
  #marked

  /**
   * @param {HTMLElement} field
   * @param {HTMLElement} list with an id, of options that have a `data-id` each
   * @param {(option: HTMLElement, event: Event) => void} choose
   * @param {(options: HTMLElement[]) => boolean} [offersFirst] whether the first is marked unasked
   */
  constructor(field, list, choose, offersFirst = () => true) {
    this.#offersFirst = offersFirst
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

  /** Forgets what is marked: the first of the options that come next will be. */
  restart() {
    this.#marked = undefined
  }

  /** Marks what was marked, wherever it is after the options changed, or what is offered if it is gone. */
  settle() {
    const options = this.options
    const marked = options[this.#at]
    options.forEach((option, at) => {
      option.id = `${this.#list.id}_${at}`
      option.ariaSelected = String(option === marked)
    })
    this.#marked = marked?.dataset.id
    if (marked) this.#field.setAttribute("aria-activedescendant", marked.id)
    else this.rest()
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
    else if (event.key === "Enter") this.take(event)
    else return false
    event.preventDefault()
    return true
  }

  /** Chooses what is marked. @param {Event} event */
  take(event) {
    const marked = this.options[this.#at]
    if (marked) this.#choose(marked, event)
  }

  get #at() {
    const options = this.options
    const at = options.findIndex(({ dataset }) => dataset.id === this.#marked)
    return at === -1 && this.#offersFirst(options) ? 0 : at
  }

  /** @param {number} by */
  #move(by) {
    const options = this.options
    // Where nothing is marked is before the first, and after the last.
    const at = by < 0 ? Math.max(this.#at, 0) : this.#at
    const next = options[(at + by + options.length) % options.length]
    this.#marked = next.dataset.id
    this.settle()
    next.scrollIntoView({ block: "nearest" })
  }
}
