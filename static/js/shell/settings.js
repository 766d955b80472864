// The settings of this browser: colours, clock and density, which the server reads as cookies, and
// whether notifications are shown. A change shows at once, in all tabs.

import { cookie, setCookie } from "../lib/browser.js"
import { say } from "../lib/mounting.js"
import { find, here, part } from "../lib/page.js"
import { changePermission, drawPermission } from "./notifications.js"

/** What each setting is where nothing, or nothing that is known, was chosen. */
const USUAL_SETTINGS = { theme: "system", clock: "system", density: "cosy" }

/**
 * Shows and keeps what is chosen.
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
