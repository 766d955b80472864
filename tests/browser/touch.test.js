// What can be done with a message by a finger: a long press opens a sheet of actions.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, looksRight, PHONE, press, say, shoot, stopClock, TABLET, until } from "./house.js"

const SCREENS = [
  { name: "phone", viewport: PHONE, hasTouch: true, isMobile: true },
  { name: "tablet", viewport: TABLET, hasTouch: true, isMobile: true },
]

/** Longer than a press must be to open anything. */
const LONG_MS = 700

describe("a long press on a message", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const message = (page, text) => page.locator(".message", { hasText: text })
  const sheet = (page) => page.getByRole("dialog", { name: "Message actions" })
  const actions = (page) => sheet(page).getByRole("toolbar").getByRole("button").allInnerTexts()
  const isUncovered = (locator) =>
    locator.evaluate((it) => {
      const { top, bottom } = it.getBoundingClientRect()
      const view = it.closest(".conversation__scroll").getBoundingClientRect()
      return top >= view.top - 1 && bottom <= document.querySelector(".sheet").getBoundingClientRect().top
    })

  for (const { name, ...screen } of SCREENS) {
    it(`opens a sheet that leaves it in view, quick reactions first, ${name}`, async () => {
      const { at, post, ask, path } = await house.channel(`pressed-${name}`)
      for (let n = 0; n < 30; n += 1) await post(`number ${n}.`)
      const page = await house.signedIn(`Finger ${name}`, { at, ...screen })
      await say(page, "mine at the end")
      await page.locator(".message[data-own][data-seq]").waitFor()
      assert.equal(await page.locator(".message__more").evaluateAll((all) => all.filter((it) => getComputedStyle(it).clipPath === "none").length), 0, "nothing is beside each message")
      for (const [text, names] of [
        ["mine at the end", ["React", "Reply", "Edit", "Copy text", "Copy link", "Mark unread from here", "Delete"]],
        ["number 28.", ["React", "Reply", "Copy text", "Copy link", "Mark unread from here"]],
        ["number 20.", ["React", "Reply", "Copy text", "Copy link", "Mark unread from here"]],
      ]) {
        await press(page, message(page, text))
        await sheet(page).waitFor()
        assert.deepEqual(await actions(page), names)
        const quick = sheet(page).getByRole("group", { name: "Quick reactions" }).getByRole("button")
        assert.equal(await quick.count(), 6)
        await until(`“${text}” is in view`, () => isUncovered(message(page, text)))
        // A finger that leaves has chosen nothing; one beside it closes it.
        assert.ok(await sheet(page).isVisible())
        if (text.startsWith("mine")) await looksRight(page, `sheet-${name}`)
        await page.touchscreen.tap(screen.viewport.width / 2, 100)
        await sheet(page).waitFor({ state: "hidden" })
        await until("nothing is lifted", () => page.locator(".conversation__flow").evaluate((it) => getComputedStyle(it).translate === "none"))
      }
      await press(page, message(page, "number 28."))
      await sheet(page).getByRole("button", { name: "Party" }).tap()
      await message(page, "number 28.").getByRole("button", { name: /reacted with 🎉/ }).waitFor()
      await until("the server knows it", async () => {
        const { messages } = await (await ask("GET", path)).json()
        return messages.some(({ text, reactions }) => text === "number 28." && reactions[0]?.reaction === "🎉")
      })
      await press(page, message(page, "number 28."))
      await sheet(page).getByRole("button", { name: "Party", pressed: true }).tap()
      await until("it is taken back", async () => (await page.locator(".message .reaction").count()) === 0)
      await press(page, message(page, "number 28."))
      await sheet(page).getByRole("toolbar").getByText("React").tap()
      await page.locator(".picker").waitFor()
      await shoot(page, `sheet-picker-${name}`)
    })
  }

  it("is none while the list is scrolled, when it is short, or on what has a press of its own", async () => {
    const { at, post } = await house.channel("not-pressed")
    for (let n = 0; n < 40; n += 1) await post(`number ${n}.`)
    await post("[a link that is long enough to be pressed in its middle](https://example.org/)")
    const page = await house.signedIn("Nofinger", { at, ...SCREENS[0] })
    await stopClock(page)
    const isNone = async (what, locator, rests) => {
      await press(page, locator, rests)
      await page.clock.runFor(LONG_MS)
      assert.equal(await sheet(page).isVisible(), false, what)
    }
    const long = () => page.clock.runFor(LONG_MS)
    await isNone("a short one", message(page, "number 35."), { during: () => page.clock.runFor(100) })
    await isNone("one that moves", message(page, "number 35."), { during: long, moveBy: 120 })
    await until("it was scrolled", () => page.locator(".conversation__scroll").evaluate((it) => it.scrollTop < 0))
    await isNone("one on a link", page.getByRole("link", { name: "a link" }), { during: long })
    // The control: this is how long it takes.
    await press(page, message(page, "number 35."), { during: long })
    await sheet(page).waitFor()
  })

  it("copies the text as it was written, and Escape, or the button for readers of the screen, do as well", async () => {
    const { at, post } = await house.channel("copied")
    const { id } = await post("some *text*\nin two lines")
    const page = await house.signedIn("Copa", { at, ...SCREENS[0] })
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    await press(page, message(page, "some text"))
    await sheet(page).getByRole("toolbar").getByText("Copy text").tap()
    await page.getByText("Text copied.").waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "some *text*\nin two lines")
    // As a reader of the screen does it.
    const more = page.locator(`[data-id="${id}"]`).getByRole("button", { name: "Message actions" })
    await more.evaluate((it) => (it.focus(), it.click()))
    await sheet(page).waitFor()
    await page.keyboard.press("Escape")
    await sheet(page).waitFor({ state: "hidden" })
    await until("the focus is back", () => more.evaluate((it) => it === document.activeElement))
    // And with a keyboard beside the screen.
    await page.locator(".message").focus()
    await page.keyboard.press("Enter")
    await sheet(page).waitFor()
    await page.keyboard.press("ArrowDown")
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Reply")
    await page.keyboard.press("Enter")
    await page.getByRole("group", { name: "Answering" }).getByText("some").waitFor()
  })

  it("shows the beginning of one that is higher than the room", async () => {
    const { at, post } = await house.channel("tall")
    await post(`first line\n${"more\n".repeat(60)}last line`)
    const page = await house.signedIn("Tallulah", { at, ...SCREENS[0] })
    await page.locator(".conversation__scroll").evaluate((it) => it.scrollTo(0, -it.scrollHeight))
    await press(page, page.locator(".message__avatar"))
    await sheet(page).waitFor()
    assert.ok(await page.locator(".message__head").evaluate((it) => it.getBoundingClientRect().top >= document.querySelector(".conversation__head").getBoundingClientRect().bottom - 1))
    await shoot(page, "sheet-tall")
  })

  it("leaves the topic its room in the header", async () => {
    const { ask } = await house.script("Tia")
    const topic = "What is launched this week, and who watches over it"
    await ask("POST", "/api/channels", { name: "with-a-rather-long-name-of-its-own", topic })
    const page = await house.signedIn("Topper", { at: "/channels/with-a-rather-long-name-of-its-own", ...SCREENS[0] })
    const shown = await page.locator(".conversation__topic").evaluate((it) => ({ width: it.clientWidth, all: it.scrollWidth }))
    assert.ok(shown.all <= shown.width, `${shown.all} of ${shown.width} px`)
    await looksRight(page, "topic-phone")
  })
})

describe("the actions beside the pointer", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  for (const viewport of [{ width: 1280, height: 800 }, { width: 1600, height: 900 }, TABLET]) {
    it(`hide nothing of the message that they are for, ${viewport.width} px wide`, async () => {
      const { at, post } = await house.channel(`bar-${viewport.width}`)
      const others = await Promise.all(["Ann", "Bea"].map((name) => house.script(`${name} ${viewport.width}`)))
      const long = "words that reach to the very end of the line and beyond it, ".repeat(3)
      for (const who of [...others, others[1]]) await who.ask("POST", `/api/channels/bar-${viewport.width}/messages`, { text: long })
      for (let n = 0; n < 20; n += 1) await post(long)
      const page = await house.signedIn(`Barb ${viewport.width}`, { at, viewport })
      await page.locator(".conversation__scroll").evaluate((it) => it.scrollTo(0, -it.scrollHeight))
      const inView = await page.locator(".message").evaluateAll((all) => all.flatMap((it, at) => (it.getBoundingClientRect().top > 100 && it.getBoundingClientRect().bottom < 600 ? [at] : [])))
      assert.ok(inView.length > 2)
      for (const n of inView) {
        const item = page.locator(".message").nth(n)
        await item.hover()
        const covered = await item.evaluate((it) => {
          const bar = it.querySelector(".toolbar").getBoundingClientRect()
          const range = document.createRange()
          const rects = [...it.querySelectorAll(".message__author, .message__time, .message__text")].flatMap((part) => {
            if (getComputedStyle(part).clipPath !== "none") return []
            range.selectNodeContents(part)
            return [...range.getClientRects()]
          })
          return rects.filter(({ left, right, top, bottom }) => left < bar.right && right > bar.left && top < bar.bottom - 1 && bottom > bar.top + 1).length
        })
        assert.equal(covered, 0, `message ${n}`)
      }
      await shoot(page, `bar-${viewport.width}`)
      // At the top of the view there is no room above: then it is below.
      await page.locator(".conversation__scroll").evaluate((it) => {
        const item = it.querySelectorAll(".message[data-continues]")[4]
        it.scrollTop += item.getBoundingClientRect().top - it.getBoundingClientRect().top
      })
      const top = page.locator(".message[data-continues]").nth(4)
      await top.hover()
      const seen = await top.evaluate((it) => it.querySelector(".toolbar").getBoundingClientRect().top >= it.closest(".conversation__scroll").getBoundingClientRect().top)
      assert.ok(seen, "it can be seen and clicked")
      await top.getByRole("button", { name: "Reply" }).click()
    })
  }
})
