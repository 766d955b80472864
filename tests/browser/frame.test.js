// The conversation's frame: what is kept and how to keep it longer, coming back, the way in for scripts.

import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { after, before, describe, it } from "node:test"
import { House, isSound, PHONE, say, SCREENS, shoot, shows, until } from "./house.js"

describe("the frame", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const channel = (name) => house.channel(name)
  const box = (page) => page.getByRole("textbox", { name: /^Message #/ })
  const menu = async (page, item) => {
    await page.locator(".channel-menu summary").click()
    await page.locator(".channel-menu").getByRole("button", { name: item }).click()
  }
  const hasFocus = (what, locator) => until(what, () => locator.evaluate((it) => it === document.activeElement))

  describe("what is kept", () => {
    it("is told at the top of the conversation, and lets go of the oldest in sight", async () => {
      const { at, ask, post } = await channel("kept")
      const page = await house.signedIn("Kepler", { at })
      assert.equal(await page.locator(".ring").isVisible(), false)
      await say(page, "first")
      await page.getByText(/^1 of 100 kept, since \d{1,2}:\d\d/).waitFor()
      await Promise.all(Array.from({ length: 99 }, (_, n) => post(`number ${n}`)))
      await page.getByText(/^100 of 100 kept, since .*The oldest goes next\.$/).waitFor({ state: "attached" })
      const mask = () => page.locator(".message").first().evaluate((it) => getComputedStyle(it).maskImage)
      assert.match(await mask(), /gradient/)
      const { id } = await post("one more")
      await page.getByText("one more").waitFor()
      assert.equal(await page.locator(".message").count(), 100)
      assert.equal(await page.getByText("first", { exact: true }).count(), 0)
      await ask("DELETE", `/api/channels/kept/messages/${id}`)
      await page.getByText(/^99 of 100 kept, since/).waitFor({ state: "attached" })
      await until("nothing is on its way out", async () => (await mask()) === "none")
    })

    it("does not move what one reads when the oldest goes, nor when a film says how large it is", async () => {
      const { at, post } = await channel("still")
      for (let n = 0; n < 100; n += 1) await post(`number ${n}`)
      const page = await house.signedIn("Stella", { at })
      const scroll = page.getByRole("region", { name: "Messages in still" })
      const read = page.locator(".message", { hasText: "number 50" })
      await read.evaluate((it) => it.scrollIntoView({ block: "center" }))
      await page.getByRole("button", { name: "Latest" }).waitFor()
      const top = () => read.evaluate((it) => Math.round(it.getBoundingClientRect().top))
      const before = await top()
      for (let n = 100; n < 130; n += 1) await post(`number ${n}`)
      await page.getByRole("button", { name: "30 new ↓" }).waitFor()
      assert.ok(Math.abs((await top()) - before) <= 2, "the oldest went")
      await page.locator(".message", { hasText: "number 31" }).evaluate((it) => (it.style.minBlockSize = "300px"))
      await until("it stays where it was", async () => Math.abs((await top()) - before) <= 2)
      // A bound for the page, too: messages and a day's line.
      assert.ok((await page.locator(".conversation__list > *").count()) <= 102)
      await page.getByRole("button", { name: "30 new ↓" }).click()
      await until("the end is in view", () => scroll.evaluate((it) => -it.scrollTop < 5))
      await page.locator(".message").last().evaluate((it) => (it.style.minBlockSize = "300px"))
      await until("and stays so", () => scroll.evaluate((it) => -it.scrollTop < 5))
    })

    it("is saved as text, as a page and as JSON", async () => {
      const { at, post } = await channel("saved")
      await post("**bold** & <script>alert(1)</script>")
      await post("two\nlines")
      const page = await house.signedIn("Scribe", { at })
      const saved = async (format) => {
        const coming = page.waitForEvent("download")
        await page.getByRole("dialog", { name: "Save transcript" }).getByRole("button", { name: format }).click()
        const download = await coming
        return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8"), path: await download.path() }
      }
      await page.locator(".ring").getByRole("button", { name: "Save transcript" }).click()
      const text = await saved("Text")
      assert.match(text.name, /^saved-\d{4}-\d\d-\d\d\.txt$/)
      assert.match(text.text, /Script of saved\n {2}two\n {2}lines\n/)
      await page.getByText(`Saved as ${text.name}.`).waitFor()

      await menu(page, "Save transcript")
      const html = await saved("HTML")
      assert.match(html.name, /\.html$/)
      await hasFocus("the focus is where the menu is", page.locator(".channel-menu summary"))
      const reader = await house.visit()
      const asked = []
      reader.on("request", (request) => asked.push(request.url()))
      await reader.setContent(html.text)
      assert.equal(await reader.locator("strong").innerText(), "bold")
      assert.equal(await reader.locator("script").count(), 0)
      assert.deepEqual(asked, [])

      await menu(page, "Save transcript")
      const json = await saved("JSON")
      assert.deepEqual(JSON.parse(json.text).messages.map(({ text }) => text), ["**bold** & <script>alert(1)</script>", "two\nlines"])

      await page.context().setOffline(true)
      await menu(page, "Save transcript")
      await page.getByRole("button", { name: "JSON" }).click()
      await page.getByText("Not saved: No connection to the server.").waitFor()
    })
  })

  describe("what leaves", () => {
    it("goes in sight", async () => {
      const { at, ask, path } = await channel("leaving")
      const { id } = await (await ask("POST", path, { text: "on second thought" })).json()
      const page = await house.signedIn("Leia", { at })
      await shows(page, ["on second thought"])
      await page.evaluate(() => document.documentElement.style.setProperty("--calm", "20s"))
      await ask("DELETE", `${path}/${id}`)
      const leaving = page.locator(".message[data-leaving]")
      await leaving.waitFor({ state: "attached" })
      await until("it moves", () => leaving.evaluate((it) => it.getAnimations().length > 0))
      await leaving.evaluate((it) => it.getAnimations().forEach((animation) => animation.finish()))
      await until("it is gone", async () => (await page.locator(".message").count()) === 0)
    })

    it("is gone at once where motion is not wanted", async () => {
      const { at } = await channel("still-life")
      const page = await house.signedIn("Stillman", { at, reducedMotion: "reduce" })
      await say(page, "gone")
      await page.locator(".message[data-seq]").waitFor()
      const moving = await page.evaluate(() => {
        const message = document.querySelector(".message")
        document.dispatchEvent(new CustomEvent("message-deleted", { detail: { id: message.dataset.id } }))
        return document.getAnimations().length
      })
      assert.equal(moving, 0)
      await until("it is gone", async () => (await page.locator(".message").count()) === 0)
    })
  })

  describe("coming back", () => {
    /** What a browser tells a page that is put aside, or looked at again. */
    const putAside = (page, hidden) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden })
        document.dispatchEvent(new Event("visibilitychange"))
      }, hidden)
    const later = (page, ms) =>
      page.evaluate((passedMs) => {
        const now = Date.now
        Date.now = () => now() + passedMs
      }, ms)
    const toast = (page) => page.locator(".toast")

    it("says what is new and that nothing was lost, once", async () => {
      const { at, post } = await channel("away")
      await post("before")
      const page = await house.signedIn("Rip", { at })
      await shows(page, ["before"])
      await putAside(page, true)
      for (let n = 0; n < 3; n += 1) await post(`meanwhile ${n}`)
      await later(page, 60_000)
      await putAside(page, false)
      await page.getByText("meanwhile 2").waitFor()
      await until("it is announced", async () => (await page.locator(".announcer").innerText()) === "3 new messages")
      assert.equal(await toast(page).innerText(), "", "a minute is no long gap")

      await page.evaluate(() => (document.querySelector(".announcer").textContent = ""))
      await putAside(page, true)
      for (let n = 3; n < 5; n += 1) await post(`meanwhile ${n}`)
      await later(page, 600_000)
      await putAside(page, false)
      await toast(page).getByText("Caught up: 2 new, 0 lost.").waitFor()
      await shoot(page, "caught-up")
      assert.equal(await page.locator(".announcer").innerText(), "")
      await say(page, "of one's own")
      await page.locator(".message[data-seq]", { hasText: "of one's own" }).waitFor()
      await post("live")
      await until("what is live is announced", async () => (await page.locator(".announcer").innerText()) === "Script of away: live")
    })

    it("notices that the machine slept, and connects anew at once", async () => {
      const { at, post } = await channel("asleep")
      const page = await house.signedIn("Hypnos", { at })
      await page.clock.install()
      await page.reload()
      await post("before")
      await shows(page, ["before"])
      let connect
      const connecting = page.waitForRequest(/channels\/.*\/events/)
      await page.route(/channels\/.*\/events/, async (route) => {
        await new Promise((go) => (connect = go))
        await route.continue()
      })
      await page.clock.fastForward(600_000)
      await connecting
      await post("after")
      await until("it connects", () => connect)
      connect()
      await toast(page).getByText("Caught up: 1 new, 0 lost.").waitFor()
    })

    it("says that older ones may be gone when the server lost track, and announces no flood", async () => {
      const { at, post } = await channel("reset")
      await post("seen")
      const page = await house.signedIn("Resi", { at })
      await shows(page, ["seen"])
      /** All at once, as a stream brings it. */
      const told = (...events) =>
        page.evaluate((all) => all.forEach(([event, detail]) => document.dispatchEvent(new CustomEvent(event, { detail }))), events)
      const author = { id: "x", display_name: "X" }
      const { messages } = await (await page.request.get("/api/channels/reset/messages")).json()
      const [known] = messages
      await told(["reset", { reason: "test" }], ["message", known], ["message", { ...known, id: "new", seq: known.seq + 1, text: "new", author }])
      await toast(page).getByText("Caught up: 1 new, 0 lost.").waitFor()
      await told(["reset", { reason: "test" }], ["message", { ...known, id: "other", seq: known.seq + 2, author }])
      await toast(page).getByText("Caught up: 1 new. Older ones may be gone.").waitFor()
    })

    it("notices at once that another tab signed out, renamed, or came in as somebody else", async () => {
      const { at } = await channel("tabs")
      const one = await house.signedIn("Tabea", { at })
      await box(one).fill("half a thought")
      const two = await one.context().newPage()
      await two.goto(at)
      await putAside(one, true)
      await two.locator(".sidebar__me summary").click()
      await two.getByLabel("Display name").fill("Tabitha")
      await two.getByRole("button", { name: "Change name" }).click()
      await two.locator(".sidebar__name", { hasText: "Tabitha" }).waitFor()
      // The stream may have told of it before the answer, which closes the form.
      await two.getByRole("button", { name: "Change name" }).waitFor({ state: "hidden" })
      await putAside(one, false)
      await one.locator(".sidebar__name", { hasText: "Tabitha" }).waitFor()

      // What a hidden tab would otherwise learn only when it is looked at.
      await putAside(one, true)
      await two.locator(".sidebar__me summary").click()
      await two.getByText("forgets your drafts").waitFor()
      await two.getByRole("button", { name: "Sign out" }).click()
      await one.getByRole("button", { name: "Come aboard" }).waitFor()
      await two.getByLabel("Display name").fill("Tabitha")
      await two.getByRole("button", { name: "Come aboard" }).click()
      await two.locator("form.composer[novalidate]").waitFor()
      await two.goto(at)
      await two.locator("form.composer[novalidate]").waitFor()
      assert.equal(await box(two).inputValue(), "", "what was not sent is forgotten")
    })

    it("keeps what was being written when a session ends from elsewhere, for the same name alone", async () => {
      const { at, ask } = await channel("drafts")
      const page = await house.signedIn("Dora", { at })
      await box(page).fill("half a thought")
      await page.request.delete("/api/session")
      await page.getByRole("button", { name: "Come aboard" }).waitFor()
      await page.getByLabel("Display name").fill("Somebody else")
      await page.keyboard.press("Enter")
      await page.locator("form.composer[novalidate]").waitFor()
      assert.equal(await box(page).inputValue(), "")
      await page.request.delete("/api/session")
      await page.getByRole("button", { name: "Come aboard" }).waitFor()
      await page.getByLabel("Display name").fill("dora")
      await page.keyboard.press("Enter")
      await until("the draft is back", async () => (await box(page).inputValue()) === "half a thought")
      await page.keyboard.press("Enter")
      await page.locator(".message[data-seq]").waitFor()
      const { messages } = await (await ask("GET", "/api/channels/drafts/messages")).json()
      assert.equal(messages[0].text, "half a thought")
    })
  })

  describe("the way in for others", () => {
    const line = (page, label) => page.getByRole("group", { name: label })
    const words = (page, label) => line(page, label).locator("code").innerText()

    it("is told in an empty general: an address to pass on; and lines that talk here in the menu", async () => {
      const page = await house.signedIn("First", { permissions: ["clipboard-read", "clipboard-write"] })
      await page.getByText("Houston here. How do you read?").waitFor()
      assert.equal(await words(page, "Where we are"), `${house.url}/`)
      await line(page, "Where we are").getByRole("button", { name: "Copy" }).click()
      await line(page, "Where we are").getByRole("button", { name: "Copied" }).waitFor()
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${house.url}/`)
      for (const { name, ...screen } of SCREENS) {
        await page.setViewportSize(screen.viewport)
        await page.emulateMedia({ colorScheme: screen.colorScheme })
        await shoot(page, `welcome-${name}`)
        await isSound(page, `the welcome on ${name}`)
      }

      const jar = await mkdtemp(join(tmpdir(), "houston-script-"))
      const run = async (label) => promisify(execFile)("sh", ["-c", await words(page, label)], { cwd: jar })
      await menu(page, "Use it from a script")
      await run("Come in, as Robot")
      await run("Send a message")
      await shows(page, ["Hello from a script"])
      assert.equal(await page.getByText("Houston here.").isVisible(), false)
      // Again tomorrow, it is the same Robot.
      await run("Come in, as Robot")
      await run("Send a message")
      await shows(page, ["Hello from a script", "Hello from a script"])
      assert.deepEqual(await page.locator(".message__author").allInnerTexts(), ["Robot", "Robot"])
      await rm(jar, { recursive: true })
    })

    it("is told for each channel, and for a direct conversation leads to oneself", async () => {
      const { at } = await channel("robots")
      await house.script("Roberta")
      const page = await house.signedIn("Asimov", { at })
      await menu(page, "Use it from a script")
      const dialog = page.getByRole("dialog", { name: "Use it from a script" })
      assert.match(await words(dialog, "Listen to what is said"), /channels\/robots\/events'$/)
      for (const { name, ...screen } of SCREENS) {
        await page.setViewportSize(screen.viewport)
        await page.emulateMedia({ colorScheme: screen.colorScheme })
        await shoot(page, `script-${name}`)
        await isSound(page, `the lines for a script on ${name}`)
      }
      await page.goto("/channels/@Roberta")
      await menu(page, "Use it from a script")
      assert.match(await words(dialog, "Send a message"), /channels\/@Asimov\/messages'/)
    })
  })

  let filled = null
  /** A channel that has no more room, once for all. */
  const full = () => {
    filled ??= channel("full").then(async (it) => {
      const line = "all within limits, and this is long enough to wrap on a phone."
      await Promise.all(Array.from({ length: 100 }, (_, n) => it.post(`Telemetry ${n}: ${line}`)))
      return it
    })
    return filled
  }

  for (const { name, ...screen } of SCREENS) {
    it(`is right on ${name}`, async () => {
      const touch = screen.viewport === PHONE ? { hasTouch: true, isMobile: true } : {}
      const { at } = await full()
      const page = await house.signedIn(`Viewer ${name}`, { at, ...screen, ...touch })
      const state = async (what) => {
        await shoot(page, `${what}-${name}`)
        await isSound(page, `${what} on ${name}`)
      }
      await page.getByRole("region", { name: /^Messages in/ }).evaluate((it) => it.scrollTo(0, -it.scrollHeight))
      await page.getByRole("button", { name: "Latest" }).waitFor()
      await state("ring")
      await page.locator(".channel-menu summary").click()
      await state("channel-menu")
      await page.locator(".channel-menu").getByRole("button", { name: "Save transcript" }).click()
      await state("transcript")
      await page.keyboard.press("Escape")
      await page.context().close()
    })
  }
})
