// What stands for somebody where there is room for two letters. Decides only.

/** So many looks an avatar can have: `avatar.css` has as many. */
const HUES = 24

const LETTER = /^[\p{Alphabetic}\p{N}]/u

/**
 * The one or two characters that stand for a name: the first letters or digits of its first and last
 * word, or the first two of its only one. Words without any are passed over; of a name without any it
 * is the first character.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.split(" ").map(lettersOf).filter(({ length }) => length > 0)
  const [first = characters(name).slice(0, 1), ...others] = words
  return [first[0], others.length > 0 ? others[others.length - 1][0] : first[1]].join("")
}

/**
 * The hue of somebody's avatar, 0 to 23, by their id: FNV-1a of its bytes.
 *
 * @param {string} id
 */
export function hueOf(id) {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % HUES
}

/** @param {string} word */
function lettersOf(word) {
  return characters(word).filter((each) => LETTER.test(each))
}

/** As people see them: an emoji of several code points is one. @param {string} text */
function characters(text) {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)
}
