// Small things that look wrong when they are: what stands in one line, how large, and whether it fits.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, PHONE, standsStill, until } from "./house.js"

const TOUCH = { viewport: PHONE, hasTouch: true, isMobile: true }
/** A picture of one dot. */
const DOT = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")

describe("a detail", () => {
  let house
  let ada
  before(async () => {
    house = await House.start()
    ada = await house.script("Ada")
  })
  after(() => house.close())

  /** Where the texts begin, of all at the same time: a list is drawn anew when more is known. */
  const textLefts = (locator) =>
    locator.evaluateAll((all) => all.map((it) => {
      const range = document.createRange()
      range.selectNodeContents(it)
      return range.getBoundingClientRect().left
    }))
  const size = (locator) => locator.evaluate((it) => parseFloat(getComputedStyle(it).fontSize))
  /** Sends files, each with a name and bytes, in one message. */
  const upload = (channel, files) => {
    const form = new FormData()
    for (const [name, type, bytes] of files) form.append("file", new File([bytes], name, { type }))
    return fetch(`${house.url}/api/channels/${channel}/messages`, { method: "POST", headers: { Authorization: `Bearer ${ada.token}` }, body: form })
  }

  it("of the sidebar: names begin in one line, whatever stands before them", async () => {
    const { at } = await house.channel("aligned")
    await ada.ask("POST", "/api/channels/@Aline/messages", { text: "hello" })
    const page = await house.signedIn("Aline", { at })
    await ada.ask("POST", "/api/channels/@Aline/messages", { text: "hello" })
    await page.locator(".channel-link[data-kind=direct]").waitFor()
    const lefts = await textLefts(page.locator(".sidebar__groups .channel-link__name"))
    const [action] = await textLefts(page.locator(".sidebar__action--all > span"))
    assert.ok(lefts.length >= 3)
    for (const left of lefts) assert.ok(Math.abs(left - action) < 1, `${lefts} and ${action}`)
  })

  for (const [name, screen] of [["desktop", { viewport: DESKTOP }], ["phone", TOUCH]]) {
    it(`of one's own menu: all of it is in view, ${name}`, async () => {
      const page = await house.signedIn(`Owen ${name}`, screen)
      if (screen.isMobile) await page.locator(".conversation__menu").click()
      await page.locator(".sidebar__me > summary").click()
      const { all, room } = await page.locator(".sidebar").evaluate((it) => ({ all: it.scrollHeight, room: it.clientHeight }))
      assert.ok(all <= room, `${all} of ${room} px`)
      const { y, height } = await page.getByRole("button", { name: "Sign out" }).boundingBox()
      assert.ok(y + height <= screen.viewport.height)
      await standsStill(page, "with one's own menu")
    })
  }

  it("of a long sidebar: the open channel is where scripts leave it, and what fits is not scrolled", async () => {
    const reader = await house.script("Longa")
    for (let n = 0; n < 29; n += 1) {
      const name = `long-${String(n).padStart(2, "0")}`
      await ada.ask("POST", "/api/channels", { name })
      await reader.ask("POST", `/api/channels/${name}/messages`, { text: "here" })
    }
    for (const screen of [{ viewport: DESKTOP }, { viewport: { width: 834, height: 600 } }]) {
      for (const name of ["long-03", "long-08", "long-20", "long-28"]) {
        const place = async (javaScriptEnabled) => {
          const page = await house.signedIn("Longa", { ...screen, javaScriptEnabled, token: reader.token, at: `/channels/${name}` })
          return page.locator(".sidebar__groups").evaluate((it) => {
            const [list, link] = [it, it.querySelector("[aria-current]")].map((each) => each.getBoundingClientRect())
            return { scrolled: it.scrollTop, from: link.top - list.top, room: list.height }
          })
        }
        // A browser without scripts has no button of all channels, but that is below.
        const [drawn, kept] = [await place(false), await place(true)]
        assert.ok(drawn.from >= 0 && drawn.from < drawn.room - 30, `${name} is in view`)
        if (name === "long-03") assert.equal(drawn.scrolled, 0)
        if (name !== "long-28") assert.equal(kept.from, drawn.from, name)
      }
    }
  })

  it("of all channels: the name is the larger, the topic the quieter", async () => {
    await ada.ask("POST", "/api/channels", { name: "topical", topic: "What it is about" })
    const page = await house.signedIn("Tom")
    await page.locator(".sidebar").getByRole("button", { name: /^All channels/ }).click()
    const option = page.getByRole("option", { name: /topical/ })
    assert.ok((await size(option.locator(".found__author"))) > (await size(option.locator(".found__text"))))
  })

  it("of a new channel: what is wrong with its name stands below the name", async () => {
    const page = await house.signedIn("Nell")
    await page.getByText("New channel").click()
    await page.getByLabel("Name", { exact: true }).fill("two words")
    await page.getByRole("button", { name: "Create channel" }).click()
    const error = await page.getByText("It cannot contain a space.").boundingBox()
    const [name, topic] = [await page.getByLabel("Name", { exact: true }).boundingBox(), await page.getByLabel("Topic (optional)").boundingBox()]
    assert.ok(error.y >= name.y + name.height && error.y + error.height <= topic.y)
  })

  it("of files over the page: the ways on stay where they are, and a phone gives the file its whole width", async () => {
    await ada.ask("POST", "/api/channels", { name: "over" })
    await upload("over", [["dot.gif", "image/gif", DOT], ["log.txt", "text/plain", "line\n".repeat(200)]])
    const page = await house.signedIn("Lou", { at: "/channels/over" })
    const dot = await page.locator(".file--image").boundingBox()
    assert.ok(dot.width >= 44 && dot.height >= 44, "a picture of one dot can be pressed")
    await page.locator(".file--image").click()
    const next = page.getByRole("button", { name: "Next file" })
    const box = page.locator("dialog.lightbox")
    await next.or(box.getByRole("button", { name: "Close" })).first().waitFor()
    const before = await next.boundingBox()
    await next.click()
    await box.getByText("line").waitFor()
    assert.deepEqual(await next.boundingBox(), before)
    const phone = await house.signedIn("Lola", { at: "/channels/over", ...TOUCH })
    await phone.getByRole("link", { name: /log\.txt/ }).click()
    const text = phone.locator(".lightbox__text")
    await text.getByText("line").waitFor()
    const { width } = await text.boundingBox()
    assert.ok(width > PHONE.width - 32, `${width} px`)
    const { all, room } = await phone.locator("dialog.lightbox").evaluate((it) => ({ all: it.scrollHeight, room: it.clientHeight }))
    assert.ok(all <= room, `${all} of ${room} px`)
  })

  it("of code: it runs from left to right, whatever is around it", async () => {
    const { at, post } = await house.channel("code")
    const texts = ["שלום\n\n```\nconst a = 1;\n```", "مرحبا\n\n```\nlet b = [2];\n```", "ok\n\n```\nc();\n```", "- פריט\n\n      d = {};", "> ציטוט\n>\n> ```\n> e!\n> ```"]
    for (const text of texts) await post(text)
    for (const dir of ["ltr", "rtl"]) {
      const page = await house.signedIn(`Cody ${dir}`, { at })
      await page.locator("html").evaluate((it, dir) => it.setAttribute("dir", dir), dir)
      const sides = await page.locator(".message__text pre").evaluateAll((all) => all.map((it) => {
        const range = document.createRange()
        range.selectNodeContents(it)
        const { left } = range.getBoundingClientRect()
        return [getComputedStyle(it).direction, left - it.getBoundingClientRect().left < 40]
      }))
      assert.deepEqual(sides, texts.map(() => ["ltr", true]))
    }
  })

  it("of what is new since yesterday: one line across, not two", async () => {
    const { at, post } = await house.channel("since")
    const page = await house.signedIn("Newton", { at: "/channels/general" })
    await post("@Newton, this is new")
    await page.goto(at)
    await page.locator(".news + .day").waitFor()
    const rules = await page.locator(".news, .news + .day").evaluateAll((all) => all.map((it) => getComputedStyle(it, "::before").content))
    assert.deepEqual(rules, ['""', "none"])
  })

  it("of dropping: the words are apart", async () => {
    const { at } = await house.channel("dropped")
    const page = await house.signedIn("Droste", { at })
    await page.evaluate(() => {
      const given = new DataTransfer()
      given.items.add(new File(["x"], "x.txt"))
      document.querySelector(".conversation__list").dispatchEvent(new DragEvent("dragenter", { bubbles: true, cancelable: true, dataTransfer: given }))
    })
    const gap = await page.locator(".drop").evaluate((it) => {
      const [words, name] = [document.createRange(), it.querySelector("bdi")]
      words.setStart(it.firstElementChild.firstChild, 0)
      words.setEnd(it.firstElementChild.firstChild, it.firstElementChild.firstChild.data.trimEnd().length)
      return name.getBoundingClientRect().left - words.getBoundingClientRect().right
    })
    assert.ok(gap > 2, `${gap} px`)
  })

  it("of names that are offered: they begin in one line", async () => {
    const { at } = await house.channel("offered")
    const page = await house.signedIn("Offa", { at })
    await page.locator("#text").pressSequentially("@")
    await until("all are offered", async () => (await page.locator(".completion__name", { hasText: /^here$/ }).count()) === 1)
    const lefts = await textLefts(page.locator(".completion__name"))
    assert.ok(Math.max(...lefts) - Math.min(...lefts) < 1, String(lefts))
  })

  it("of what waits to be sent: it does not touch the message box", async () => {
    const { at } = await house.channel("tray")
    const page = await house.signedIn("Tracy", { at })
    await page.locator('input[type="file"]').setInputFiles(Array.from({ length: 10 }, (_, n) => ({ name: `${n}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") })))
    const [tray, box] = [await page.locator(".composer__tray").boundingBox(), await page.locator(".composer__box").boundingBox()]
    assert.ok(box.y - tray.y - tray.height >= 6)
    await standsStill(page, "with ten files")
  })

  it("of a phone's header: the name has the room that a word beside it had", async () => {
    await house.script("Katherine Johnson")
    const page = await house.signedIn("Headley", { at: "/channels/@Katherine Johnson", ...TOUCH })
    const { all, room } = await page.locator(".conversation__name").evaluate((it) => ({ all: it.scrollWidth, room: it.clientWidth }))
    assert.ok(all <= room, `${all} of ${room} px`)
    assert.match(await page.locator(".people summary").innerText(), /^1\s*here$/)
  })

  it("of numbers in tables: they stay with their units", async () => {
    const { at, post } = await house.channel("numbers")
    await post(`| what | much | note |\n| :-- | --: | :-- |\n${["7,607 kN", "12 m/s", "397 s", "1 013 hPa", "−40 °C"].map((n) => `| it | ${n} | ${"words ".repeat(12)} |`).join("\n")}`)
    const page = await house.signedIn("Numa", { at, ...TOUCH })
    const heights = await page.locator('td[align="right"]').evaluateAll((all) => all.map((it) => {
      const range = document.createRange()
      range.selectNodeContents(it)
      return range.getClientRects().length
    }))
    assert.deepEqual(heights, [1, 1, 1, 1, 1])
    await standsStill(page, "with a table")
  })
})
