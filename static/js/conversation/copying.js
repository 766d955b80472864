// Copying a message's text or address, a block of code, or several messages that are selected.

import { anchorOf, permalink } from "../lib/addresses.js"
import { say } from "../lib/mounting.js"
import { find, place } from "../lib/page.js"

/**
 * Copies what is asked for, and several messages as what they are.
 *
 * @param {HTMLElement} list
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountCopying(list, { hear, on }) {
  hear("copy-text", ({ id }) => copyAndTell(document.getElementById(anchorOf(id))?.dataset.text ?? "", "Text copied."))
  hear("copy-link", ({ id }) => copyAndTell(permalink(place(), id), "Link copied."))
  on(list, "click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest('[data-action="copy-code"]')
    if (button?.parentElement) copyAndTell(find(button.parentElement, "pre").textContent ?? "", "Code copied.")
  })
  // Where the selection begins elsewhere, the list does not hear of it.
  on(document, "copy", (event) => {
    const isField = event.target instanceof Element && event.target.closest("textarea, input")
    const selection = getSelection()
    const messages = selection && !isField ? selectedIn(list, selection) : []
    // Within one message a browser's own way is better.
    if (messages.length < 2 || !event.clipboardData) return
    event.preventDefault()
    event.clipboardData.setData("text/plain", excerptText(messages))
    event.clipboardData.setData("text/html", excerptHtml(messages))
  })
}

/**
 * Copies a text and says so.
 *
 * @param {string} text
 * @param {string} done
 */
async function copyAndTell(text, done) {
  const copied = await copy(text)
  say("tell", { text: copied ? done : `Your browser does not let us copy. It is: ${text}` })
}

/**
 * Puts a text where it can be pasted from.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByField(text)
  }
}

/**
 * On plain HTTP there is no clipboard but the one of selected text.
 *
 * @param {string} text
 */
function copyByField(text) {
  const focused = document.activeElement
  const field = document.createElement("textarea")
  field.value = text
  field.className = "clipboard"
  // Beside a dialog nothing can be selected.
  const place = document.querySelector("dialog[open]") ?? document.body
  place.append(field)
  field.select()
  const copied = document.execCommand("copy")
  field.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  return copied
}

/**
 * @typedef {object} Selected what is selected of one message
 * @property {string} author
 * @property {string} sentAt RFC 3339
 * @property {string} clock the time of day as the page shows it
 * @property {DocumentFragment} text
 * @property {boolean} isPlain whether it is not rendered: a message under way
 * @property {{name: string, url: string}[]} files
 */

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" })

/** What remains of the page's own attributes: the rest is for its styles and scripts. */
const KEPT_ATTRIBUTES = new Set(["href", "start", "align", "dir"])

/** Elements that begin and end a line. */
const BLOCKS = "p, h1, h2, h3, h4, h5, h6, ul, ol, li, blockquote, pre, table, thead, tbody, tr, th, td, hr, div"

/** Of these, those whose parts stand line by line. */
const TIGHT = "ul, ol, li, table, thead, tbody, tr"

/** What is selected, by messages. @param {Element} list @param {Selection} selection @returns {Selected[]} from top to bottom */
function selectedIn(list, selection) {
  if (selection.rangeCount === 0) return []
  // Firefox has one range between each two things that cannot be selected.
  const [first, last] = [selection.getRangeAt(0), selection.getRangeAt(selection.rangeCount - 1)]
  const range = new Range()
  range.setStart(first.startContainer, first.startOffset)
  range.setEnd(last.endContainer, last.endOffset)
  return [...list.querySelectorAll(/** @type {"li"} */ (".message"))].flatMap((item) => {
    const shown = item.querySelector(".message__text")
    const inner = shown?.checkVisibility() ? within(range, shown) : null
    const files = [...item.querySelectorAll(/** @type {"a"} */ (".file"))].filter((file) => range.intersectsNode(file))
    if (!inner?.toString().trim() && files.length === 0) return []
    const text = inner?.cloneContents() ?? new DocumentFragment()
    const isPlain = Boolean(shown?.hasAttribute("data-plain"))
    const clock = item.querySelector("time")?.textContent ?? ""
    const author = item.querySelector(".message__author")?.textContent ?? ""
    return [{ author, sentAt: item.dataset.sentAt ?? "", clock, text, isPlain, files: files.map(fileOf) }]
  })
}

/** @param {Selected[]} messages */
function excerptText(messages) {
  const timeOf = timesOf(messages)
  const said = messages.map((message) => {
    const text = message.isPlain ? (message.text.textContent ?? "") : textOf(message.text)
    const files = message.files.map(({ name, url }) => `${name}: ${url}`)
    return [`${message.author}, ${timeOf(message)}`, text, ...files].filter(Boolean).join("\n")
  })
  return `${said.join("\n\n")}\n`
}

/** @param {Selected[]} messages */
function excerptHtml(messages) {
  const timeOf = timesOf(messages)
  const root = document.createElement("div")
  for (const message of messages) {
    const head = made("p", made("b", message.author), `, ${timeOf(message)}`)
    const text = message.isPlain ? message.text.textContent?.split("\n").flatMap((line) => [made("br"), line]).slice(1) : [bared(message.text)]
    const files = message.files.map(({ name, url }) => made("p", Object.assign(made("a", name), { href: url })))
    root.append(head, made("div", ...(text ?? [])), ...files)
  }
  return root.innerHTML
}

/**
 * @param {Range} range
 * @param {Element} element
 * @returns {Range | null} what both have in common
 */
function within(range, element) {
  if (!range.intersectsNode(element)) return null
  const inner = new Range()
  inner.selectNodeContents(element)
  if (element.contains(range.startContainer)) inner.setStart(range.startContainer, range.startOffset)
  if (element.contains(range.endContainer)) inner.setEnd(range.endContainer, range.endOffset)
  return inner
}

/** @param {HTMLElement} file */
function fileOf(file) {
  const media = file.querySelector("video, audio")
  const name = file.dataset.name ?? file.getAttribute("download") ?? media?.ariaLabel ?? ""
  const path = file.getAttribute("href") ?? media?.getAttribute("src") ?? ""
  return { name, url: new URL(path, location.href).href }
}

/** The times of day, with their dates where these differ. @param {Selected[]} messages */
function timesOf(messages) {
  const days = new Set(messages.map(({ sentAt }) => DATE.format(new Date(sentAt))))
  return (/** @type {Selected} */ { sentAt, clock }) => (days.size > 1 ? `${DATE.format(new Date(sentAt))}, ${clock}` : clock)
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {(Node | string)[]} children
 */
function made(name, ...children) {
  const element = document.createElement(name)
  element.append(...children)
  return element
}

/** The same without what is the page's alone. @param {DocumentFragment} text */
function bared(text) {
  for (const button of text.querySelectorAll("button")) button.remove()
  for (const box of text.querySelectorAll("input")) box.replaceWith(boxOf(box))
  // An address within the chat leads nowhere from outside.
  for (const link of text.querySelectorAll("a")) link.href = String(link.href)
  for (const element of text.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) if (!KEPT_ATTRIBUTES.has(name)) element.removeAttribute(name)
  }
  return text
}

/**
 * What is rendered as lines of text, as a browser would copy it.
 *
 * @param {Node} root
 * @returns {string}
 */
function textOf(root) {
  if (isA(root, "pre")) return (root.textContent ?? "").replace(/\n$/, "")
  /** Blocks, and what stands in a line between them. @type {string[]} */
  const parts = []
  let line = ""
  const end = () => {
    const words = line.replace(/ *\n */g, "\n").trim()
    if (words) parts.push(words)
    line = ""
  }
  /** @param {Node} node */
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child instanceof Text) line += child.data.replace(/[ \t\n]+/g, " ")
      else if (isA(child, "br")) line += "\n"
      else if (child instanceof HTMLInputElement) line += boxOf(child)
      else if (isA(child, BLOCKS)) {
        end()
        parts.push(marked(child))
      } else if (!isA(child, "button")) walk(child)
    }
  }
  walk(root)
  end()
  if (isA(root, "tr")) return parts.join("\t")
  return parts.filter(Boolean).join(isA(root, TIGHT) ? "\n" : "\n\n")
}

/** @param {HTMLInputElement} box */
const boxOf = ({ checked }) => (checked ? "☑" : "☐")

/** The words of a block with what tells its kind. @param {Node} block */
function marked(block) {
  const words = textOf(block)
  if (isA(block, "blockquote")) return words.replace(/^/gm, "> ")
  if (!isA(block, "li")) return words
  const list = block.parentElement
  const number = list instanceof HTMLOListElement ? list.start + [...list.children].findIndex((item) => item === block) : 0
  const mark = number > 0 ? `${number}. ` : "- "
  return mark + words.replaceAll("\n", `\n${" ".repeat(mark.length)}`)
}

/** @param {Node} node @param {string} selector */
function isA(node, selector) {
  return node instanceof Element && node.matches(selector)
}
