// Which messages are but a few emoji. Decides only.

/** Up to so many are shown large. */
const MOST_LARGE = 3

const EMOJI = emojiPattern()

/**
 * Whether a message's HTML is one paragraph of a few emoji alone.
 *
 * @param {string} html
 */
export function isEmojiAlone(html) {
  if (!html.startsWith("<p>") || !html.endsWith("</p>")) return false
  const text = html.slice("<p>".length, -"</p>".length).replaceAll("<br>", "")
  const seen = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment).filter((each) => each.trim())
  return seen.length > 0 && seen.length <= MOST_LARGE && seen.every((each) => EMOJI.test(each))
}

/**
 * Whether a text is one emoji, and nothing else.
 *
 * @param {string} text
 */
export function isEmoji(text) {
  return [...new Intl.Segmenter().segment(text)].length === 1 && EMOJI.test(text)
}

/** Built at run time: a literal with `v` would keep an older browser from reading the module at all. */
function emojiPattern() {
  try {
    // A skin tone alone is a part of an emoji.
    return new RegExp("^[\\p{RGI_Emoji}--\\p{Emoji_Component}]$", "v")
  } catch {
    return /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)/u
  }
}
