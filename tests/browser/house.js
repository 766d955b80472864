// A server of its own and people with browsers of their own, for the tests beside this file.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtemp, mkdir, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import AxeBuilder from "@axe-core/playwright"
import { chromium } from "playwright-core"

const ROOT = resolve(import.meta.dirname, "../..")
const BINARY = process.env.HOUSTON_BINARY ?? join(ROOT, "target/debug/houston")
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium"
const SHOTS = join(ROOT, "target/screenshots")

/** How long anything may take before a test gives up. Generous: these are promises, not races. */
export const DEADLINE_MS = 30_000

export const DESKTOP = { width: 1280, height: 800 }
export const PHONE = { width: 390, height: 844 }

export const SCREENS = [
  { name: "desktop-light", viewport: DESKTOP, colorScheme: "light" },
  { name: "desktop-dark", viewport: DESKTOP, colorScheme: "dark" },
  { name: "phone-light", viewport: PHONE, colorScheme: "light" },
  { name: "phone-dark", viewport: PHONE, colorScheme: "dark" },
]

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
]

/** A running server with a data directory of its own. */
export class House {
  static async start() {
    const house = new House()
    house.data = await mkdtemp(join(tmpdir(), "houston-"))
    house.port = await freePort()
    house.url = `http://127.0.0.1:${house.port}`
    await house.open()
    house.browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
    return house
  }

  async open() {
    const env = {
      ...process.env,
      ROCKET_PORT: String(this.port),
      ROCKET_DATA_DIR: this.data,
      ROCKET_RATE_LIMITS: "false",
      ROCKET_LOG_LEVEL: "off",
    }
    this.server = spawn(BINARY, { cwd: ROOT, env, stdio: "inherit" })
    await until("the server is ready", async () => (await fetch(`${this.url}/readyz`)).ok)
  }

  /** Ends the server as a crash would. */
  async crash() {
    const ended = new Promise((done) => this.server.once("exit", done))
    this.server.kill("SIGKILL")
    await ended
  }

  async close() {
    await this.browser.close()
    await this.crash()
    await rm(this.data, { recursive: true, force: true })
  }

  /** A page in a browser profile of its own. */
  async visit(options = {}) {
    const context = await this.browser.newContext({ baseURL: this.url, viewport: DESKTOP, ...options })
    context.setDefaultTimeout(DEADLINE_MS)
    return context.newPage()
  }

  /** Somebody who has signed in through the page and looks at a channel. */
  async signedIn(name, { at = "/channels/general", ...options } = {}) {
    const page = await this.visit(options)
    await page.goto(at)
    await page.getByLabel("Display name").fill(name)
    await page.getByRole("button", { name: "Come aboard" }).click()
    const ready = options.javaScriptEnabled === false ? "form.composer" : "form.composer[novalidate]"
    await page.locator(ready).waitFor()
    return page
  }

  /** A scripted client: signs in over the API and gives a function that asks as that user. */
  async script(name) {
    const signedIn = await this.ask("POST", "/api/session", { display_name: name })
    const { token, user } = await signedIn.json()
    const ask = (method, path, body) => this.ask(method, path, body, token)
    return { user, token, ask }
  }

  ask(method, path, body, token) {
    const headers = { "Content-Type": "application/json" }
    if (token) headers.Authorization = `Bearer ${token}`
    return fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) })
  }
}

/** Types a message and sends it with the Enter key. */
export async function say(page, text) {
  await page.getByRole("textbox", { name: /^Message/ }).fill(text)
  await page.keyboard.press("Enter")
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

/** No rule of accessibility is broken, and nothing is wider than the screen. */
export async function isSound(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
  assert.deepEqual(told, [], what)
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `${what} is ${overflow} px too wide`)
}

/** Keeps a picture of the page in `target/screenshots`, to be looked at. */
export async function shoot(page, name) {
  await mkdir(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: "disabled" })
}

async function freePort() {
  const server = createServer()
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}
