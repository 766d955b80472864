// Messages as the server and as scripts draw them: the same, to the byte, and right at first paint.

import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, isSound, PHONE, PREVIEWING, shoot, site, until } from "./house.js"

const read = async (path) => JSON.parse(await readFile(new URL(path, import.meta.url), "utf8"))

const TABLE = await read("../rendering/messages.json")
const HOSTILE = await read("../hostile/texts.json")

/** A channel keeps a hundred. */
const KEPT = 100

const READERS = [
  { name: "New York", locale: "en-US", timezoneId: "America/New_York", clock: "12" },
  { name: "Kathmandu", locale: "de-DE", timezoneId: "Asia/Kathmandu", clock: "24" },
]

describe("rendering", () => {
  let house
  let people
  /** The address of a hook of #general. */
  let hook
  /** How many messages each channel has. */
  let kept
  before(async () => {
    house = await House.start()
    people = {}
    for (const [key, name] of Object.entries(TABLE.people)) people[key] = await house.script(name)
    assert.equal((await people.robot.ask("POST", "/api/sessions", { name: "CI", bot: true })).status, 201)
    const made = await people.other.ask("POST", "/api/channels/general/hooks", { name: "Pipe <b>" })
    hook = (await made.json()).url
    await post("general", TABLE.messages)
    await people.other.ask("POST", "/api/channels", { name: "hostile" })
    const hostile = HOSTILE.slice(0, KEPT).map((text) => ({ by: "hostile", text }))
    await post("hostile", hostile)
    kept = { general: TABLE.messages.length, hostile: hostile.length }
  })
  after(() => house.close())

  /** Sends the rows of a table, each under its number. */
  const post = async (channel, rows) => {
    for (const [at, { by, text, files = [], reactions = [], edited, hook: payload }] of rows.entries()) {
      if (payload) {
        assert.equal((await fetch(hook, { method: "POST", body: JSON.stringify(payload) })).status, 200)
        continue
      }
      const path = `/api/channels/${channel}/messages/m${at}`
      const form = new FormData()
      form.append("text", text)
      for (const name of files) form.append("file", new File([Buffer.from(TABLE.files[name], "base64")], name))
      const headers = { Authorization: `Bearer ${people[by].token}` }
      const sent = await fetch(house.url + path, { method: "PUT", headers, body: form })
      assert.equal(sent.status, 201, text)
      if (edited !== undefined) assert.equal((await people[by].ask("PUT", path, { text: edited })).status, 200)
      for (const [who, reaction] of reactions) {
        assert.equal((await people[who].ask("PUT", `${path}/reactions/${encodeURIComponent(reaction)}`)).status, 204)
      }
    }
  }

  /** The page of whom the table calls the reader, with the cookie that an earlier one has set, or without scripts. */
  const look = (at, { zone, ...options } = {}) => {
    const cookies = zone ? [{ name: "zone", value: zone, url: house.url }] : []
    return open(at, { cookies, ...options })
  }
  const open = async (at, { cookies, change, ...options }) => {
    const page = await house.visit(options)
    if (change) {
      await page.route(`**${at}`, async (route) => {
        const response = await route.fetch()
        await route.fulfill({ response, body: change(await response.text()) })
      })
    }
    const session = { name: "session", value: people.reader.token, url: house.url, httpOnly: true, sameSite: "Lax" }
    await page.context().addCookies([session, ...cookies])
    await page.goto(at)
    return page
  }
  /** Everything in the list, as the browser writes it down, but for where Tab stops: that moves with the focus. */
  const listed = async (page) => {
    const all = await page.locator(".conversation__list > *").evaluateAll((all) => all.map((it) => it.outerHTML))
    return all.map((html) => html.replace(/ tabindex="-?\d"/g, ""))
  }
  /** What stands around that: what is kept, and the list itself, but for what scripts note on it. */
  const around = (page) => page.locator(".conversation__list").evaluate((it) => {
    const list = it.cloneNode(false)
    // The zone, which some browsers call by an older name; and that the list was shown to its reader.
    for (const name of ["data-zone", "data-seen"]) list.removeAttribute(name)
    return [list.outerHTML, document.querySelector(".ring__words").outerHTML]
  })
  const isSame = (one, other) => {
    assert.equal(one.length, other.length)
    for (const [at, html] of one.entries()) assert.equal(html, other[at])
  }

  for (const { name, clock, ...reader } of READERS) {
    for (const channel of ["general", "hostile"]) {
      it(`is the same by scripts as by the server, in #${channel}, read in ${name}`, async () => {
        const zone = reader.timezoneId
        const byServer = await look(`/channels/${channel}`, { zone, javaScriptEnabled: false, ...reader })
        const page = await look(`/channels/${channel}`, { zone, ...reader })
        assert.equal(await page.locator("[data-clock]").getAttribute("data-clock"), clock)
        isSame(await listed(page), await listed(byServer))
        assert.deepEqual(await around(page), await around(byServer))

        // From here on nothing is new, so that both show the same.
        await until("it is read", async () => (await (await page.request.get(`/api/channels/${channel}`)).json()).channel.unread === 0)
        await byServer.reload()
        // A page from a past that was undone: its stream begins with all that is stored.
        const byScripts = await look(`/channels/${channel}`, { zone, ...reader, change: (html) =>
          html.replace(/data-cursor="[^"]*"/, 'data-cursor="gone"').replaceAll('<li class="message" id="message-m', '<li data-by-server class="message" id="message-m') })
        await until("all is drawn anew", async () => (await byScripts.locator(".message[data-seq]").count()) === kept[channel] && (await byScripts.locator("[data-by-server]").count()) === 0)
        isSame(await listed(byScripts), await listed(byServer))
      })
    }
  }

  it("is the same of previews", async () => {
    const pages = { "/picture.png": Buffer.from(TABLE.files["point.png"], "base64") }
    for (const [at, { head }] of TABLE.previews.entries()) for (const n of [0, 1]) pages[`/${at}/${n}`] = head
    const [elsewhere, previewing] = [await site(pages), await House.start(PREVIEWING)]
    try {
      const reader = await previewing.script("Ada Reader")
      const other = await previewing.script("Bob Stone")
      for (const [at, { by, head, twice, hidden }] of TABLE.previews.entries()) {
        const [{ ask }, path] = [by ? reader : other, `/api/channels/general/messages/m${at}`]
        const text = [0, 1].slice(0, twice ? 2 : 1).map((n) => `${elsewhere.url}/${at}/${n}`).join(" ")
        assert.equal((await ask("PUT", path, { text })).status, 201)
        if (head) await until("its previews", async () => (await (await ask("GET", path)).json()).previews.length === (twice ? 2 : 1))
        if (hidden) assert.equal((await ask("DELETE", `${path}/previews`)).status, 204)
      }
      const session = { name: "session", value: reader.token, url: previewing.url, httpOnly: true, sameSite: "Lax" }
      const opened = async (options, change) => {
        const page = await previewing.visit({ timezoneId: "UTC", locale: "de-DE", ...options })
        await page.context().addCookies([session, { name: "zone", value: "UTC", url: previewing.url }])
        if (change) await page.route("**/channels/general", async (route) => {
          const response = await route.fetch()
          await route.fulfill({ response, body: change(await response.text()) })
        })
        await page.goto("/channels/general")
        return page
      }
      const all = TABLE.previews.length
      await until("it is read", async () => (await reader.ask("PUT", "/api/channels/general/read", { message: `m${all - 1}` })).status === 204)
      await until("and kept", async () => (await (await reader.ask("GET", "/api/channels/general")).json()).channel.unread === 0)
      const byServer = await opened({ javaScriptEnabled: false })
      const byScripts = await opened({}, (html) =>
        html.replace(/data-cursor="[^"]*"/, 'data-cursor="gone"').replaceAll('<li class="message" id="message-m', '<li data-by-server class="message" id="message-m'))
      await until("all is drawn anew", async () => (await byScripts.locator(".message[data-seq]").count()) === all && (await byScripts.locator("[data-by-server]").count()) === 0)
      const drawn = await listed(byServer)
      assert.ok(drawn.some((html) => html.includes("preview__picture")))
      isSame(await listed(byScripts), drawn)
    } finally {
      elsewhere.close()
      await previewing.close()
    }
  })

  it("tells times where the reader is from the second load on, and corrects those of the first in their places", async () => {
    for (const { timezoneId, locale, clock } of READERS) {
      const bare = await look("/channels/general", { locale, timezoneId, javaScriptEnabled: false })
      const boxes = (page) => page.locator(".message:not([data-continues]) .message__time").evaluateAll((all) => all.map((it) => it.getBoundingClientRect().width))
      const widths = await boxes(bare)
      const page = await look("/channels/general", { locale, timezoneId })
      const told = await page.locator(".message__time").allTextContents()
      assert.notDeepEqual(told, await bare.locator(".message__time").allTextContents())
      const expected = await page.locator(".message__time").evaluateAll((all, [timeZone, hour12]) =>
        all.map(({ dateTime }) => new Date(dateTime).toLocaleTimeString("en-US", { timeZone, hour12, hourCycle: hour12 ? undefined : "h23", hour: hour12 ? "numeric" : "2-digit", minute: "2-digit" }).replace("\u202f", " ")), [timezoneId, clock === "12"])
      assert.deepEqual(told, expected)
      assert.deepEqual(await boxes(page), widths)
      const [{ value, sameSite, expires }] = (await page.context().cookies()).filter(({ name }) => name === "zone")
      // Of a zone that has two names, each browser has its own.
      assert.equal(value, await page.evaluate(() => new Intl.DateTimeFormat().resolvedOptions().timeZone))
      assert.equal(sameSite, "Lax")
      assert.ok(expires > Date.now() / 1000 + 300 * 24 * 60 * 60)
      const html = await (await page.request.get("/channels/general", { headers: { Accept: "text/html", "Accept-Language": locale } })).text()
      assert.ok(html.includes(`>${expected[0]}</time>`), expected[0])
    }
  })

  it("calls the days anew at midnight", async () => {
    const { at, post, token } = await house.channel("midnight")
    const { sent_at } = await post("late")
    const page = await house.visit({ timezoneId: "UTC" })
    await page.context().addCookies([{ name: "session", value: token, url: house.url }])
    const day = (words) => until(words, async () => (await page.locator(".day").allInnerTexts()).join() === words)
    const midnight = new Date(sent_at).setUTCHours(24, 0, 0, 0)
    await page.clock.install({ time: midnight - 60_000 })
    await page.goto(at)
    await day("Today")
    await page.clock.fastForward(60_000)
    await day("Yesterday")
    // A computer that sleeps lets no time pass.
    await page.clock.setSystemTime(midnight + 36 * 60 * 60 * 1000)
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))
    const date = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", weekday: "long" }).format(midnight - 1)
    await until("its date", async () => (await page.locator(".day").innerText()).startsWith(date))
  })

  it("keeps a selection where the first reaction comes, and the second", async () => {
    const { at, post, path, ask, token } = await house.channel("selected")
    const { id } = await post("Some *words* to be `selected`\n\n```\nand code\n```")
    const page = await house.signedIn("Selma", { at, token })
    const text = page.locator(".message__text")
    await text.evaluate((it) => getSelection().selectAllChildren(it))
    const selected = () => page.evaluate(() => String(getSelection()))
    const before = await selected()
    assert.match(before, /Some words to be selected/)
    await text.evaluate((it) => (window.nodes = [...it.childNodes]))
    for (const reaction of ["👍", "🎉"]) {
      await ask("PUT", `${path}/${id}/reactions/${encodeURIComponent(reaction)}`)
      await page.getByRole("button", { name: `reacted with ${reaction}` }).waitFor()
      assert.equal(await selected(), before)
      assert.ok(await text.evaluate((it) => window.nodes.every((node, at) => it.childNodes[at] === node)))
    }
  })

  it("says \"edited\" beside the time, and in a run where the time would be", async () => {
    const { at, ask, path, token } = await house.channel("edited")
    for (const id of ["first", "second"]) for (const text of ["befor", "before"]) await ask("PUT", `${path}/${id}`, { text })
    for (const screen of [{ viewport: DESKTOP }, { viewport: PHONE, hasTouch: true, isMobile: true }]) {
      const page = await house.signedIn("Edith", { at, token, ...screen })
      const box = (id, part) => page.locator(`#message-${id} .message__${part}`).boundingBox()
      const [time, edited] = [await box("first", "time"), await box("first", "edited")]
      assert.ok(edited.x >= time.x + time.width && edited.x - time.x - time.width < 24, "after it")
      assert.ok(Math.abs(edited.y + edited.height - time.y - time.height) < 3, "on its line")
      await page.locator("#message-second[data-continues]").waitFor()
      const [inRun, text, avatar] = [await box("second", "edited"), await box("second", "text"), await box("first", "avatar")]
      assert.ok(inRun.x + inRun.width <= text.x && inRun.x >= avatar.x - 4, "before the text, below the avatar")
      assert.ok(Math.abs(inRun.y + inRun.height / 2 - text.y - text.height / 2) < 5, "on its line")
    }
  })

  it("keeps marks that are piled up off the neighbours", async () => {
    const { at, post, token } = await house.channel("zalgo")
    const piles = ["\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030A\u030B\u030C".repeat(6), "\u0323\u0324\u0325\u032D\u032E\u0330\u0331".repeat(8)]
    await post("neighbour above")
    for (const pile of [piles[0], piles[1], `${piles[0]}${piles[1]}`]) await post(`Z${pile}a${pile}l${pile}g${pile}o${pile}`)
    await post(`ก${"\u0E34\u0E48".repeat(20)} ا${"\u064B\u064F".repeat(20)} ג${"\u05B8\u05C1".repeat(20)}`)
    await post("neighbour below")
    const page = await house.signedIn("Zoe", { at, token })
    const items = page.locator(".message")
    const words = (at) => items.nth(at).locator("p").screenshot({ animations: "disabled" })
    await page.mouse.move(0, 0)
    const [above, below] = [await words(0), await words(5)]
    await items.evaluateAll((all) => all.slice(1, 5).forEach((it) => (it.style.visibility = "hidden")))
    assert.ok(above.equals(await words(0)), "above")
    assert.ok(below.equals(await words(5)), "below")
    await items.evaluateAll((all) => all.forEach((it) => (it.style.visibility = "")))
    await shoot(page, "zalgo")
  })

  it("gives twenty people looks that can be told apart", async () => {
    const page = await look("/channels/general")
    await page.evaluate(() => {
      for (let hue = 0; hue < 24; hue += 1) {
        const avatar = document.querySelector(".message__avatar").cloneNode(true)
        avatar.dataset.hue = hue
        avatar.classList.add("sample")
        document.querySelector(".conversation__flow").append(avatar)
      }
    })
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme })
      const looks = await page.locator(".sample").evaluateAll((all) => all.map((it) => {
        // As linear light and as OKLab, from what is painted.
        const canvas = new OffscreenCanvas(1, 1).getContext("2d")
        const painted = (color) => {
          canvas.fillStyle = color
          canvas.fillRect(0, 0, 1, 1)
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4))
        }
        const { backgroundColor, color } = getComputedStyle(it)
        return [painted(backgroundColor), painted(color)]
      }))
      const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b
      const lab = ([r, g, b]) => {
        const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
        const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
        const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
        return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s]
      }
      for (const [at, [ground, ink]] of looks.entries()) {
        const [dark, bright] = [light(ground), light(ink)].sort((a, b) => a - b)
        const contrast = (bright + 0.05) / (dark + 0.05)
        assert.ok(contrast >= 4.5, `${colorScheme} ${at}: ${contrast}`)
        for (const [other, [otherGround]] of looks.slice(0, at).entries()) {
          const apart = Math.hypot(...lab(ground).map((part, axis) => part - lab(otherGround)[axis]))
          // Twice what people just notice side by side (0.02).
          assert.ok(apart >= 0.035, `${colorScheme} ${other} and ${at}: ${apart}`)
        }
      }
    }
  })

  for (const [name, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    it(`looks right on ${name}`, async () => {
      const touch = viewport === PHONE ? { hasTouch: true, isMobile: true } : {}
      for (const { timezoneId, locale, clock } of READERS) {
        const page = await look("/channels/general", { viewport, timezoneId, locale, ...touch })
        await isSound(page, `messages at ${name}`)
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme })
          for (const part of [1, 0.66, 0.33, 0]) {
            await page.locator(".conversation__scroll").evaluate((it, part) => (it.scrollTop = -part * (it.scrollHeight - it.clientHeight)), part)
            await shoot(page, `rendering-${clock}h-${name}-${colorScheme}-${part}`)
          }
        }
      }
    })
  }
})
