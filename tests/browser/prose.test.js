// What people write, as it is drawn: tables, tasks and code in boxes that fit every screen.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, looksRight, PHONE, SCREENS, until } from "./house.js"

const CELL = "a_cell_that_is_rather_wide_and_has_no_space_in_it"
const TABLE = `| Part | Kilograms | State |\n|:-----|----------:|:-----:|\n| Fuel | 1,200 | full |\n| Crew | 240 | \`asleep\` |`
const WIDE = `| one | two | three | four |\n|-----|-----|-------|------|\n| ${CELL} | ${CELL} | ${CELL} | https://example.org/${CELL}/${CELL} |`
const TASKS = "- [x] fill the tanks\n- [ ] wake the crew\n  - [ ] Ada, who sleeps long, and whose line is so long that a phone breaks it into two\n  - no task\n- no task either"
const CODE = `\`\`\`rust\nfn main() {\n    println!("${"a line that goes on and on ".repeat(8)}");\n}\n\`\`\``

describe("prose", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const message = (page, at) => page.locator(".message__text").nth(at)
  const isScrolledSideways = (what, locator) => until(what, () => locator.evaluate((it) => it.scrollLeft > 0))

  it("scrolls wide tables and code in their own boxes, by the keys, too", async () => {
    const { at, post } = await house.channel("wide")
    await post(WIDE)
    await post(CODE)
    const page = await house.signedIn("Wilma", { at, viewport: PHONE })
    for (const box of [page.locator(".message table"), page.locator(".message pre")]) {
      const { inner, outer } = await box.evaluate((it) => ({ inner: it.scrollWidth, outer: it.clientWidth }))
      assert.ok(inner > outer, `${inner} within ${outer}`)
      await box.focus()
      await until("the arrow keys scroll it", async () => {
        await page.keyboard.press("ArrowRight")
        return box.evaluate((it) => it.scrollLeft > 0)
      })
      await isScrolledSideways("it stays", box)
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0)
    }
    const code = page.locator("pre code")
    const { height, line, language } = await code.evaluate((it) => ({
      height: it.getBoundingClientRect().height,
      line: parseFloat(getComputedStyle(it).lineHeight),
      language: getComputedStyle(it.parentElement, "::before").content,
    }))
    assert.ok(height < 3.5 * line, `three lines, and none of them wrapped: ${height} px of ${line} each`)
    assert.equal(language, '"rust"')
  })

  it("aligns the columns of a table as they say", async () => {
    const { at, post } = await house.channel("aligned")
    await post(TABLE)
    const page = await house.signedIn("Alina", { at })
    const alignments = (selector) => message(page, 0).locator(selector).evaluateAll((all) => all.map((it) => getComputedStyle(it).textAlign.replace("-webkit-", "")))
    assert.deepEqual(await alignments("th"), ["left", "right", "center"])
    assert.deepEqual(await alignments("tbody tr:first-child td"), ["left", "right", "center"])
    assert.equal(await page.getByRole("table").getByRole("columnheader").count(), 3)
  })

  it("draws tasks in the place of bullets, which nobody can click", async () => {
    const { at, post } = await house.channel("tasks")
    await post(TASKS)
    const page = await house.signedIn("Tanja", { at })
    assert.equal(await page.getByRole("checkbox", { name: "Done", checked: true, disabled: true }).count(), 1)
    assert.equal(await page.getByRole("checkbox", { name: "To do", checked: false, disabled: true }).count(), 2)
    const bullets = await message(page, 0).locator("li").evaluateAll((all) => all.map((it) => getComputedStyle(it).listStyleType))
    assert.deepEqual(bullets, ["none", "none", "none", "disc", "disc"])
    // The words of a task begin where those of other items do.
    const starts = await message(page, 0).locator("li").evaluateAll((all) =>
      all.map((it) => {
        const range = document.createRange()
        const words = [...it.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
        range.setStart(words, words.data.search(/\S/))
        range.setEnd(words, words.data.length)
        return range.getBoundingClientRect().left
      }),
    )
    assert.ok(Math.abs(starts[0] - starts[4]) < 2, `${starts}`)
    assert.ok(Math.abs(starts[2] - starts[3]) < 2, `${starts}`)
  })

  it("shows a call of everybody who is here as it does a mention, but not to who called", async () => {
    const { at, post } = await house.channel("called")
    await post("@here, lunch")
    await post("> @here, lunch\n\nso what")
    const page = await house.signedIn("Carl", { at })
    const background = (locator) => locator.evaluate((it) => getComputedStyle(it).backgroundColor)
    const [called, quoted] = [page.locator(".message").nth(0), page.locator(".message").nth(1)]
    assert.equal(await called.locator("[data-here]").innerText(), "@here")
    assert.equal(await quoted.locator("[data-here]").count(), 0)
    assert.notEqual(await background(called), await background(quoted))
    await page.locator("#text").fill("@here, I come")
    await page.keyboard.press("Enter")
    const own = page.locator(".message[data-seq][data-own]")
    await own.waitFor()
    assert.equal(await own.locator("[data-here]").count(), 1)
    await page.mouse.move(0, 0)
    assert.equal(await background(own), await background(quoted))
  })

  for (const [name, screen] of [["a desktop", { viewport: DESKTOP }], ["a phone", { viewport: PHONE, hasTouch: true, isMobile: true }]]) {
    it(`is as high on ${name} before the scripts as after them`, async () => {
      const { at, post, token } = await house.channel(`heights-${screen.viewport.width}`)
      for (const text of [TABLE, WIDE, TASKS, CODE, `${CODE}\n\nand so on`, "@here"]) await post(text)
      const heights = (page) => page.locator(".message").evaluateAll((all) => all.map((it) => it.getBoundingClientRect().height))
      const page = await house.signedIn(`Heidi ${screen.viewport.width}`, { at, token, ...screen })
      const after = await heights(page)
      await page.route("**/*.js", (route) => route.abort())
      await page.evaluate(() => location.reload())
      await until("the page is drawn anew, without scripts", () => page.evaluate(() => document.readyState === "complete" && !document.querySelector("form.composer[novalidate]")).catch(() => false))
      assert.deepEqual(await heights(page), after)
    })
  }

  for (const { name, ...screen } of SCREENS) {
    it(`looks right on ${name}`, async () => {
      const { at, post } = await house.channel(`prose-${name}`)
      for (const text of [TABLE, WIDE, TASKS, CODE, "@here :tada: lunch"]) await post(text)
      const page = await house.signedIn(`Paul ${name}`, { at, ...screen })
      await page.locator(".message").nth(4).waitFor()
      await looksRight(page, `prose-${name}`)
    })
  }
})
