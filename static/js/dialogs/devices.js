// The user's devices and tokens: a link that signs another device in, to scan or to copy; all sessions, each
// of which can be ended; and tokens for scripts.

import { copy } from "../conversation/copying.js"
import { briefWords } from "../conversation/local-time.js"
import { fill, find, part, reader } from "../lib/page.js"
import { request } from "../net/api.js"

/** How long "Copied" stays on the button. */
const COPIED_MS = 2_000

/** How often is looked who came. */
const LOOK_MS = 2_000

/**
 * Signing another device in: a link, to scan or to copy. Whoever came aboard by it is told, and can be
 * signed out again.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountDevices(button, life) {
  const { on, every } = life
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#device"))
  const code = /** @type {HTMLImageElement} */ (part(dialog, "code"))
  const link = /** @type {HTMLInputElement} */ (part(dialog, "link"))
  const [left, error, offer] = [part(dialog, "left"), part(dialog, "error"), part(dialog, "offer")]
  const copyButton = find(dialog, '[data-action="copy"]')
  const renew = find(dialog, '[data-action="renew"]')
  const aboard = part(dialog, "aboard")
  let expiresAt = 0
  let ticking = 0
  let looking = 0
  /** The sessions that there were before, by id. @type {Set<string> | null} */
  let known = null
  /** Who came, and in what words that is told, by the session's id. @type {Map<string, {words: string, over: boolean}>} */
  const came = new Map()

  const tick = () => {
    const ms = expiresAt - Date.now()
    left.textContent = leftWords(ms)
    offer.toggleAttribute("data-expired", ms <= 0)
    copyButton.toggleAttribute("disabled", ms <= 0)
    if (ms <= 0) clearInterval(ticking)
  }
  const forget = () => {
    clearInterval(ticking)
    // A secret: it stays in the page no longer than it is shown.
    code.removeAttribute("src")
    link.value = ""
    offer.hidden = true
    left.textContent = ""
    error.hidden = true
  }
  const make = async () => {
    forget()
    const { ok, body, why } = await request("POST", "/session/links")
    if (!dialog.open) return
    error.hidden = ok
    error.textContent = ok ? "" : `No link could be made. ${why}`
    offer.hidden = !ok
    if (!ok) return
    // As a picture, never as markup: what is in it cannot run.
    code.src = `data:image/svg+xml,${encodeURIComponent(body.qr_svg)}`
    link.value = body.url
    expiresAt = Date.parse(body.expires_at)
    ticking = every(tick, 1_000)
    tick()
  }
  const tellAboard = () => fill(aboard, { aboard: [...came].map(([key, told]) => ({ template: "aboard", key, ...told })) })
  const look = async () => {
    const { ok, body } = await request("GET", "/sessions")
    if (!ok || !dialog.open) return
    known ??= new Set(body.sessions.map((/** @type {{id: string}} */ { id }) => id))
    const devices = newDevices(body.sessions, known)
    for (const device of devices) {
      known.add(device.id)
      came.set(device.id, { words: `${sessionName(device)} came aboard just now.`, over: false })
    }
    if (devices.length === 0) return
    tellAboard()
    // A link works once.
    expiresAt = 0
    tick()
    left.textContent = "This link was used."
  }
  /** @param {string} id @param {HTMLElement} item */
  const signOut = async (id, item) => {
    const { ok, status, why } = await request("DELETE", `/sessions/${id}`)
    const done = ok || status === 404
    if (done && item.contains(document.activeElement)) renew.focus()
    came.set(id, done ? { words: "It is signed out again.", over: true } : { words: `It could not be signed out. ${why}`, over: false })
    tellAboard()
  }

  on(button, "click", () => {
    dialog.showModal()
    make()
    clearInterval(looking)
    looking = every(look, LOOK_MS)
    look()
  })
  on(aboard, "click", ({ target }) => {
    const item = /** @type {Element} */ (target).closest('[data-action="sign-out"]')?.closest("li")
    if (item) signOut(item.dataset.key ?? "", item)
  })
  on(renew, "click", make)
  copyOnClick(copyButton, link, life)
  on(dialog, "close", () => {
    forget()
    clearInterval(looking)
    known = null
    came.clear()
    tellAboard()
  })
}

/**
 * The list of all sessions, and the form that makes a token.
 *
 * @param {HTMLButtonElement} button
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSessions(button, life) {
  const { on } = life
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#sessions"))
  const [list, told, error] = [part(dialog, "list"), part(dialog, "told"), part(dialog, "error")]
  const form = /** @type {HTMLFormElement} */ (part(dialog, "form"))
  const name = /** @type {HTMLInputElement} */ (find(form, "input"))
  const token = shownOnce(dialog, life)

  /** @param {string} [words] to say of what was done */
  const read = async (words = "") => {
    const { ok, body, why } = await request("GET", "/sessions")
    if (!dialog.open) return
    told.textContent = ok ? words : `Your devices and tokens could not be loaded. ${why}`
    if (!ok) return
    const { locale } = reader()
    fill(list, { sessions: body.sessions.map((/** @type {Session} */ each) => sessionView(each, locale, new Date())) })
    if (body.sessions.length === 1 && !words) told.textContent = "No other device is signed in, and there is no token."
  }
  /** @param {string} why */
  const complain = (why) => {
    error.textContent = why
    error.hidden = !why
    name.ariaInvalid = why ? "true" : null
  }
  /** @param {HTMLElement} item */
  const end = async (item) => {
    const called = find(item, ".session__name").textContent
    const { ok, status, why } = await request("DELETE", `/sessions/${item.dataset.key}`)
    if (!ok && status !== 404) return void (told.textContent = `${called} could not be ended. ${why}`)
    // The button that had the focus goes with its line.
    find(dialog, ".sessions__body").focus()
    read(`${called} has ended.`)
  }

  on(button, "click", () => {
    dialog.showModal()
    told.textContent = "Loading…"
    read()
  })
  on(list, "click", ({ target }) => {
    const item = /** @type {Element} */ (target).closest('[data-action="end"]')?.closest("li")
    if (item) end(item)
  })
  on(form, "submit", async (event) => {
    event.preventDefault()
    const { ok, body, why } = await request("POST", "/sessions", { name: name.value })
    if (!dialog.open) return
    if (!ok) {
      complain(why)
      return name.focus()
    }
    complain("")
    form.reset()
    token.show(body.token)
    read()
  })
  on(name, "input", () => complain(""))
  on(dialog, "close", () => complain(""))
}

/**
 * A secret that is shown once in a dialog, to be copied. It stays in the page no longer than it is shown.
 *
 * @param {HTMLDialogElement} dialog
 * @param {import("../lib/mounting.js").Life} life
 */
export function shownOnce(dialog, life) {
  const made = part(dialog, "made")
  const field = /** @type {HTMLInputElement} */ (part(made, "secret"))
  const forget = () => {
    field.value = ""
    made.hidden = true
  }
  const show = (/** @type {string} */ secret) => {
    if (!dialog.open) return
    field.value = secret
    made.hidden = false
    field.focus()
    field.select()
  }
  copyOnClick(find(made, '[data-action="copy"]'), field, life)
  life.on(dialog, "close", forget)
  return { show, forget }
}

/**
 * A button that copies what is in a field, and says for a moment what became of it.
 *
 * @param {HTMLElement} button
 * @param {HTMLInputElement} field
 * @param {import("../lib/mounting.js").Life} life
 */
function copyOnClick(button, field, { on, later }) {
  on(button, "click", async () => {
    const copied = await copy(field.value)
    field.select()
    button.textContent = copied ? "Copied" : "Selected"
    later(() => (button.textContent = "Copy"), COPIED_MS)
  })
}

/**
 * @typedef {object} Session as the API tells it
 * @property {string} id
 * @property {"browser" | "token"} kind
 * @property {string | null} name a token's
 * @property {string | null} client the browser and system, in words
 * @property {string} last_used_at RFC 3339
 * @property {boolean} current whether it is the one that asks
 */

/** Used this recently, it is in use. */
const RECENT_MS = 60_000

/** What a session is called: a device or a token. @param {Pick<Session, "kind" | "name" | "client">} session */
export function sessionName({ kind, name, client }) {
  return name ?? client ?? (kind === "token" ? "A token" : "An unknown device")
}

/**
 * A session, as its partial shows it: which device or token, and when it was used last.
 *
 * @param {Session} session
 * @param {import("../conversation/local-time.js").Locale} locale
 * @param {Date} now
 */
export function sessionView(session, locale, now) {
  const name = sessionName(session)
  const used = new Date(session.last_used_at)
  const when = now.getTime() - used.getTime() < RECENT_MS ? "just now" : briefWords(used, locale, now)
  const [kind, end] = session.kind === "token" ? ["Token", "Revoke"] : ["Device", "Sign out"]
  return {
    template: "session",
    key: session.id,
    name,
    aside: session.current ? "This device" : `${kind}, last used ${when}`,
    end,
    end_name: `${end} ${name}`,
    current: session.current,
  }
}

/**
 * The devices that came aboard by a link while it was looked at.
 *
 * @param {Session[]} sessions
 * @param {Set<string>} known the ids of those that were there before
 */
export function newDevices(sessions, known) {
  return sessions.filter(({ id, kind, current }) => kind === "browser" && !current && !known.has(id))
}

/** How long a link is good for, in words. @param {number} ms until it ends */
export function leftWords(ms) {
  if (ms <= 0) return "This link has expired."
  const seconds = Math.ceil(ms / 1000)
  const minutes = Math.ceil(seconds / 60)
  if (seconds < 60) return `Works once, for ${seconds} more ${seconds === 1 ? "second" : "seconds"}.`
  return `Works once, for ${minutes} more ${minutes === 1 ? "minute" : "minutes"}.`
}
