// States that nobody designs for, and some people always see: the longest of everything, forced
// colours, large print, the narrowest screen, writing that runs the other way.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { goOffline, House, isSound, listens, say, shoot, until } from "./house.js"

const SCREENS = [
  { name: "forced-colors", forcedColors: "active" },
  { name: "zoomed", viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  { name: "narrow", viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
]

const LONGEST_NAME = "W".repeat(32)
const LONGEST_CHANNEL = "m".repeat(64)
const ARABIC = "أمل الحاج"
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")

/** Texts of 4,000 characters, each hard in its own way. */
const LONGEST_TEXTS = ["x".repeat(4_000), "word ".repeat(800).trim(), "a\n".repeat(2_000).trim(), "كلمة ".repeat(800).trim(), `${"> ".repeat(12)}${"deep".repeat(900)}`]

describe("a state at the edge", () => {
  let house
  let long
  let amal
  before(async () => {
    house = await House.start()
    long = await house.script(LONGEST_NAME)
    amal = await house.script(ARABIC)
    await long.ask("POST", "/api/channels", { name: LONGEST_CHANNEL, topic: "T".repeat(250) })
    await long.ask("POST", "/api/channels", { name: "עברית", topic: "נושא" })
    for (const name of ["long-texts", "many-files"]) await long.ask("POST", "/api/channels", { name })
    const path = `/api/channels/${LONGEST_CHANNEL}/messages`
    const said = [
      [long, `@${LONGEST_NAME} in #${LONGEST_CHANNEL}`],
      [long, `https://example.org/${"y".repeat(200)} \`${"code".repeat(50)}\``],
      [amal, "كل شيء جاهز, all systems go, للإطلاق!"],
      [amal, `שלום (${LONGEST_NAME}) 🚀`],
    ]
    for (const [who, text] of said) {
      const { id } = await (await who.ask("POST", path, { text })).json()
      for (const other of [long, amal]) await other.ask("PUT", `${path}/${id}/reactions/${"M".repeat(16)}`)
    }
  })
  after(() => house.close())

  const longest = `/channels/${LONGEST_CHANNEL}`
  const upload = (channel, files) => {
    const form = new FormData()
    for (const [name, type, bytes] of files) form.append("file", new File([bytes], name, { type }))
    const headers = { Authorization: `Bearer ${long.token}` }
    return fetch(`${house.url}/api/channels/${channel}/messages`, { method: "POST", headers, body: form })
  }

  for (const { name, ...screen } of SCREENS) {
    const looks = async (page, what, except = []) => {
      await shoot(page, `${name}-${what}`)
      // Forced colours are the system's, and axe looks at ours.
      await isSound(page, `${what}, ${name}`, [...except, ...(screen.forcedColors ? ["color-contrast"] : [])])
    }
    const box = (page) => page.locator("#text")
    const toSidebar = async (page) => {
      const menu = page.getByRole("link", { name: /^Channels/ })
      if (await menu.isVisible()) await menu.click()
    }

    it(`is right on the way in and where something is wrong, ${name}`, async () => {
      const visitor = await house.visit(screen)
      await visitor.goto(longest)
      await visitor.getByLabel("Display name").fill(LONGEST_NAME)
      await visitor.getByRole("button", { name: "Come aboard" }).click()
      await visitor.getByText("Somebody here is already called that.").waitFor()
      await looks(visitor, "sign-in")
      await visitor.goto(`/problems/no-such-channel`)
      await looks(visitor, "problem")
      const { url } = await (await long.ask("POST", "/api/session/links")).json()
      await visitor.goto(url)
      await looks(visitor, "link")
    })

    it(`is right with the longest names, ${name}`, async () => {
      const me = `${name}-`.padEnd(32, "W")
      const page = await house.signedIn(me, { at: longest, ...screen })
      await amal.ask("POST", `/api/channels/@${me}/messages`, { text: "سلام" })
      await long.ask("POST", `/api/channels/@${me}/messages`, { text: "found by searching" })
      await say(page, "mine")
      await page.locator(".message[data-own][data-seq]").waitFor()
      await looks(page, "channel")
      await page.locator(".people summary").click()
      await looks(page, "people")
      await page.keyboard.press("Escape")
      await page.locator(".bell summary").click()
      await looks(page, "bell")
      await page.keyboard.press("Escape")
      await box(page).pressSequentially("@")
      await page.locator(".completion").first().waitFor()
      await looks(page, "completion", ["aria-allowed-role"])
      await box(page).fill("")
      await listens(page)
      await long.ask("POST", `/api/channels/${LONGEST_CHANNEL}/typing`)
      await page.locator("[data-typing]").waitFor()
      await page.locator(".message[data-own] .message__more").focus()
      await page.keyboard.press("Enter")
      await page.getByRole("toolbar").waitFor()
      await looks(page, "actions")
      await page.keyboard.press("Enter")
      await page.locator(".picker").waitFor()
      await looks(page, "picker")
      await page.keyboard.press("Escape")
      await box(page).focus()
      await page.keyboard.press("ArrowUp")
      await page.getByRole("textbox", { name: "Text of the message" }).fill("")
      await page.getByRole("button", { name: "Save", exact: true }).click()
      await page.getByText("Not saved").waitFor()
      await looks(page, "edit")
      await page.getByRole("button", { name: "Cancel" }).click()

      await toSidebar(page)
      await page.getByText("New channel").click()
      await looks(page, "sidebar")
      await page.getByRole("button", { name: "New message" }).click()
      await page.getByRole("option").first().waitFor()
      await looks(page, "new-message")
      await page.keyboard.press("Escape")
      await page.getByRole("button", { name: "Search or jump…" }).click()
      await page.keyboard.type("found by")
      await page.getByText("1 message found").waitFor()
      await looks(page, "switcher")
      await page.keyboard.press("Escape")
      await page.locator(".sidebar__me summary").click()
      await page.getByRole("button", { name: "Use another device" }).click()
      await page.getByText("Works once").waitFor()
      await looks(page, "device")

      await page.goto(`/channels/@${ARABIC}`)
      await goOffline(page)
      await say(page, "lost")
      await page.getByText("Not sent:").waitFor()
      await looks(page, "direct-offline")
    })
  }

  it("is right with a hundred messages of 4,000 characters", async () => {
    for (let n = 0; n < 100; n += 1) {
      const text = LONGEST_TEXTS[n % LONGEST_TEXTS.length]
      assert.equal((await long.ask("POST", "/api/channels/long-texts/messages", { text })).status, 201)
    }
    const page = await house.signedIn("Patient", { at: "/channels/long-texts", viewport: { width: 320, height: 640 } })
    assert.equal(await page.locator(".message").count(), 100)
    await shoot(page, "long-texts")
    const wide = await page.locator(".message__text").evaluateAll((all) => all.filter((each) => each.scrollWidth > each.clientWidth).length)
    assert.equal(wide, 0, "no text is wider than its place")
    await say(page, "short")
    await page.locator(".message[data-seq]", { hasText: /^\s*short/ }).or(page.locator(".message[data-own][data-seq]")).first().waitFor()
    const scroll = page.getByRole("region", { name: "Messages in long-texts" })
    await until("the end is in view", () => scroll.evaluate((it) => -it.scrollTop < 5))
    const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
    assert.ok(fits, "nothing is wider than the screen")
  })

  it("is right with a hundred files", async () => {
    const kinds = [
      ["dot.gif", "image/gif", GIF],
      [`${"long-name".repeat(15)}.pdf`, "application/pdf", "%PDF-1.7\n"],
      ["ملف.txt", "text/plain", "نص"],
      ["sound.wav", "audio/wav", "RIFF"],
      ["film.mp4", "video/mp4", Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1")],
    ]
    for (let n = 0; n < 10; n += 1) assert.equal((await upload("many-files", [...kinds, ...kinds])).status, 201)
    const page = await house.signedIn("Filer", { at: "/channels/many-files", viewport: { width: 320, height: 640 } })
    assert.equal(await page.locator(".message .file").count(), 100)
    await shoot(page, "many-files")
    await isSound(page, "a hundred files")
    await page.locator(".file--image").last().click()
    await page.locator("dialog.lightbox[open]").waitFor()
    await shoot(page, "many-files-lightbox")
    await isSound(page, "the lightbox")
  })

  it("is right where everything is written from right to left", async () => {
    await amal.ask("POST", "/api/channels/עברית/messages", { text: "שלום לכולם, Houston!\n\n- אחת\n- שתיים\n\n> ציטוט" })
    const page = await house.signedIn("דנה כהן", { at: `/channels/${encodeURIComponent("עברית")}` })
    await page.locator("html").evaluate((html) => html.setAttribute("dir", "rtl"))
    await say(page, "תשובה")
    await page.locator(".message[data-own][data-seq]").waitFor()
    await page.locator(".message[data-own]").hover()
    await shoot(page, "right-to-left")
    await isSound(page, "from right to left")
  })
})
