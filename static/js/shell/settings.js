// The settings of this browser: colours, clock and density, which the server reads as cookies as it draws a
// page, and whether notifications are shown.

import { recall, remember } from "../lib/memory.js"
import { say } from "../lib/mounting.js"
import { find, here, part } from "../lib/page.js"

/** What each setting is where nothing, or nothing that is known, was chosen. */
const USUAL_SETTINGS = { theme: "system", clock: "system", density: "cosy" }

/**
 * Shows what is chosen, and keeps it. A change shows at once, in all tabs.
 *
 * @param {HTMLElement} shell
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountSettings(shell, { hear, on, atEnd }) {
  const choices = part(find(document, "#settings"), "choices")
  const [told, button] = [part(choices, "told"), part(choices, "notify")]
  const root = document.documentElement
  const tabs = new BroadcastChannel("settings")
  const me = here().user

  /** What was chosen, and nothing where that is the usual. @param {keyof typeof USUAL_SETTINGS} name */
  const chosen = (name) => {
    const all = [...choices.querySelectorAll(/** @type {"input"} */ (`input[name="${name}"]`))]
    const value = all.find((each) => each.value === cookie(name))?.value ?? USUAL_SETTINGS[name]
    for (const each of all) each.checked = each.value === value
    return value === USUAL_SETTINGS[name] ? "" : value
  }
  const show = () => {
    const theme = chosen("theme")
    put(root, "data-theme", theme)
    put(root, "data-density", chosen("density"))
    for (const meta of document.querySelectorAll(/** @type {"meta"} */ ("meta[data-theme-of]"))) {
      const { themeOf } = meta.dataset
      meta.media = theme ? (theme === themeOf ? "all" : "not all") : `(prefers-color-scheme: ${themeOf})`
    }
    const clock = chosen("clock") || shell.dataset.usualClock
    if (shell.dataset.clock === clock) return
    shell.dataset.clock = clock
    say("clock")
  }
  const showPermission = () => drawPermission(told, button, me)

  on(choices, "change", ({ target }) => {
    const { name, value } = /** @type {HTMLInputElement} */ (target)
    setCookie(name, value === USUAL_SETTINGS[/** @type {keyof typeof USUAL_SETTINGS} */ (name)] ? "" : value)
    show()
    tabs.postMessage(name)
  })
  on(tabs, "message", show)
  atEnd(() => tabs.close())
  on(button, "click", () => changePermission(me))
  hear("permission", showPermission)
  on(window, "storage", showPermission)
  show()
  showPermission()
}

/** @param {Element} element @param {string} name @param {string} value */
function put(element, name, value) {
  if (value) element.setAttribute(name, value)
  else element.removeAttribute(name)
}

/** @typedef {"missing" | "ask" | "refused" | "off" | "on"} Permission */

/** What is said of each state, and what the button then does. */
const PERMISSIONS = {
  missing: { told: "This browser cannot show notifications here. They need HTTPS.", button: "" },
  refused: { told: "The browser refuses notifications for this site. Allow them in its settings for this site.", button: "" },
  ask: { told: "Be told of new messages while you are elsewhere. The browser will ask first.", button: "Notify me" },
  off: { told: "Be told of new messages while you are elsewhere.", button: "Notify me" },
  on: { told: "Notifications are on, on this device.", button: "Turn off" },
}

/**
 * Whether this browser shows notifications, and whether they are wanted on this device.
 *
 * @param {string} me
 * @returns {Permission}
 */
export function permissionOf(me) {
  // Missing also on a plain HTTP address, and where only a service worker could show them.
  if (!("Notification" in window)) return "missing"
  if (Notification.permission === "denied") return "refused"
  if (Notification.permission === "default") return "ask"
  return recall(`notify.${me}`) === "on" ? "on" : "off"
}

/**
 * Says whether notifications are shown, and on the button what would change that.
 *
 * @param {HTMLElement} told
 * @param {HTMLElement} button
 * @param {string} me
 * @returns {Permission} what it is: the browser takes its time to tell
 */
export function drawPermission(told, button, me) {
  const permission = permissionOf(me)
  const state = PERMISSIONS[permission]
  told.textContent = state.told
  button.textContent = state.button
  button.hidden = state.button === ""
  return permission
}

/** Turns notifications on or off, on this device. @param {string} me */
export function changePermission(me) {
  return permissionOf(me) === "on" ? silence(me) : allow(me)
}

/** Only after a click that says what it is for: a browser asks once. @param {string} me */
async function allow(me) {
  if (permissionOf(me) === "ask") await Notification.requestPermission()
  if (Notification.permission === "granted") remember(`notify.${me}`, "on")
  say("permission")
}

/** @param {string} me */
function silence(me) {
  remember(`notify.${me}`, null)
  say("permission")
}

const YEAR_S = 365 * 24 * 60 * 60

/** The value of this cookie; nothing where there is none. @param {string} name */
export function cookie(name) {
  const own = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))
  return own?.slice(name.length + 1) ?? ""
}

/**
 * Sets a cookie, for a year.
 *
 * @param {string} name
 * @param {string} value nothing, to forget
 */
export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? YEAR_S : 0}; SameSite=Lax${secure}`
}
