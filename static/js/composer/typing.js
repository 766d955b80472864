// Telling that one is typing, and seeing who is.

import { here, part } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** Nobody types longer than this without saying so again. */
const TYPING_MS = 5_000

/** The server is told no more often: shorter than what others wait for. */
const TELL_MS = 3_000

/** @param {HTMLTextAreaElement} text @param {import("../lib/mounting.js").Life} life */
export function mountTyping(text, { hear, on }) {
  let toldAt = -Infinity
  on(text, "input", () => {
    const now = performance.now()
    const { channel } = here()
    if (!channel || !text.value.trim() || now - toldAt < TELL_MS) return
    toldAt = now
    request("POST", `${channelPath(channel)}/typing`)
  })
  hear("opened", () => (toldAt = -Infinity))
  // What was sent is no longer being typed: the next word tells at once.
  hear("send", () => (toldAt = -Infinity))
}

/**
 * Is not read out: whoever listens to the page would hear of nothing else.
 *
 * @param {HTMLElement} line
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountTypists(line, { hear, later, atEnd }) {
  const words = part(line, "words")
  const me = here().user
  /** @type {Map<string, {name: string, timer: number}>} */
  const typists = new Map()

  const draw = () => {
    words.replaceChildren(...typingWords([...typists.values()].map(({ name }) => name)).map(drawnPiece))
    line.toggleAttribute("data-typing", typists.size > 0)
  }
  /** @param {string} id */
  const drop = (id) => {
    clearTimeout(typists.get(id)?.timer)
    if (typists.delete(id)) draw()
  }

  hear("typing", ({ user }) => {
    if (user.id === me) return
    clearTimeout(typists.get(user.id)?.timer)
    typists.set(user.id, { name: user.display_name, timer: later(() => drop(user.id), TYPING_MS) })
    draw()
  })
  atEnd(() => {
    typists.clear()
    draw()
  })
  hear("message", ({ author }) => drop(author.id))
  hear("left", ({ user }) => drop(user.id))
  hear("renamed", (user) => {
    const typist = typists.get(user.id)
    if (!typist) return
    typist.name = user.display_name
    draw()
  })
}

/** @param {Piece} piece */
function drawnPiece(piece) {
  if ("words" in piece) return piece.words
  const name = document.createElement("bdi")
  name.textContent = piece.name
  return name
}

/** @typedef {{name: string} | {words: string}} Piece names keep their own direction among the words */

/**
 * Who is typing, in words.
 *
 * @param {string[]} names in the order in which they began
 * @returns {Piece[]}
 */
export function typingWords(names) {
  const [one, two] = names.map((name) => ({ name }))
  if (names.length === 0) return []
  if (names.length === 1) return [one, { words: " is typing…" }]
  if (names.length === 2) return [one, { words: " and " }, two, { words: " are typing…" }]
  return [{ words: "Several people are typing…" }]
}
