// Which messages are but a few emoji.

/** Up to so many are shown large. */
const MOST = 3

const EMOJI = emojiPattern()

/** @param {string} text */
export function isEmojiAlone(text) {
  const seen = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment).filter((each) => each.trim())
  return seen.length > 0 && seen.length <= MOST && seen.every((each) => EMOJI.test(each))
}

/** Built at run time: a literal with `v` would keep an older browser from reading the module at all. */
function emojiPattern() {
  try {
    return new RegExp("^\\p{RGI_Emoji}$", "v")
  } catch {
    return /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)/u
  }
}
