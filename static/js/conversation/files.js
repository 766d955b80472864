// What is to be said of files, and which can be sent. Decides only.

/**
 * @typedef {object} Attachment
 * @property {string} id
 * @property {string} name
 * @property {string} media_type
 * @property {number} size in bytes
 * @property {string} url
 * @property {number} [width] in pixels, of an image
 * @property {number} [height]
 */

/**
 * @typedef {object} Limits
 * @property {number} maxBytes of one file
 * @property {number} maxFiles of one message
 */

const UNITS = ["bytes", "KiB", "MiB", "GiB"]

/**
 * A size in words: `0 bytes`, `1 byte`, `4.2 KiB`, `25 MiB`.
 *
 * @param {number} bytes
 */
export function sizeWords(bytes) {
  if (bytes === 1) return "1 byte"
  const step = bytes > 0 ? Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1) : 0
  const amount = bytes / 1024 ** step
  const digits = step > 0 && amount < 10 ? 1 : 0
  return `${Number(amount.toFixed(digits))} ${UNITS[step]}`
}

/** What browsers can show over the page, of what is drawn as a card. @type {Record<string, "text" | "pdf">} */
const LOOKS = { "text/plain": "text", "application/pdf": "pdf" }

/**
 * What kind of file it is, in a word: its extension where that says something, else its type.
 *
 * @param {string} name
 * @param {string} mediaType
 */
export function kindWords(name, mediaType) {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]
  if (extension) return extension.toUpperCase()
  if (mediaType === "application/octet-stream") return "File"
  return mediaType.slice(mediaType.indexOf("/") + 1).replace(/^x-|\+.*$/g, "").toUpperCase()
}

/**
 * How a file is shown: in place where browsers can, an image only when its size is known before it
 * is there.
 *
 * @param {Attachment} file
 * @returns {"image" | "video" | "audio" | "card"}
 */
export function shownAs({ media_type, width }) {
  const [kind] = media_type.split("/")
  if (kind === "image" && width) return "image"
  return kind === "video" || kind === "audio" ? kind : "card"
}

/**
 * A file of a message, as its partials show it. The server makes the same view.
 *
 * @param {Attachment} file
 */
export function fileView(file) {
  const { id, name, media_type, size, url, width, height } = file
  const shown = shownAs(file)
  // Of others the card is drawn only where this browser cannot play them, and says that.
  const about = shown === "card" ? `${kindWords(name, media_type)} · ${sizeWords(size)}` : undefined
  return { template: `file-${shown}`, key: id, name, url, width, height, look: LOOKS[media_type] ?? null, about }
}

/**
 * Which of these files can be sent with those that are there already, and why others cannot.
 *
 * @template {{name: string, size: number}} F
 * @param {F[]} files
 * @param {number} present how many there are already
 * @param {Limits} limits
 * @returns {{taken: F[], refused: string[]}}
 */
export function admit(files, present, { maxBytes, maxFiles }) {
  const small = files.filter(({ size }) => size <= maxBytes)
  const refused = files
    .filter(({ size }) => size > maxBytes)
    .map(({ name, size }) => `“${name}” has ${sizeWords(size)}: a file has at most ${sizeWords(maxBytes)}.`)
  const taken = small.slice(0, Math.max(0, maxFiles - present))
  if (taken.length < small.length) refused.push(`A message has at most ${maxFiles} files.`)
  return { taken, refused }
}

/**
 * Whether a text says nothing but how these files are called, a line each, as file managers write it
 * beside files that are copied: by name, with or without its extension, or by address.
 *
 * @param {string} text
 * @param {string[]} names
 */
export function isNamesOf(text, names) {
  const known = new Set(names.flatMap((name) => [name, name.replace(/(.)\.[^.]*$/, "$1")]).map(composed))
  const lines = text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean)
  // In the Finder a slash is a sign like others, which is a colon on the disk.
  return lines.every((line) => [line, line.replaceAll("/", ":"), lastStep(line)].some((name) => known.has(composed(name))))
}

/** @param {string} name some file systems take letters apart */
const composed = (name) => name.normalize("NFC")

/** @param {string} path a path of any system, or a `file:` address */
function lastStep(path) {
  const step = path.split(/[\\/]/).at(-1) ?? ""
  if (!path.startsWith("file:")) return step
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

/**
 * How much of each file has gone out, from 0 to 1, when so much of all has: they go one after the
 * other.
 *
 * @param {number[]} sizes in bytes
 * @param {number} sent from 0 to 1
 */
export function shares(sizes, sent) {
  const all = sizes.reduce((sum, size) => sum + size, 0)
  let before = 0
  return sizes.map((size) => {
    const share = size > 0 ? (sent * all - before) / size : sent
    before += size
    return Math.min(1, Math.max(0, share))
  })
}
