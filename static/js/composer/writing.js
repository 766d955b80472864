// What fields for messages have in common: the key that ends writing, changes that can be undone, and how
// much fits.

import { escaped } from "../lib/page.js"

/**
 * Fingers have no Shift+Enter: for them Enter is a new line, and a button is what sends; a keyboard
 * beside them has Ctrl+Enter.
 */
export const isTouch = () => matchMedia("(pointer: coarse)").matches

/**
 * Whether a key is the Enter that ends writing.
 *
 * @param {KeyboardEvent} event
 */
export function isDone(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey) return false
  // Safari ends composing before this key, and tells so only by its code.
  if (event.isComposing || event.keyCode === 229) return false
  return event.ctrlKey || event.metaKey || !isTouch()
}

/**
 * Where the stylesheet's `field-sizing` is unknown, the field is as high as its text.
 *
 * @param {HTMLTextAreaElement} text
 */
export function grow(text) {
  if (CSS.supports("field-sizing", "content")) return
  text.style.blockSize = "auto"
  text.style.blockSize = `${text.scrollHeight}px`
}

/** What was replaced last in a field. @type {WeakMap<HTMLTextAreaElement, string>} */
const replaced = new WeakMap()

/**
 * Replaces a part of what is written, so that undoing brings it back; the cursor is after it then.
 *
 * @param {HTMLTextAreaElement} text
 * @param {{start: number, end: number, words: string}} edit
 */
export function replace(text, { start, end, words }) {
  if (!replaced.has(text)) text.addEventListener("input", (event) => goOnAfterUndo(text, /** @type {InputEvent} */ (event)))
  const before = text.value
  const after = before.slice(0, start) + words + before.slice(end)
  if (after === before) return
  replaced.set(text, before.slice(start, end))
  text.focus()
  text.setSelectionRange(start, end)
  insert(words)
  if (text.value === after) return
  text.value = after
  text.setSelectionRange(start + words.length, start + words.length)
  text.dispatchEvent(new InputEvent("input", { bubbles: true }))
}

/**
 * Chromium inserts text line by line, which takes seconds for a thousand. HTML it takes as one, and in
 * a field as the text that it says, but then forgets what could be redone.
 */
const MANY_LINES = 50

/**
 * Puts words in place of the selection by commands, which are out of favour, and still the only way
 * that a browser's undo knows of.
 *
 * @param {string} words
 */
function insert(words) {
  if (!words) return document.execCommand("delete")
  const html = words.split("\n").length > MANY_LINES && escaped(words)
  return (html && document.execCommand("insertHTML", false, html)) || document.execCommand("insertText", false, words)
}

/**
 * What undoing brings back is selected, and the next key would replace it: whoever typed it goes on
 * after it.
 *
 * @param {HTMLTextAreaElement} text
 * @param {InputEvent} event
 */
function goOnAfterUndo(text, { inputType }) {
  const { selectionStart, selectionEnd, value } = text
  if (inputType === "historyUndo" && value.slice(selectionStart, selectionEnd) === replaced.get(text)) text.setSelectionRange(selectionEnd, selectionEnd)
}

/**
 * Replaces all that is written, as if it had been typed: whoever listens to the field hears of it,
 * undoing brings back what was there, and the cursor is at the end.
 *
 * @param {HTMLTextAreaElement} text
 * @param {string} words
 */
export function write(text, words) {
  replace(text, { start: 0, end: text.value.length, words })
  goToEnd(text)
}

/**
 * The text that writing begins with: nothing is before it that undoing could bring back.
 *
 * @param {HTMLTextAreaElement} text
 * @param {string} words
 */
export function prefill(text, words) {
  text.value = words
  text.dispatchEvent(new Event("input", { bubbles: true }))
  goToEnd(text)
}

/** @param {HTMLTextAreaElement} text */
function goToEnd(text) {
  text.focus()
  text.setSelectionRange(text.value.length, text.value.length)
  text.scrollTop = text.scrollHeight
}

/** As many fit into a message: code points, as the server counts them. */
export const MAX_CHARS = 4_000

/** How many more characters fit; below zero, how many are too many. @param {string} text */
export function charsLeft(text) {
  let chars = 0
  for (const _ of text.trim()) chars += 1
  return MAX_CHARS - chars
}

/** With fewer characters left than this, they are counted. */
const NEAR_LIMIT_CHARS = 200

/**
 * What a writer should know of how much fits.
 *
 * @param {number} left
 */
export function limitWords(left) {
  if (left < 0) return `${-left} character${left === -1 ? "" : "s"} too many (at most ${MAX_CHARS.toLocaleString()}).`
  return left < NEAR_LIMIT_CHARS ? `${left} characters left.` : ""
}
