// What fields for messages have in common.

/** Fingers have no Shift+Enter: for them Enter is a new line, and a button is what sends. */
export const TOUCH = matchMedia("(pointer: coarse)")

/**
 * Whether a key is the Enter that ends writing.
 *
 * @param {KeyboardEvent} event
 */
export function isDone(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || TOUCH.matches) return false
  // Safari ends composing before this key, and tells so only by its code.
  return !event.isComposing && event.keyCode !== 229
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
  replaced.set(text, text.value.slice(start, end))
  text.focus()
  text.setSelectionRange(start, end)
  // Out of favour, and still the only way that a browser's undo knows of.
  if (document.execCommand("insertText", false, words)) return
  text.setRangeText(words, start, end, "end")
  text.dispatchEvent(new InputEvent("input", { bubbles: true }))
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
 * Writes into a field as if it had been typed: whoever listens to it hears of it, and the cursor
 * is at its end.
 *
 * @param {HTMLTextAreaElement} text
 * @param {string} words
 */
export function write(text, words) {
  text.value = words
  text.dispatchEvent(new Event("input", { bubbles: true }))
  text.focus()
  text.setSelectionRange(words.length, words.length)
  text.scrollTop = text.scrollHeight
}
