// Which names fit what somebody types. Decides only.

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
