// A channel's incoming hooks: addresses at which programs post, with what came lately and what was wrong
// with it.

import { askWith } from "./forms.js"
import { copy } from "../conversation/copying.js"
import { clockWords, briefWords } from "../conversation/local-time.js"
import { sizeWords } from "../conversation/files.js"
import { fill, find, here, part, reader } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/**
 * The list of the channel's hooks, and the form that makes one. It is read whenever its button in the
 * channel's menu opens it.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountHooks(button, { on }) {
  const dialog = /** @type {HTMLDialogElement} */ (find(/** @type {Element} */ (button.closest(".view")), "#hooks"))
  const [list, told] = [part(dialog, "list"), part(dialog, "told")]
  const form = /** @type {HTMLFormElement} */ (part(dialog, "form"))
  const path = `${channelPath(here().channel)}/hooks`
  /** @type {Hook[]} */
  let hooks = []

  const draw = () => {
    const { locale } = reader()
    fill(list, { hooks: hooks.map((each) => hookView(each, locale, new Date())) })
  }
  const read = async (words = "") => {
    const { ok, body, why } = await request("GET", path)
    if (!dialog.open) return
    told.textContent = ok ? words : `The hooks could not be loaded. ${why}`
    if (!ok) return
    hooks = body.hooks
    draw()
    if (!hooks.length && !words) told.textContent = "There is none yet."
  }
  /** @param {string} words */
  const take = async (words) => void (told.textContent = (await copy(words)) ? "Copied." : "Your browser does not let us copy. Select it in the line.")
  /** @type {Record<string, (hook: Hook) => void>} */
  const actions = {
    "copy-address": ({ url }) => take(url ?? ""),
    "copy-line": ({ url }) => take(curlLine(url ?? "")),
    delete: async ({ id, name }) => {
      const { ok, status, why } = await request("DELETE", `${path}/${id}`)
      if (!ok && status !== 404) return void (told.textContent = `${name} could not be deleted. ${why}`)
      // The button that had the focus goes with its hook.
      find(dialog, ".sessions__body").focus()
      read(`${name} is deleted. What it wrote stays.`)
    },
  }

  on(button, "click", () => {
    told.textContent = "Loading…"
    read()
  })
  on(list, "click", ({ target }) => {
    const { action = "" } = /** @type {HTMLElement} */ (target).dataset
    const key = /** @type {HTMLElement} */ (target).closest("li")?.dataset.key
    const hook = hooks.find(({ id }) => id === key)
    if (hook) actions[action]?.(hook)
  })
  askWith(form, on, (fields) => request("POST", path, fields), ({ name }) => {
    form.reset()
    read(`${name} can be posted to.`)
  })
  on(dialog, "close", () => {
    // Secrets stay in the page no longer than they are shown.
    hooks = []
    draw()
  })
}

/**
 * @typedef {object} Hook as the API tells it
 * @property {string} id
 * @property {string} name
 * @property {string | null} url only for whoever may delete it
 * @property {{display_name: string} | null} created_by
 * @property {string} created_at RFC 3339
 * @property {{at: string, status: number, problem: string | null, bytes: number}[]} deliveries newest first
 */

/** A command that posts to a hook. @param {string} url */
export const curlLine = (url) => `curl ${url} -H 'Content-Type: application/json' -d '{"text": "*Hello* from a script"}'`

/**
 * A hook, as its partial shows it.
 *
 * @param {Hook} hook
 * @param {import("../conversation/local-time.js").Locale} locale
 * @param {Date} now
 */
export function hookView({ id, name, url, created_by, created_at, deliveries }, locale, now) {
  const maker = created_by ? `by ${created_by.display_name}` : "by somebody who has left"
  return {
    template: "hook",
    key: id,
    name,
    aside: `Made ${briefWords(new Date(created_at), locale, now)} ${maker}`,
    line: url ? curlLine(url) : "",
    delete_name: `Delete ${name}`,
    address_name: `Copy address of ${name}`,
    line_name: `Copy line of ${name}`,
    summary: deliveries.length === 1 ? "The last delivery" : `The last ${deliveries.length} deliveries`,
    deliveries: deliveries.map(({ at, status, problem, bytes }, place) => ({
      template: "delivery",
      key: String(place),
      words: `${clockWords(new Date(at), locale)} · ${status} · ${sizeWords(bytes)}${problem ? ` · ${problem}` : ""}`,
    })),
  }
}
