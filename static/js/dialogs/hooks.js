// A channel's hooks: addresses at which programs post, and programs that are told what is said; with what
// came or went lately and what was wrong with it.

import { shownOnce } from "./devices.js"
import { askWith } from "./forms.js"
import { copy } from "../conversation/copying.js"
import { briefWords } from "../conversation/local-time.js"
import { sizeWords } from "../conversation/files.js"
import { fill, find, here, part, reader } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/** The time between two looks at how they go. */
const HOOKS_MS = 3_000

/**
 * The list of the channel's hooks of one direction, and the form that makes one. It is read when its button
 * in the channel's menu opens it, and again as long as it is open.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountHooks(button, life) {
  const { on, every } = life
  const dialog = /** @type {HTMLDialogElement} */ (find(/** @type {Element} */ (button.closest(".view")), "#hooks"))
  const [list, told] = [part(dialog, "list"), part(dialog, "told")]
  const form = /** @type {HTMLFormElement} */ (part(dialog, "form"))
  const key = shownOnce(dialog, life)
  const channel = channelPath(here().channel)
  let path = ""
  let looking = 0
  /** The hook that would be deleted if that were asked once more. */
  let asked = ""
  /** What was done last, in words. */
  let said = ""
  /** How much was done: what was read before it is out of date. */
  let steps = 0
  /** @type {Hook[]} */
  let hooks = []

  const draw = () => {
    const { locale } = reader()
    fill(list, { hooks: hooks.map((each) => hookView(each, locale, new Date(), asked)) })
  }
  const tell = (words = "") => {
    if (told.textContent !== words) told.textContent = words
  }
  const read = async () => {
    const [from, at] = [path, steps]
    const { ok, body, why } = await request("GET", from)
    if (!dialog.open || from !== path || at !== steps) return
    if (!ok) return tell(`The hooks could not be loaded. ${why}`)
    hooks = body.hooks
    draw()
    tell(said || (hooks.length ? "" : "There is none yet."))
  }
  /** @param {string} words */
  const done = (words) => {
    steps += 1
    said = words
    tell(words)
    return read()
  }
  const forget = () => {
    // Secrets stay in the page no longer than they are shown.
    hooks = []
    said = asked = ""
    draw()
    key.forget()
  }
  const begin = () => {
    forget()
    path = `${channel}/${/** @type {HTMLInputElement} */ (find(dialog, ":checked")).value}`
    tell("Loading…")
    read()
  }
  /** @param {string} words */
  const take = async (words) => done((await copy(words)) ? "Copied." : "Your browser does not let us copy. Select it in the line.")
  /** @param {Hook} hook @param {boolean} paused @param {string} words */
  const pause = async ({ id, name }, paused, words) => {
    const { ok, why } = await request("PATCH", `${path}/${id}`, { paused })
    done(ok ? `${name} ${words}` : `${name} could not be changed. ${why}`)
  }
  /** @type {Record<string, (hook: Hook) => void>} */
  const actions = {
    "copy-address": ({ url }) => take(url ?? ""),
    "copy-line": ({ url }) => take(curlLine(url ?? "")),
    pause: (hook) => pause(hook, true, "is paused: it is told nothing."),
    "go-on": (hook) => pause(hook, false, "goes on."),
    delete: async ({ id, name }) => {
      if (asked !== id) {
        asked = id
        draw()
        said = `Press again to delete ${name} for good.`
        return tell(said)
      }
      const { ok, status, why } = await request("DELETE", `${path}/${id}`)
      if (!ok && status !== 404) return done(`${name} could not be deleted. ${why}`)
      // The button that had the focus goes with its hook.
      find(dialog, ".sessions__body").focus()
      done(`${name} is deleted. What it wrote stays.`)
    },
  }

  on(button, "click", () => {
    begin()
    looking = every(read, HOOKS_MS)
  })
  on(part(dialog, "kinds"), "change", begin)
  on(list, "click", ({ target }) => {
    const { action = "" } = /** @type {HTMLElement} */ (target).closest("button")?.dataset ?? {}
    const id = /** @type {HTMLElement} */ (target).closest("li")?.dataset.key
    const hook = hooks.find((each) => each.id === id)
    if (action !== "delete" && asked) {
      asked = ""
      draw()
    }
    if (hook) actions[action]?.(hook)
  })
  askWith(form, on, (fields) => request("POST", path, { ...fields, words: fields.words.split(",") }), ({ name, secret }) => {
    form.reset()
    if (secret) key.show(secret)
    done(secret ? `${name} is told what is said from now on.` : `${name} can be posted to.`)
  })
  on(dialog, "close", () => {
    clearInterval(looking)
    forget()
  })
}

/**
 * @typedef {object} Hook as the API tells it
 * @property {string} id
 * @property {string} name
 * @property {string | null} url only for whoever may delete it
 * @property {{display_name: string} | null} created_by
 * @property {string} created_at RFC 3339
 * @property {{at: string, status: number | null, problem: string | null, bytes: number}[]} deliveries newest first
 * @property {string[]} [words] of an outgoing one; so are the others
 * @property {string | null} [paused_since] RFC 3339
 * @property {string | null} [problem] for which it is paused
 * @property {string | null} [retry_at] RFC 3339
 * @property {number} [waiting]
 */

/** A command that posts to a hook. @param {string} url */
export const curlLine = (url) => `curl ${url} -H 'Content-Type: application/json' -d '{"text": "*Hello* from a script"}'`

/**
 * A hook, as its partial shows it.
 *
 * @param {Hook} hook
 * @param {import("../conversation/local-time.js").Locale} locale
 * @param {Date} now
 * @param {string} [asked] the id of the one that would be deleted next
 */
export function hookView({ id, name, url, created_by, created_at, deliveries, words, paused_since, problem, retry_at, waiting }, locale, now, asked) {
  const maker = created_by ? `by ${created_by.display_name}` : "by somebody who has left"
  /** @param {string} time */
  const when = (time) => briefWords(new Date(time), locale, now)
  const [does, lamp, goOn] = doing({ paused_since, retry_at }, when)
  return {
    template: "hook",
    key: id,
    name,
    aside: `Made ${when(created_at)} ${maker}`,
    line: url && !words ? curlLine(url) : url,
    lamp,
    told: words ? joined([does, words.length ? `what begins with ${words.join(", ")}` : "every message", waiting && `${waiting} waiting`, problem]) : "",
    go_on: goOn,
    outgoing: !!words,
    pauses: !!words && !paused_since,
    asked: asked === id,
    summary: deliveries.length === 1 ? "The last delivery" : `The last ${deliveries.length} deliveries`,
    deliveries: deliveries.map(({ at, status, problem, bytes }, place) => ({
      template: "delivery",
      key: String(place),
      words: joined([when(at), status, sizeWords(bytes), problem]),
    })),
  }
}

/**
 * What an outgoing hook does at present: in words, by its lamp, and on the button that lets it go on.
 *
 * @param {Pick<Hook, "paused_since" | "retry_at">} hook
 * @param {(time: string) => string} when
 */
function doing({ paused_since, retry_at }, when) {
  if (paused_since) return [`Paused since ${when(paused_since)}`, "gone", "Resume"]
  if (retry_at) return [`Tries again at ${when(retry_at)}`, "", "Try now"]
  return ["Active", "online", ""]
}

/** What there is of these, in a line. @param {unknown[]} parts */
const joined = (parts) => parts.filter(Boolean).join(" · ")
