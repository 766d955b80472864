// How the conversation looks: its column and rhythm, what is on its way, who came and went, the picker
// of reactions, and files over the page.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, listens, looksRight, PHONE, press, say, shoot, until } from "./house.js"

const SCREENS = [
  { name: "desktop", viewport: DESKTOP },
  { name: "wide", viewport: { width: 1920, height: 1080 } },
  { name: "phone", viewport: PHONE, hasTouch: true, isMobile: true },
]

describe("the conversation", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const hasFocus = (what, locator) => until(what, () => locator.evaluate((it) => it === document.activeElement))
  const message = (page, text) => page.locator(".message", { hasText: text })

  /** Somebody who listens to a channel without a page, until they leave. */
  const listener = async (name, channel) => {
    const { token } = await house.script(name)
    const leaves = new AbortController()
    const headers = { Authorization: `Bearer ${token}` }
    const { body } = await fetch(`${house.url}/api/channels/${channel}/events`, { headers, signal: leaves.signal })
    const reading = (async () => {
      for await (const _ of body);
    })().catch(() => {})
    return async () => {
      leaves.abort()
      await reading
    }
  }

  for (const { name, ...screen } of SCREENS) {
    it(`stands in one column, with more room between messages than within them, ${name}`, async () => {
      const { at, post, ask, path } = await house.channel(`column-${name}`)
      const other = await house.script(`Dora ${name}`)
      await post("first\n\nsecond paragraph of the first")
      await post("goes on")
      await other.ask("POST", path, { text: `another author, at length: ${"all systems are go for launch and landing ".repeat(12)}` })
      await post("and back\n\n```\ncode of its own\n```\n\n> quoted")
      await ask("POST", path, { text: "🎉" })
      const page = await house.signedIn(`Cola ${name}`, { at, ...screen })
      await listens(page)
      const leave = await listener(`Guest ${name}`, `column-${name}`)
      await page.getByText(/Guest .* joined/).waitFor()

      const { column, inside, view, measure } = await page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect()
        const flow = box(".conversation__flow")
        const text = [...document.querySelectorAll(".message__text")].find((it) => it.textContent.startsWith("another"))
        const ch = new OffscreenCanvas(1, 1).getContext("2d")
        ch.font = getComputedStyle(text).font
        return {
          column: [flow.left, flow.right],
          inside: [".message", ".day", ".notice", ".composer", ".typing"].map((each) => [each, box(each).left, box(each).right]),
          view: [box(".conversation").left, box(".conversation").right],
          measure: text.clientWidth / ch.measureText("0").width,
        }
      })
      for (const [what, left, right] of inside) assert.deepEqual([left, right], column, `${what} is in the column`)
      const middle = ([left, right]) => (left + right) / 2
      assert.ok(Math.abs(middle(column) - middle(view)) <= 1, "the column is in the middle")
      const width = column[1] - column[0]
      if (screen.isMobile) assert.equal(width, PHONE.width)
      else {
        assert.ok(measure > 68 && measure < 84, `a line has about 76 digits: ${measure}`)
        assert.ok(width < view[1] - view[0] - 60, "there is air beside it")
      }

      const gaps = await page.evaluate(() => {
        const items = [...document.querySelectorAll(".message")]
        const bottom = (it) => it.querySelector(".message__text").getBoundingClientRect().bottom
        const top = (it) => it.querySelector(it.matches("[data-continues]") ? ".message__text" : ".message__head").getBoundingClientRect().top
        const between = items.slice(1).map((it, at) => [it.matches("[data-continues]"), top(it) - bottom(items[at])])
        const [one, two] = items[0].querySelectorAll(".message__text > p")
        return { between, within: two.getBoundingClientRect().top - one.getBoundingClientRect().bottom }
      })
      const [runs, breaks] = [true, false].map((continues) => gaps.between.filter(([each]) => each === continues).map(([, gap]) => gap))
      assert.ok(runs.length >= 2 && breaks.length >= 2)
      assert.ok(Math.min(...runs) > gaps.within, `within a run ${runs}, within a message ${gaps.within}`)
      assert.ok(Math.min(...breaks) > 2 * Math.max(...runs), `between runs ${breaks}, within them ${runs}`)
      if (!screen.isMobile) {
        await message(page, "goes on").hover()
        const { x, width: hovered } = await message(page, "goes on").boundingBox()
        assert.deepEqual([x, x + hovered], column, "the background of what is pointed at is in the column")
      }
      await looksRight(page, `look-column-${name}`)
      await leave()
    })

    it(`shows what waits grey with a clock, what failed red with a way out, and moves nothing, ${name}`, async () => {
      const { at, post, stored } = await house.channel(`waiting-${name}`)
      for (let n = 0; n < 30; n += 1) await post(`telemetry ${n}`)
      const page = await house.signedIn(`Willa ${name}`, { at, ...screen })
      await say(page, "there already")
      await page.locator('.message[data-own][data-seq]').waitFor()
      let release
      let held = new Promise((done) => (release = done))
      let isUp = true
      await page.route("**/messages/*", async (route) => {
        if (route.request().method() !== "PUT") return route.continue()
        await held
        if (isUp) await route.continue()
        else await route.abort()
      })
      const colours = (text) =>
        message(page, text).evaluate((it) => {
          const root = getComputedStyle(document.documentElement)
          const probe = document.createElement("i")
          const named = (name) => {
            probe.style.color = root.getPropertyValue(name)
            document.body.append(probe)
            return getComputedStyle(probe).color
          }
          const colour = getComputedStyle(it.querySelector(".message__text")).color
          return ["--color-text", "--color-text-soft", "--color-bad"].find((name) => named(name) === colour)
        })
      const places = () => page.locator(".message .message__text").evaluateAll((all) => all.slice(-4).map((it) => JSON.stringify(it.getBoundingClientRect())))

      const long = "on its way ".repeat(20).trim()
      await say(page, long)
      await say(page, "right behind it")
      await page.locator('.message[data-state="pending"]').nth(1).waitFor()
      assert.equal(await colours(long), "--color-text-soft")
      const clock = await page.locator('.message[data-state="pending"] .message__head').first().evaluate((it) => {
        const { content, maskImage } = getComputedStyle(it, "::after")
        return `${content} ${maskImage}`
      })
      assert.match(clock, /"Sending" url\("data:image\/svg/)
      await until("the clock is there", () =>
        page.evaluate(() => document.getAnimations().every(({ animationName }) => animationName !== "message-waiting")))
      const before = await places()
      await shoot(page, `look-waiting-${name}`)
      await page.emulateMedia({ colorScheme: "dark" })
      await shoot(page, `look-waiting-${name}-dark`)
      await page.emulateMedia({ colorScheme: "light" })
      await page.evaluate(() => {
        window.shifts = 0
        new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (window.shifts += value))).observe({ type: "layout-shift" })
      })
      release()
      await until("both are stored", async () => (await page.locator(".message[data-state]").count()) === 0)
      assert.equal(await colours(long), "--color-text")
      assert.deepEqual(await places(), before, "nothing has moved")
      assert.equal(await page.evaluate(() => window.shifts), 0)

      isUp = false
      await page.route("**/events*", (route) => route.abort())
      await say(page, "lost in space")
      const failed = page.locator('.message[data-state="failed"]')
      await failed.waitFor()
      assert.equal(await colours("lost in space"), "--color-bad")
      await failed.getByText(/^Not sent/).waitFor()
      await failed.getByRole("button", { name: "Discard" }).waitFor()
      await looksRight(page, `look-failed-${name}`)
      isUp = true
      held = Promise.resolve()
      await page.unrouteAll()
      await until("it is stored", async () => {
        const retry = failed.getByRole("button", { name: "Retry" })
        if (await retry.isVisible()) await retry.click().catch(() => {})
        return (await stored()).some(({ text }) => text === "lost in space")
      })
      await until("it has settled", async () => (await page.locator(".message[data-state]").count()) === 0)
    })
  }

  it("tells who came and went after a run of messages, in one quiet line", async () => {
    const { at, post, path } = await house.channel("moves")
    const ben = await house.script("Ben")
    const page = await house.signedIn("Ann", { at })
    const lines = () =>
      page.locator(".conversation__list > :is(.message, .notice)").evaluateAll((all) =>
        all.map((it) => (it.querySelector(".message__text") ?? it).textContent.replaceAll(/[\u2068\u2069\n]/g, "")))
    const shown = (expected) =>
      until(JSON.stringify(expected), async () => {
        assert.deepEqual(await lines(), expected)
        return true
      })
    await post("one")
    await shown(["one"])
    const leaves = [await listener("Cleo", "moves")]
    await shown(["one", "Cleo joined"])
    await post("two")
    await shown(["one", "two", "Cleo joined"])
    assert.equal(await message(page, "two").getAttribute("data-continues"), "", "the run stays together")
    for (const name of ["Dee", "Eli"]) leaves.push(await listener(name, "moves"))
    await shown(["one", "two", "Cleo, Dee and Eli joined"])
    leaves.push(await listener("Fay", "moves"))
    await shown(["one", "two", "Cleo and 3 others joined"])
    await post("three")
    await ben.ask("POST", path, { text: "somebody else" })
    await shown(["one", "two", "three", "Cleo and 3 others joined", "somebody else"])
    leaves.push(await listener("Gus", "moves"))
    await shown(["one", "two", "three", "Cleo and 3 others joined", "somebody else", "Gus joined"])
    // What stood between two lines goes: they are one.
    const { id } = (await (await ben.ask("GET", path)).json()).messages.at(-1)
    await ben.ask("DELETE", `${path}/${id}`)
    await shown(["one", "two", "three", "Cleo and 4 others joined"])
    await leaves[0]()
    await shown(["one", "two", "three", "Dee and 3 others joined"])
    await say(page, "mine")
    await shown(["one", "two", "three", "Dee and 3 others joined", "mine"])
    // Own messages on their way, too.
    leaves.push(await listener("Hal", "moves"))
    await shown(["one", "two", "three", "Dee and 3 others joined", "mine", "Hal joined"])
    await say(page, "mine again")
    await shown(["one", "two", "three", "Dee and 3 others joined", "mine", "mine again", "Hal joined"])
    await shoot(page, "look-moves")
    for (const leave of leaves) await leave()
  })

  const openPicker = async (page, text) => {
    await message(page, text).hover()
    await message(page, text).getByRole("button", { name: "React", exact: true }).click()
  }

  it("is reacted to with one of six at hand, any emoji by its name, or a word", async () => {
    const { at, post } = await house.channel("picking")
    await post("well?")
    const page = await house.signedIn("Pip", { at })
    const picker = page.locator(".picker")
    const quick = picker.getByRole("group", { name: "At hand" }).getByRole("button")
    const found = picker.getByRole("group", { name: "Emoji found" }).getByRole("button")
    const field = picker.getByRole("textbox")
    const given = async (reaction) => {
      await page.getByRole("button", { name: `Pip reacted with ${reaction}`, exact: true }).waitFor()
      await picker.waitFor({ state: "hidden" })
    }
    await openPicker(page, "well?")
    assert.deepEqual(await quick.allInnerTexts(), ["👍", "❤️", "😂", "🎉", "👀", "✅"])
    await found.first().waitFor()
    assert.ok((await found.count()) <= 60)
    await field.fill("party pop")
    await found.nth(0).and(page.getByTitle("party popper")).waitFor()
    const { height } = await picker.boundingBox()
    await page.keyboard.press("Enter")
    await given("🎉")

    for (const [typed, emoji] of [
      ["thinking", "🤔"], [":rocket", "🚀"], ["Flag Germany", "🇩🇪"], ["woman technologist", "👩‍💻"], ["non-potable", "🚱"],
      ["cote divoire", "🇨🇮"], ["phoenix", "🐦‍🔥"], ["t-rex", "🦖"],
    ]) {
      await openPicker(page, "well?")
      await field.fill(typed)
      await until(`${typed} is ${emoji}`, async () => (await found.first().innerText()) === emoji)
      assert.equal((await picker.boundingBox()).height, height, "the picker stays as high")
      await page.keyboard.press("Escape")
    }
    for (const typed of ["a", "e", "s", "flag", "face"]) {
      await openPicker(page, "well?")
      await field.fill(typed)
      await until("many are found", async () => (await found.count()) > 20)
      assert.ok((await found.count()) <= 60, typed)
      await page.keyboard.press("Escape")
    }

    // What is written goes to the field; arrows lead through what is found.
    await openPicker(page, "well?")
    await hasFocus("one at hand has the focus", quick.nth(0))
    await page.keyboard.type("heart")
    assert.equal(await field.inputValue(), "heart")
    await page.keyboard.press("ArrowDown")
    await hasFocus("the first is reached", found.nth(0))
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowDown")
    await hasFocus("the grid has rows", found.nth(9))
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await hasFocus("above it is the field", field)
    await page.keyboard.press("ArrowUp")
    await hasFocus("and above that what is at hand", quick.nth(0))
    // Given last, it is first.
    assert.deepEqual(await quick.allInnerTexts(), ["🎉", "👍", "❤️", "😂", "👀", "✅"])
    assert.equal(await quick.nth(4).getAttribute("aria-label"), "eyes")
    await quick.nth(4).click()
    await given("👀")

    // A word is a word, though an emoji is called so.
    await openPicker(page, "well?")
    await field.fill("ok")
    await picker.getByRole("button", { name: "Add" }).click()
    await given("ok")
    await openPicker(page, "well?")
    await field.fill("ship it")
    await picker.getByText("No emoji is called so").waitFor()
    await page.keyboard.press("Enter")
    await given("ship it")
    await page.reload()
    await openPicker(page, "well?")
    assert.deepEqual((await quick.allInnerTexts()).slice(0, 3), ["👀", "🎉", "👍"])
  })

  for (const { name, ...screen } of SCREENS) {
    it(`has a picker that fits, ${name}`, async () => {
      const { at, post } = await house.channel(`picker-${name}`)
      await post("well?")
      const page = await house.signedIn(`Pim ${name}`, { at, ...screen })
      if (screen.isMobile) {
        await press(page, message(page, "well?").locator(".message__text"))
        await page.getByRole("toolbar").getByText("React").tap()
      } else await openPicker(page, "well?")
      const found = page.locator(".picker__grid button")
      await until("all are there", async () => (await found.count()) > 20)
      await looksRight(page, `look-picker-${name}`)
      await page.locator(".picker").getByRole("textbox").fill("heart")
      await until("hearts are there", async () => /heart/.test(await found.first().getAttribute("title")))
      await looksRight(page, `look-picker-heart-${name}`)
    })
  }

  it("opens texts and PDFs over the page, and saves what browsers do not show", async () => {
    const { at } = await house.channel("opening")
    const page = await house.signedIn("Opal", { at })
    const text = (name, words) => ({ name, mimeType: "text/plain", buffer: Buffer.from(words) })
    const long = "0123456789abcde\n".repeat(20_000)
    await page.locator('input[type="file"]').setInputFiles([
      text("notes.md", "# Notes\n\n<script>alert(1)</script> ünï 👍\n"),
      text("long.log", long),
      { name: "plan.pdf", mimeType: "application/pdf", buffer: pdf("GO") },
      text("page.html", "<!doctype html><title>x</title><p>hello"),
      { name: "data.bin", mimeType: "application/octet-stream", buffer: Buffer.from([0, 1, 2, 255, 254, 0]) },
    ])
    await say(page, "files")
    await page.locator(".message[data-seq] .file--card").nth(4).waitFor()
    const box = page.locator("dialog.lightbox")
    await page.getByRole("link", { name: /notes\.md/ }).click()
    await box.getByText("<script>alert(1)</script> ünï 👍").waitFor()
    await looksRight(page, "look-text")
    await box.getByRole("button", { name: "Next file" }).click()
    await box.getByText("The whole text is in the download").waitFor()
    assert.ok((await box.locator(".lightbox__text").innerText()).length < 300_000)
    const shows = await page.evaluate(() => navigator.pdfViewerEnabled)
    if (shows) {
      await page.keyboard.press("ArrowRight")
      await box.locator("iframe").waitFor()
      await until("the PDF is shown", () => page.frames().some((frame) => frame.url().startsWith("blob:")))
    }
    await box.getByRole("button", { name: "Close" }).click()
    await until("nothing is left of it", async () => (await box.locator("iframe").count()) === 0)
    for (const name of shows ? ["page.html", "data.bin"] : ["plan.pdf", "page.html", "data.bin"]) {
      const download = page.waitForEvent("download")
      await page.getByRole("link", { name }).click()
      assert.equal((await download).suggestedFilename(), name)
    }
    const cards = () => page.locator(".file--card").evaluateAll((all) => all.map((it) => it.outerHTML.replace(/ tabindex="-?\d"/g, "")))
    const byScripts = await cards()
    await page.reload()
    assert.deepEqual(await cards(), byScripts, "the server draws the same")
    await page.getByRole("link", { name: /notes\.md/ }).click()
    await box.getByText("ünï 👍").waitFor()
    await page.keyboard.press("Escape")
    await page.route("**/api/attachments/**", (route) => route.abort())
    await page.getByRole("link", { name: /notes\.md/ }).click()
    await box.getByText("It cannot be shown: No connection to the server.").waitFor()
  })
})

/** One page with a word on it. */
function pdf(word) {
  const drawn = `BT /F1 48 Tf 20 60 Td (${word}) Tj ET`
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 160]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
    `<</Length ${drawn.length}>>stream\n${drawn}\nendstream`, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  ]
  let file = "%PDF-1.4\n"
  const starts = objects.map((object, at) => {
    const start = file.length
    file += `${at + 1} 0 obj${object}endobj\n`
    return `${String(start).padStart(10, "0")} 00000 n \n`
  })
  const table = file.length
  file += `xref\n0 6\n0000000000 65535 f \n${starts.join("")}trailer<</Size 6/Root 1 0 R>>\nstartxref\n${table}\n%%EOF`
  return Buffer.from(file)
}
