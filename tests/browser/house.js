// A server of its own and people with browsers of their own, for the tests beside this file.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach } from "node:test"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"

const ROOT = resolve(import.meta.dirname, "../..")
const BINARY = process.env.HOUSTON_BINARY ?? join(ROOT, "target/debug/houston")
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium"
const SHOTS = join(ROOT, "target/screenshots")

/** How long anything may take before a test gives up. Generous: these are promises, not races. */
export const DEADLINE_MS = 30_000

/** How many times as long pages compute, to find what only holds on a fast machine. */
const SLOWER = Number(process.env.SLOWER ?? 1)

export const DESKTOP = { width: 1280, height: 800 }
export const TABLET = { width: 768, height: 1024 }
export const PHONE = { width: 390, height: 844 }

export const SCREENS = [
  { name: "desktop", viewport: DESKTOP },
  { name: "phone", viewport: PHONE, hasTouch: true, isMobile: true },
]

const AXE = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")

export const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
]

/** @type {Set<import("playwright-core").BrowserContext>} */
const profiles = new Set()

// What a test opened would go on listening and drawing beside the next one.
afterEach(async () => {
  for (const profile of profiles) await profile.close()
  profiles.clear()
})

/** The settings of a server that fetches previews, from this machine too. */
export const PREVIEWING = { ROCKET_LINK_PREVIEWS: "true", ROCKET_LINK_PREVIEWS_PRIVATE: "true" }

/**
 * A site of these pages and pictures, by their paths.
 *
 * @param {Record<string, string | Buffer>} pages HTML, or a PNG
 */
export async function site(pages) {
  const server = createHttpServer(({ url }, response) => {
    const page = pages[url ?? ""]
    const type = typeof page === "string" ? "text/html; charset=utf-8" : "image/png"
    response.writeHead(page === undefined ? 404 : 200, { "Content-Type": type }).end(page)
  })
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)))
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}

/** A running server with a data directory of its own. */
export class House {
  /** @param {Record<string, string>} [settings] as variables */
  static async start(settings = {}) {
    const house = new House()
    house.settings = settings
    house.data = await mkdtemp(join(tmpdir(), "houston-"))
    house.port = await freePort()
    house.url = `http://127.0.0.1:${house.port}`
    await house.open()
    return house
  }

  async open() {
    const env = {
      ...process.env,
      ROCKET_PORT: String(this.port),
      ROCKET_DATA_DIR: this.data,
      ROCKET_RATE_LIMITS: "false",
      ROCKET_LOG_LEVEL: "off",
      // No test asks the internet.
      ROCKET_LINK_PREVIEWS: "false",
      ...this.settings,
    }
    this.server = spawn(BINARY, { cwd: ROOT, env, stdio: "inherit" })
    let ended = false
    this.server.once("exit", () => (ended = true))
    await until("the server is ready", async () => ended || (await fetch(`${this.url}/readyz`)).ok)
    assert.ok(!ended, "the server ended at once")
  }

  /** Ends the server as a crash would. */
  async crash() {
    const ended = new Promise((done) => this.server.once("exit", done))
    this.server.kill("SIGKILL")
    await ended
  }

  async close() {
    await this.browser?.close()
    await this.crash()
    await rm(this.data, { recursive: true, force: true })
  }

  /** A browser profile of its own, until the test ends. */
  async profile(options = {}) {
    this.browser ??= await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
    const profile = await this.browser.newContext({ baseURL: this.url, viewport: DESKTOP, ...options })
    profile.setDefaultTimeout(DEADLINE_MS)
    profiles.add(profile)
    if (SLOWER > 1) slowDown(profile)
    return profile
  }

  /** A page in a browser profile of its own. */
  async visit(options) {
    const page = await (await this.profile(options)).newPage()
    if (options?.javaScriptEnabled === false) return page
    // A page is drawn before its scripts are asked for: who clicks at once is too fast for them.
    for (const way of ["goto", "reload", "goBack", "waitForURL"]) {
      const go = page[way].bind(page)
      page[way] = async (...where) => {
        const gone = await go(...where)
        if (await page.locator("form.composer").count()) await isReady(page, {})
        return gone
      }
    }
    return page
  }

  /** Somebody who comes in through the page, as everybody does, and looks at a channel. */
  async newcomer(name, { at = "/channels/general", ...options } = {}) {
    const page = await this.visit(options)
    await page.goto(at)
    await page.getByLabel("Display name").fill(name)
    await page.getByRole("button", { name: "Come aboard" }).click()
    await isReady(page, options)
    return page
  }

  /** Somebody who is signed in already, maybe as a script was, and looks at a channel. */
  async signedIn(name, { at = "/channels/general", token, ...options } = {}) {
    token ??= (await this.script(name)).token
    const page = await this.visit(options)
    await page.context().addCookies([{ name: "session", value: token, url: this.url, httpOnly: true, sameSite: "Lax" }])
    await page.goto(at)
    await isReady(page, options)
    return page
  }

  /** A scripted client: signs in over the API and gives a function that asks as that user. */
  async script(name) {
    const signedIn = await this.ask("POST", "/api/session", { display_name: name })
    const { token, user } = await signedIn.json()
    const ask = (method, path, body) => this.ask(method, path, body, token)
    return { user, token, ask }
  }

  /** A channel of a script's own, with what a test does there. */
  async channel(name) {
    const script = await this.script(`Script of ${name}`)
    const path = `/api/channels/${name}/messages`
    const { id } = await (await script.ask("POST", "/api/channels", { name })).json()
    const post = async (text) => (await script.ask("POST", path, { text })).json()
    const stored = async () => (await (await script.ask("GET", path)).json()).messages
    return { ...script, id, post, stored, at: `/channels/${name}`, path }
  }

  ask(method, path, body, token) {
    const headers = { "Content-Type": "application/json" }
    if (token) headers.Authorization = `Bearer ${token}`
    return fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) })
  }
}

/** Has all pages of a profile compute as on a slower machine. */
function slowDown(profile) {
  const open = profile.newPage.bind(profile)
  profile.newPage = async () => {
    const page = await open()
    const session = await profile.newCDPSession(page)
    const slow = () => session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER }).catch(() => {})
    // Each process of a page is slowed down by itself.
    page.on("framenavigated", (frame) => frame === page.mainFrame() && slow())
    await slow()
    return page
  }
}

/** Types a message and sends it: with the Enter key, or where fingers type, with the button. */
export async function say(page, text) {
  await page.locator("form.composer[novalidate]").waitFor()
  await page.getByRole("textbox", { name: /^Message/ }).fill(text)
  if (await page.evaluate(() => matchMedia("(pointer: coarse)").matches)) {
    await page.getByRole("button", { name: "Send", exact: true }).click()
  } else {
    await page.keyboard.press("Enter")
  }
}

/**
 * Rests a finger on something: on a message, until its sheet of actions is there, however long a slow
 * machine takes; or while something else happens.
 */
export async function press(page, locator, { during = () => page.locator(".sheet[open]").waitFor(), moveBy = 0 } = {}) {
  await locator.scrollIntoViewIfNeeded()
  const { x, y, width, height } = await locator.boundingBox()
  const browser = await page.context().newCDPSession(page)
  const touch = (type, by = 0) => {
    const touchPoints = type === "touchEnd" ? [] : [{ x: x + width / 2, y: y + height / 2 + by }]
    return browser.send("Input.dispatchTouchEvent", { type, touchPoints })
  }
  await touch("touchStart")
  for (let by = 0; moveBy !== 0 && Math.abs(by) <= Math.abs(moveBy); by += moveBy / 5) await touch("touchMove", by)
  await during()
  await touch("touchEnd")
  await browser.detach()
}

/** How far a page's clock may jump ahead before the page takes its streams for dead. */
const JUMP_MS = 10_000

/** Stops a page's clock: its timers wait until `page.clock` is told to go on, however slow the machine is. */
export async function stopClock(page) {
  const now = Date.now()
  await page.clock.install({ time: now })
  await page.clock.pauseAt(now + JUMP_MS)
}

/** The texts that the page shows, in order. */
export function texts(page) {
  return page.locator(".message__text").allInnerTexts()
}

/** Waits until the page shows exactly these texts, in this order. */
export async function shows(page, expected) {
  await until(`the page shows ${JSON.stringify(expected)}`, async () => {
    assert.deepEqual(await texts(page), expected)
    return true
  })
}

/** Asks again until it holds; fails with the last reason after the deadline. */
export async function until(what, holds) {
  const giveUpAt = Date.now() + DEADLINE_MS
  for (;;) {
    let reason = "it does not hold"
    try {
      if (await holds()) return
    } catch (error) {
      reason = error
    }
    if (Date.now() > giveUpAt) throw new Error(`${what}: ${reason}`)
    await new Promise((next) => setTimeout(next, 20))
  }
}

/** Waits until the page hears what happens in its channel, for which it connects anew: what does not last is told once. */
export function listens(page) {
  return page.evaluate(() => new Promise((opened) => {
    document.addEventListener("connection", ({ detail }) => detail.connected && opened())
    dispatchEvent(new Event("online"))
  }))
}

/**
 * Cuts the page off, once its channel's stream is open: one that opens a moment later would say that all
 * is well.
 */
export async function goOffline(page) {
  await listens(page)
  await page.context().setOffline(true)
}

/** Waits until everything on a channel's page works. */
function isReady(page, { javaScriptEnabled = true }) {
  return page.locator(javaScriptEnabled ? "form.composer[novalidate]" : "form.composer").waitFor()
}

/**
 * Looks at the page as it is, in light and in dark, and where it is wide, on a tablet too: keeps
 * pictures, and asks what `isSound` asks.
 */
export async function looksRight(page, what, except) {
  const screen = page.viewportSize()
  await isSound(page, what, except)
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme })
    await shoot(page, `${what}-${colorScheme}`)
    // The same elements in other colours: nothing else could differ.
    if (colorScheme === "dark") assert.deepEqual(await broken(page, { runOnly: ["color-contrast"] }), [], `${what} in dark`)
    if (screen.width < TABLET.width) continue
    await page.setViewportSize(TABLET)
    await shoot(page, `${what}-tablet-${colorScheme}`)
    await fits(page, `${what} on a tablet`)
    await page.setViewportSize(screen)
  }
}

/** No rule of accessibility is broken, nothing is wider than the screen, and the app stands still. */
export async function isSound(page, what, except = []) {
  assert.deepEqual(await faults(page, except), [], what)
}

/** The rules of accessibility that are broken, and what does not fit. */
export async function faults(page, except = [], only) {
  const rules = Object.fromEntries(except.map((rule) => [rule, { enabled: false }]))
  const found = await broken(page, only ? { runOnly: only } : { rules })
  await fits(page, "it").catch(({ message }) => found.push(message))
  return found
}

/** The document of a channel's page does not scroll: only lists in it do. */
export async function standsStill(page, what) {
  const { app, height, room, top } = await page.evaluate(() => {
    const { scrollHeight, clientHeight, scrollTop } = document.scrollingElement
    return { app: document.querySelector(".shell") !== null, height: scrollHeight, room: clientHeight, top: scrollTop }
  })
  if (!app) return
  assert.ok(height <= room, `${what}: the document has ${height} px in ${room} px`)
  assert.equal(top, 0, `${what}: the document is scrolled`)
}

async function fits(page, what) {
  await standsStill(page, what)
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `${what} is ${overflow} px too wide`)
  // What begins before the page's start cannot even be scrolled to.
  const outside = await page.evaluate(() => {
    const opened = [...document.querySelectorAll("details[open] > :not(summary), dialog[open], :popover-open")]
    return opened.map((it) => it.getBoundingClientRect()).filter(({ left, right }) => left < 0 || right > innerWidth).length
  })
  assert.equal(outside, 0, `${what} opens something that is partly outside`)
}

/** Which rules of accessibility are broken, and where. */
async function broken(page, options) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE)
  // What fades in has less contrast than it will have.
  await page.evaluate(() => {
    const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
    for (const animation of ending) animation.finish()
  })
  const violations = await page.evaluate(
    (options) => window.axe.run({ resultTypes: ["violations"], ...options }).then((found) => found.violations),
    options,
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
}

/** Keeps a picture of the page in `target/screenshots`, to be looked at. */
export async function shoot(page, name) {
  await mkdir(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: "disabled" })
}

/** From here on, below those that a system gives to outgoing connections, which could take one first. */
const FIRST_PORT = 20_000
const PORTS = 12_000

/** A port that nothing listens on. */
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (await isFree(port)) return port
  }
}

async function isFree(port) {
  const server = createServer()
  try {
    await new Promise((listening, failed) => server.once("error", failed).listen(port, "127.0.0.1", listening))
  } catch {
    return false
  }
  await new Promise((closed) => server.close(closed))
  return true
}
