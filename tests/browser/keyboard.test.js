// Everything by the keys alone.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, isSound, PHONE, SCREENS, shoot, shows, TABLET, until } from "./house.js"

describe("the keyboard", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const box = (page) => page.getByRole("textbox", { name: /^Message/ })
  const focused = (locator) => locator.evaluate((it) => it === document.activeElement).catch(() => false)
  const hasFocus = (what, locator) => until(what, () => focused(locator))
  /** Presses a key until something has the focus, as one does who looks where it is. */
  const goTo = async (page, key, locator) => {
    await locator.waitFor({ state: "attached" })
    for (let presses = 0; presses < 60; presses += 1) {
      if (await focused(locator)) return
      await page.keyboard.press(key)
    }
    assert.fail(`${locator} is not reached by ${key}`)
  }

  it("goes the whole way: comes in, moves, writes, edits, reacts, deletes, thinks better of it, writes to one, leaves", async () => {
    const { ask } = await house.script("Otto")
    await ask("POST", "/api/channels", { name: "hangar" })
    const page = await house.visit()
    const keys = page.keyboard
    await page.goto("/")
    await hasFocus("one can say who one is", page.getByLabel("Display name"))
    await keys.type("Grace")
    await keys.press("Enter")
    await page.getByRole("heading", { level: 1, name: "general" }).waitFor()
    await hasFocus("one can write at once", box(page))
    await keys.press("Alt+ArrowDown")
    await page.waitForURL("**/channels/hangar")
    await hasFocus("one can write at once", box(page))

    await keys.type("one line")
    await keys.press("Shift+Enter")
    await keys.type("and anotehr")
    await keys.press("Enter")
    await page.locator(".message[data-seq]").waitFor()
    await keys.press("ArrowUp")
    await hasFocus("the message is being edited", page.getByLabel("Text of the message"))
    await keys.press("Control+A")
    await keys.type("and another")
    await keys.press("Enter")
    await page.getByText("edited").waitFor()
    await shows(page, ["and another"])
    await hasFocus("the message box has the focus again", box(page))

    const more = page.getByRole("button", { name: "Message actions" })
    await goTo(page, "Shift+Tab", more)
    await keys.press("Enter")
    await hasFocus("the first action has the focus", page.getByRole("button", { name: "React", exact: true }))
    await keys.press("Enter")
    await hasFocus("the emoji are at hand", page.getByRole("button", { name: "Thumbs up" }))
    await keys.press("Enter")
    await page.getByRole("button", { name: /reacted with 👍/ }).waitFor()

    await goTo(page, "Shift+Tab", more)
    await keys.press("Enter")
    await keys.press("End")
    await keys.press("Enter")
    await hasFocus("one can think better of it", page.getByRole("button", { name: /^Undo/ }))
    await keys.press("Enter")
    await shows(page, ["and another"])

    await keys.press("Control+k")
    await keys.type("Ott")
    await page.getByRole("option", { name: /Otto/ }).waitFor()
    await keys.press("Enter")
    await page.waitForURL("**/channels/@Otto")
    await hasFocus("one can write at once", box(page))
    await keys.type("for you alone")
    await keys.press("Enter")
    await page.locator(".message[data-seq]").waitFor()

    await goTo(page, "Shift+Tab", page.locator(".sidebar__me summary"))
    await keys.press("Enter")
    await goTo(page, "Tab", page.getByRole("button", { name: "Sign out" }))
    await keys.press("Enter")
    await page.getByLabel("Display name").waitFor()
  })

  it("walks among channels and direct conversations, and among the unread ones", async () => {
    const { ask } = await house.script("Wanda")
    for (const name of ["walk-a", "walk-b", "walk-c"]) await ask("POST", "/api/channels", { name })
    const page = await house.signedIn("Walker", { at: "/channels/walk-a" })
    await ask("POST", "/api/channels/walk-c/messages", { text: "over here" })
    await ask("POST", "/api/channels/@Walker/messages", { text: "psst" })
    await page.getByRole("link", { name: /Wanda.*1 unread/ }).waitFor()
    await page.getByRole("link", { name: /walk-c 1 unread/ }).waitFor()
    const lands = async (keys, name) => {
      await page.keyboard.press(keys)
      await page.getByRole("heading", { level: 1, name }).waitFor()
      await page.locator("form.composer[novalidate]").waitFor()
    }
    await lands("Alt+ArrowDown", "walk-b")
    await lands("Alt+ArrowUp", "walk-a")
    await lands("Alt+Shift+ArrowDown", "walk-c")
    const isRead = (name) =>
      until(`${name} is read`, async () => {
        const { channels } = await (await page.request.get("/api/channels")).json()
        return channels.find((each) => each.name === name).unread === 0
      })
    await isRead("walk-c")
    await lands("Alt+Shift+ArrowUp", "Wanda")
    await isRead("@Wanda")
    await page.reload()
    await page.keyboard.press("Alt+Shift+ArrowUp")
    await page.getByText("Nothing else is unread.").waitFor()
    assert.match(page.url(), /@Wanda$/)
  })

  it("goes to the end with Escape and reads all, once what is open is closed", async () => {
    const { ask } = await house.script("Ezra")
    await ask("POST", "/api/channels", { name: "escape" })
    await Promise.all(Array.from({ length: 50 }, (_, n) => ask("POST", "/api/channels/escape/messages", { text: `number ${n}` })))
    const page = await house.signedIn("Escher", { at: "/channels/escape" })
    const scroll = page.getByRole("region", { name: "Messages in escape" })
    const atEnd = () => scroll.evaluate((it) => -it.scrollTop < 5)
    const message = page.locator(".message").nth(10)
    await message.hover()
    await message.getByRole("button", { name: "Mark unread from here" }).click()
    await page.getByRole("separator").waitFor()
    await scroll.evaluate((it) => it.scrollTo(0, -it.scrollHeight))
    await page.locator(".people summary").click()
    await page.keyboard.press("Escape")
    assert.equal(await page.locator(".people[open]").count(), 0)
    assert.equal(await atEnd(), false)
    await scroll.focus()
    await page.keyboard.press("Escape")
    await until("the end is in view", atEnd)
    await hasFocus("one can write at once", box(page))
    await until("nothing is new", async () => (await page.getByRole("separator").count()) === 0)
    await until("all is read", async () => {
      const { channels } = await (await page.request.get("/api/channels")).json()
      return channels.find(({ name }) => name === "escape").unread === 0
    })
  })

  for (const [platform, ours, theirs] of [
    ["MacIntel", "Meta", "Control"], ["iPhone", "Meta", "Control"], ["iPad", "Meta", "Control"],
    ["Linux x86_64", "Control", "Meta"], ["Win32", "Control", "Meta"], ["Linux armv8l", "Control", "Meta"],
  ]) {
    it(`searches with ${ours}+K on ${platform}, and leaves ${theirs}+K to the field`, async () => {
      const { token } = await house.script(`User of ${platform}`)
      const page = await house.visit()
      await page.addInitScript((platform) => Object.defineProperty(navigator, "platform", { get: () => platform }), platform)
      await page.context().addCookies([{ name: "session", value: token, url: house.url }])
      await page.goto("/channels/general")
      const switcher = page.getByRole("dialog", { name: "Search or jump" })
      await box(page).focus()
      await page.evaluate(() => {
        window.taken = []
        addEventListener("keydown", (event) => event.key === "k" && window.taken.push(event.defaultPrevented))
      })
      await page.keyboard.press(`${theirs}+k`)
      await page.keyboard.press("Control+Meta+k")
      assert.deepEqual(await page.evaluate(() => window.taken), [false, false])
      assert.equal(await switcher.isVisible(), false)
      await page.keyboard.press(`${ours}+k`)
      await switcher.waitFor()
      await page.keyboard.press(`${ours}+k`)
      await switcher.waitFor({ state: "hidden" })
    })
  }

  for (const [what, screen] of [
    ["a tablet", { viewport: TABLET, hasTouch: true, isMobile: true }],
    ["a phone", { viewport: PHONE, hasTouch: true, isMobile: true }],
    ["a desktop", {}],
  ]) {
    it(`sends with Ctrl+Enter and with ⌘Enter on ${what}, also an edit`, async () => {
      const { at, stored } = await house.channel(`sends-on-${what.replace(" ", "-")}`)
      const page = await house.signedIn(`Typist on ${what}`, { at, ...screen })
      const isStored = (texts) =>
        until(`${texts} are stored`, async () => {
          assert.deepEqual((await stored()).map(({ text }) => text), texts)
          return true
        })
      await box(page).focus()
      await page.keyboard.type("one")
      if (screen.hasTouch) {
        await page.keyboard.press("Enter")
        await page.keyboard.type("two")
        assert.equal(await box(page).inputValue(), "one\ntwo", "Enter alone is a new line")
      }
      const first = await box(page).inputValue()
      await page.keyboard.press("Control+Enter")
      await isStored([first])
      await page.keyboard.type("at once")
      await page.keyboard.press("Meta+Enter")
      await isStored([first, "at once"])
      // While a list is open, too.
      await page.keyboard.type("with @her")
      await page.getByRole("option", { name: /here/ }).waitFor()
      await page.keyboard.press("Control+Enter")
      await isStored([first, "at once", "with @her"])
      await page.locator(".message[data-own][data-seq]").nth(2).waitFor()

      const field = page.getByRole("textbox", { name: "Text of the message" })
      for (const keys of ["Control+Enter", "Meta+Enter"]) {
        await box(page).focus()
        await page.keyboard.press("ArrowUp")
        await field.fill(`edited by ${keys}`)
        await page.keyboard.press("Shift+Control+Enter")
        await field.waitFor()
        await page.keyboard.press(keys)
        await isStored([first, "at once", `edited by ${keys}`])
        await field.waitFor({ state: "detached" })
      }
    })
  }

  it("tells its keys, as the machine calls them", async () => {
    const page = await house.signedIn("Sheila")
    await page.keyboard.press("?")
    assert.equal(await box(page).inputValue(), "?")
    await page.getByRole("region", { name: /^Messages/ }).focus()
    await page.keyboard.press("?")
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" })
    await sheet.getByText("Ctrl").waitFor()
    await page.keyboard.press("Alt+ArrowDown")
    await page.keyboard.press("Escape")
    await sheet.waitFor({ state: "hidden" })
    assert.match(page.url(), /general$/)

    const mac = await house.visit()
    await mac.addInitScript(() => Object.defineProperty(navigator, "platform", { get: () => "MacIntel" }))
    await mac.goto("/")
    await mac.getByLabel("Display name").fill("Macy")
    await mac.keyboard.press("Enter")
    await mac.locator("form.composer[novalidate]").waitFor()
    await mac.locator(".channel-menu summary").click()
    await mac.getByRole("button", { name: "Keyboard shortcuts" }).click()
    await mac.getByRole("dialog").getByText("⌘").waitFor()
    assert.equal(await mac.getByRole("dialog").getByText("Ctrl").count(), 0)
  })

  for (const { name, ...screen } of SCREENS) {
    it(`is told on ${name}`, async () => {
      const page = await house.signedIn(`Viewer ${name}`, screen)
      await page.locator(".channel-menu summary").click()
      await shoot(page, `menu-${name}`)
      await page.keyboard.press("Escape")
      // Where nothing hovers, the menu does not offer it, and a keyboard still opens it.
      await page.keyboard.press("?")
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
      await shoot(page, `shortcuts-${name}`)
      await isSound(page, `the shortcuts on ${name}`)
      await page.context().close()
    })
  }
})
