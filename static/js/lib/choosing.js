// Choosing by typing: which names fit what is typed, the list in which one of them is chosen, and where
// the words of a search stand in a text.

/** Names are compared without case and width, as the server compares them. @param {string} text */
export function folded(text) {
  return text.normalize("NFKC").toLowerCase()
}

/**
 * How well a name fits: 0 when it begins so, 1 when one of its words does, 2 when it is in it.
 *
 * @param {string} name
 * @param {string} typed
 * @returns {number} -1 when it does not
 */
export function fitOf(name, typed) {
  const [whole, query] = [folded(name), folded(typed)]
  if (whole.startsWith(query)) return 0
  const at = whole.indexOf(query)
  if (at === -1) return -1
  return WORD_STARTS(whole).some((start) => whole.startsWith(query, start)) ? 1 : 2
}

/** @param {string} text */
const WORD_STARTS = (text) => [...text.matchAll(/(?<![\p{L}\p{N}\p{M}])[\p{L}\p{N}]/gu)].map(({ index }) => index)

/** A list of options from which one is chosen while the focus stays in the field: arrows move, Enter chooses. */
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

/** Text before the first of the words: more would push them out of sight. */
const LEAD_CHARS = 60

const ASCII = /^[\0-\x7F]*$/
/** What fonts are asked to ignore: searches do, too. */
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu
/** Characters that normalisation may put together: a base with its marks, the parts of a syllable. */
const CLUSTERS = /[\s\S][\p{M}\p{Default_Ignorable_Code_Point}\u1160-\u11FF\uFF9E\uFF9F]*/gu

/**
 * @typedef {object} Piece
 * @property {string} text
 * @property {boolean} marked
 */

/** The words that are searched for. @param {string} typed */
export function wordsIn(typed) {
  return typed.trim().split(/\s+/u).filter((word) => word !== "")
}

/**
 * The text in pieces, on one line, beginning shortly before the first word found. Words are found as
 * the server finds them, and what they stand for is marked: of `Straße`, all of `ß` for `ss`.
 *
 * @param {string} text
 * @param {string[]} words
 * @returns {Piece[]}
 */
export function markedPieces(text, words) {
  const line = text.replace(/\s+/gu, " ").trim()
  const wanted = words.flatMap((word) => foldedForSearch(word).split(/\s+/u)).filter((word) => word !== "")
  const matches = wanted.length === 0 ? [] : matchesIn(line, wanted)
  const start = startBefore(line, matches[0]?.start ?? 0)
  const pieces = start > 0 ? [{ text: "…", marked: false }] : []
  let at = start
  for (const match of matches) {
    if (match.start > at) pieces.push({ text: line.slice(at, match.start), marked: false })
    pieces.push({ text: line.slice(match.start, match.end), marked: true })
    at = match.end
  }
  if (at < line.length) pieces.push({ text: line.slice(at), marked: false })
  return pieces
}

/**
 * Where the line has one of these words, from left to right, without overlaps.
 *
 * @param {string} line
 * @param {string[]} words folded
 */
function matchesIn(line, words) {
  const { text, placeOf } = foldedWithPlaces(line)
  // The longer first: of "go" and "golf", all of "golf" is marked.
  const any = words.toSorted((a, b) => b.length - a.length).map(literally).join("|")
  /** @type {{start: number, end: number}[]} */
  const matches = []
  for (const { 0: found, index } of text.matchAll(new RegExp(any, "gu"))) {
    const [{ start }, { end }] = [placeOf(index), placeOf(index + found.length - 1)]
    if (start >= (matches.at(-1)?.end ?? 0)) matches.push({ start, end })
  }
  return matches
}

/**
 * The form of a text that searches compare, as `folded` of the server's `domain/search.rs`.
 *
 * @param {string} text
 */
function foldedForSearch(text) {
  if (ASCII.test(text)) return text.toLowerCase()
  // To capitals and back is what folding does where one letter becomes two.
  const small = text.normalize("NFKC").replace(IGNORED, "").toLowerCase().toUpperCase().toLowerCase()
  return small.normalize("NFKC").replaceAll("ς", "σ").replaceAll("i\u0307", "i").replaceAll("ı", "i")
}

/**
 * The folded line, and the characters of the line that each place in it comes from.
 *
 * @param {string} line
 */
function foldedWithPlaces(line) {
  /** @param {number} at */
  const same = (at) => ({ start: at, end: at + 1 })
  if (ASCII.test(line)) return { text: line.toLowerCase(), placeOf: same }
  let text = ""
  /** @type {{start: number, end: number}[]} */
  const places = []
  /** @type {Map<string, string>} */
  const known = new Map()
  for (const { 0: cluster, index } of line.matchAll(CLUSTERS)) {
    const part = known.get(cluster) ?? foldedForSearch(cluster)
    known.set(cluster, part)
    const place = { start: index, end: index + cluster.length }
    for (let at = 0; at < part.length; at += 1) places.push(place)
    text += part
  }
  return { text, placeOf: (/** @type {number} */ at) => places[at] }
}

/** @param {string} word */
function literally(word) {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
}

/**
 * The beginning of a word, not much before this place.
 *
 * @param {string} line
 * @param {number} first
 */
function startBefore(line, first) {
  if (first <= LEAD_CHARS) return 0
  const space = line.indexOf(" ", first - LEAD_CHARS)
  return space === -1 || space >= first ? first : space + 1
}
