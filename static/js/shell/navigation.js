// Going from channel to channel without leaving the page: the address changes, and the view of the
// channel that it stands for takes the place of the one before.

import { isTouch } from "../composer/writing.js"
import { mountAll, say } from "../lib/mounting.js"
import { find, here, part, stamp } from "../lib/page.js"
import { answerOf, UNREACHABLE, waitMs } from "../net/api.js"

/** @typedef {import("../sidebar/destinations.js").Known} Known */

/** A path of a channel's page. */
const CHANNEL_PATH = /^\/channels\/[^/]+$/

/** The sidebar of a small screen, which lies over the page while this is the address. */
const DRAWER = "#channels"

/** Whether the browser tells of every way that leads elsewhere, and says itself that one is on it. */
const isTold = "navigation" in globalThis

/**
 * Goes to a channel's page, or leaves for another one.
 *
 * @param {string} href
 */
export function go(href) {
  const { origin, pathname, hash } = new URL(href, location.href)
  if (origin !== location.origin || !CHANNEL_PATH.test(pathname)) return location.assign(href)
  const path = pathname + hash
  const isCovered = location.hash === DRAWER
  // Only a navigation takes the drawer away; it leaves no trace of its own.
  if (isCovered) location.replace("#conversation")
  if (isTold && pathname !== location.pathname) return isCovered ? location.replace(path) : location.assign(path)
  if (isCovered) history.replaceState(null, "", path)
  else if (path !== location.pathname + location.hash) history.pushState(null, "", path)
  say("went", { isBack: false })
}

/**
 * Goes where links lead, if that is another channel, and where the browser's way back and on lead: by the
 * Navigation API, and by `history` in browsers that do not have it.
 *
 * @param {HTMLElement} _
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountNavigation(_, { on }) {
  on(window, "popstate", () => say("went", { isBack: true }))
  if (isTold) return on(navigation, "navigate", intercept)
  on(document, "click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a")
    const aside = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (!link || aside || event.defaultPrevented || link.target || link.hasAttribute("download")) return
    if (link.origin !== location.origin || !isElsewhere(link)) return
    event.preventDefault()
    go(link.href)
  })
}

/** Stays on the page where a way leads to another channel. @param {NavigateEvent} way */
function intercept(way) {
  const { canIntercept, destination, downloadRequest, formData, navigationType } = way
  const isNew = !destination.sameDocument && (navigationType === "push" || navigationType === "replace")
  if (!canIntercept || !isNew || downloadRequest !== null || formData || !isElsewhere(new URL(destination.url))) return
  way.intercept({
    focusReset: "manual",
    scroll: "manual",
    handler: async () => {
      let shown = Promise.resolve()
      say("went", { isBack: false, wait: (promise) => (shown = promise) })
      await shown
    },
  })
}

/** Within a channel, the browser finds the way. @param {{pathname: string}} address */
function isElsewhere({ pathname }) {
  return CHANNEL_PATH.test(pathname) && pathname !== location.pathname
}

/** Views that are kept beside the open one: each is a hundred messages. */
const MOST_KEPT = 12

/** @typedef {{view: HTMLElement, focus: Element | null}} Kept */

/**
 * The view of the channel that is open. It is mounted while it is looked at; then it is kept, as it was,
 * for the way back, and catches up by its stream.
 *
 * @param {HTMLElement} stage
 * @param {import("../lib/mounting.js").Life} life
 * @param {Record<string, import("../lib/mounting.js").Mount>} mounts what a view does
 */
export function mountViews(stage, { hear, on }, mounts) {
  /** By the channel's id; the one that was left last is the last. @type {Map<string, Kept>} */
  const kept = new Map()
  /** The ids of channels, by the paths under which they were opened. @type {Map<string, string>} */
  const ids = new Map()
  /** @type {Map<string, Known>} by path */
  let channels = new Map()
  let open = find(stage, ".view")
  let life = new AbortController()
  let failures = 0
  /** What had the focus in the open view last, unless it went to the message box from there. */
  let focus = /** @type {Element | null} */ (null)

  /** The view does what it does until it is left. @param {HTMLElement} view */
  const enter = (view) => {
    const { channel = "" } = view.dataset
    view.dataset.address = location.pathname
    ids.set(location.pathname, channel)
    kept.delete(channel)
    put(view)
    mountAll(mounts, view, life.signal)
    say("entered")
  }
  /** @param {HTMLElement} view */
  const put = (view) => {
    if (view !== open) open.replaceWith(view)
    open = view
    say("opened")
  }
  const leave = () => {
    const { channel } = open.dataset
    life.abort()
    life = new AbortController()
    failures = 0
    const focused = focus
    focus = null
    if (!channel || "gone" in open.dataset || isPending()) return
    kept.set(channel, { view: open, focus: focused })
    for (const [id] of kept) if (kept.size > MOST_KEPT) kept.delete(id)
  }
  /** Where one can write at once; on a phone that would open the keyboard. @param {Element | null} [before] */
  const settle = (before) => {
    if (before instanceof HTMLElement && before.isConnected) return before.focus({ preventScroll: true })
    find(document, isTouch() ? "#conversation" : "#text").focus({ preventScroll: true })
  }

  /** @param {import("../lib/mounting.js").Went} how one came here */
  const show = ({ isBack, wait }) => {
    const { pathname } = location
    const id = ids.get(pathname) ?? channels.get(pathname)?.id
    if (pathname === open.dataset.address || (id && id === here().channel)) return
    leave()
    const before = id && kept.get(id)
    if (before) {
      enter(before.view)
      return settle(isBack ? before.focus : null)
    }
    put(pendingChannelView(pathname, channels.get(pathname)))
    settle()
    const shown = load(life.signal)
    wait?.(shown)
  }
  /** @param {AbortSignal} signal of the view that is waited for */
  const load = async (signal) => {
    const { view, status, why, retryAfterMs } = await readView(location.pathname, signal)
    if (signal.aborted) return
    if (view) {
      failures = 0
      return enter(view)
    }
    // This very address shows the way in, and leads back here afterwards.
    if (status === 401) return location.reload()
    part(open, "why").textContent = why
    open.removeAttribute("aria-busy")
    if (status >= 400 && status < 500 && !retryAfterMs) return say("no-channel", { why })
    failures += 1
    const retryInMs = retryAfterMs || waitMs(failures, Math.random())
    const retry = setTimeout(() => load(signal), retryInMs)
    signal.addEventListener("abort", () => clearTimeout(retry))
    say("connection", { connected: false, resumed: false, retryInMs })
  }
  /** Whether the open view is still waited for. */
  const isPending = () => "pending" in open.dataset

  hear("went", show)
  on(document, "focusin", ({ target }) => {
    if (open.contains(target)) focus = target
    else if (target instanceof Element && target.closest(".composer")) focus = null
  })
  hear("connect-now", () => isPending() && load(life.signal))
  on(window, "online", () => isPending() && load(life.signal))
  hear("channels", (/** @type {Known[]} */ known) => {
    channels = new Map(known.map((channel) => [channel.href, channel]))
  })
  hear("channel-deleted", () => (open.dataset.gone = ""))
  hear("everywhere-channel-deleted", ({ name }) => {
    for (const [id, { view }] of kept) if (view.dataset.name === name) kept.delete(id)
  })
  hear("began", () => enter(open))
}

/**
 * What stands there until the server answers: where one goes, as far as that is known.
 *
 * @param {string} address
 * @param {Known | undefined} known
 */
function pendingChannelView(address, known) {
  const view = stamp("pending-view")
  const name = known?.name ?? decodeURIComponent(address.replace("/channels/", ""))
  const kind = known?.kind ?? (/^(@|id:)/.test(name) ? "direct" : "public")
  const title = known?.label ?? (name.startsWith("id:") ? "" : name.replace(/^@/, ""))
  Object.assign(view.dataset, { channel: known?.id ?? "", name, kind, title, address })
  part(view, "title").textContent = title
  part(view, "hash").hidden = kind === "direct"
  return view
}

/**
 * @typedef {object} Read
 * @property {HTMLElement} [view] of this document, ready to be put in place
 * @property {number} status 0 when the server could not be reached
 * @property {string} why there is no view, for people
 * @property {number} retryAfterMs how long to wait before trying again; 0 when not told
 */

/**
 * Asks the server for the view of a channel.
 *
 * @param {string} path of the channel's page
 * @param {AbortSignal} signal
 * @returns {Promise<Read>}
 */
async function readView(path, signal) {
  try {
    const response = await fetch(`${path}/view`, { headers: { Accept: "text/html" }, signal })
    const template = document.createElement("template")
    // The server's own page, drawn as any other: the policy runs no script but our own files.
    template.innerHTML = await response.text()
    const { status, why, retryAfterMs } = answerOf(response.status, null, response.headers.get("Retry-After"))
    const drawn = document.importNode(template.content, true)
    const view = /** @type {HTMLElement | null} */ (drawn.querySelector(".view"))
    const told = drawn.querySelector(".lost__detail")?.textContent
    return { view: response.ok && view ? view : undefined, status, why: told ?? why, retryAfterMs }
  } catch {
    return { status: 0, why: UNREACHABLE, retryAfterMs: 0 }
  }
}
