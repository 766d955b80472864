// The pages as they look and behave: pictures for people, rules for machines.

import assert from "node:assert/strict"
import { readdir, readFile } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import { goOffline, House, looksRight, PHONE, say, SCREENS, until } from "./house.js"

describe("the pages", () => {
  let house
  let ask
  before(async () => {
    house = await House.start()
    ask = (await house.script("Ada Lovelace")).ask
    await ask("POST", "/api/channels", { name: "launch", topic: "Countdown, weather, go or no go." })
    await ask("POST", "/api/channels", { name: "quiet" })
    await ask("POST", "/api/channels", { name: `long-${"name-".repeat(11)}end` })
    const post = (text) => ask("POST", "/api/channels/launch/messages", { text })
    await post("The window opens at **14:02 UTC**. Please check:\n\n- fuel\n- guidance\n- `telemetry -v`")
    await post("> all stations report\n\n```\nlet answer = a_line_of_code_that_is_much_longer_than_any_phone_is_wide(42);\n```")
    const { ask: amal } = await house.script("أمل الحاج")
    await amal("POST", "/api/channels/launch/messages", { text: "كل شيء جاهز للإطلاق 🚀" })
    const { ask: loud } = await house.script("M".repeat(32))
    await loud("POST", "/api/channels/launch/messages", { text: `${"x".repeat(300)} https://example.org/${"y".repeat(99)}` })
  })
  after(() => house.close())

  for (const { name, ...screen } of SCREENS) {
    it(`are right on ${name}`, async () => {
      const visitor = await house.visit(screen)
      await visitor.goto("/channels/launch")
      await looksRight(visitor, `sign-in-${name}`)
      await visitor.getByLabel("Display name").fill("@nobody")
      await visitor.keyboard.press("Enter")
      await visitor.getByRole("alert").waitFor()
      await looksRight(visitor, `sign-in-refused-${name}`)

      const page = await house.newcomer(`Guest on ${name}`, { at: "/channels/launch", ...screen })
      await say(page, "Guidance is go.")
      await page.locator(".message[data-seq]", { hasText: "Guidance is go." }).first().waitFor()
      await looksRight(page, `channel-${name}`)
      await page.locator(".people summary").click()
      await looksRight(page, `people-${name}`)
      await page.keyboard.press("Escape")
      if (screen.viewport === PHONE) await page.getByRole("link", { name: "Channels" }).click()
      await page.getByText("New channel").click()
      await page.getByLabel("Topic").fill("open")
      await looksRight(page, `new-channel-${name}`)
      await ask("POST", "/api/channels", { name: `empty-${name}` })
      await page.goto(`/channels/empty-${name}`)
      await page.getByText("All quiet on this frequency.").waitFor()
      await looksRight(page, `empty-${name}`)
      await goOffline(page)
      await say(page, "Do you read?")
      await page.getByText("Not sent").waitFor()
      await page.getByText("You are offline.").waitFor()
      await looksRight(page, `offline-${name}`)
      await page.context().setOffline(false)
      await page.goto("/channels/nowhere")
      await looksRight(page, `lost-${name}`)
      await page.goto("/api/docs")
      await looksRight(page, `docs-${name}`)
    })
  }

  it("have scripts that call nothing as the browser does: all of them share one scope", async () => {
    const folder = new URL("../../static/js/", import.meta.url)
    const modules = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".js"))
    const sources = await Promise.all(modules.map((name) => readFile(new URL(name, folder), "utf8")))
    const DECLARED = /^(?:export )?(?:async function|function|class|const|let) ([\w$]+)/gm
    const names = sources.flatMap((source) => [...source.matchAll(DECLARED)].map(([, name]) => name))
    assert.ok(names.length > 300, `${names.length} names`)
    const page = await house.visit()
    await page.goto("/")
    // The browser's own `find` is what its menu does: no script asks for that.
    const taken = await page.evaluate((all) => all.filter((name) => name in window && name !== "find"), names)
    assert.deepEqual(taken, [])
  })

  it("fit a screen of 320 px", async () => {
    const page = await house.signedIn("Slim", { at: "/channels/launch", viewport: { width: 320, height: 640 } })
    await looksRight(page, "channel-narrow")
  })

  it("move on the way in, until one pauses them", async () => {
    const page = await house.visit()
    await page.goto("/")
    const states = () =>
      page.evaluate(() => document.querySelector(".scene__sky").getAnimations({ subtree: true }).map((it) => it.playState))
    assert.ok((await states()).length >= 2, "at least two movements")
    assert.ok((await states()).every((state) => state === "running"))
    await page.getByRole("button", { name: "Pause the scene" }).click()
    await until("all rest", async () => (await states()).every((state) => state === "paused"))
    await page.getByRole("button", { name: "Play the scene" }).click()
    await until("all move", async () => (await states()).every((state) => state === "running"))
  })

  it("rest where motion is not wanted", async () => {
    const page = await house.visit({ reducedMotion: "reduce" })
    await page.goto("/")
    const moving = await page.evaluate(() => document.getAnimations().length)
    assert.equal(moving, 0)
    assert.equal(await page.getByRole("button", { name: /scene/ }).count(), 0)
  })

  it("can be used without a mouse", async () => {
    const page = await house.visit()
    const hasFocus = (locator) => locator.evaluate((it) => it === document.activeElement)
    await page.goto("/channels/quiet")
    await until("the name has the focus", () => hasFocus(page.getByLabel("Display name")))
    await page.keyboard.type("Key")
    await page.keyboard.press("Enter")
    const box = page.getByRole("textbox", { name: /^Message/ })
    await until("the message box has the focus", () => hasFocus(box))
    await page.keyboard.type("typed")
    await page.keyboard.press("Enter")
    await page.locator(".message[data-seq]", { hasText: "typed" }).waitFor()
    await until("the message has the focus", async () => {
      await page.keyboard.press("Shift+Tab")
      return hasFocus(page.locator(".message"))
    })
    // It is undone before the server has done it.
    /** @type {() => void} */
    let go = () => {}
    const isUndone = new Promise((told) => (go = () => told(undefined)))
    await page.route("**/api/channels/*/messages/*", async (route) => {
      if (route.request().method() === "DELETE") await isUndone
      await route.continue()
    })
    await page.keyboard.press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await until("the way back has the focus", () => hasFocus(page.getByRole("button", { name: /^Undo/ })))
    await page.keyboard.press("Enter")
    go()
    await page.getByText("typed", { exact: true }).waitFor()
    await until("the message has the focus again", () => hasFocus(page.locator(".message")))
  })

  it("keep to a hundred messages, in order, and follow only who is at the end", async () => {
    await ask("POST", "/api/channels", { name: "busy" })
    const page = await house.signedIn("Busy", { at: "/channels/busy" })
    const post = (n) => ask("POST", "/api/channels/busy/messages", { text: `number ${n}` })
    for (let n = 0; n < 105; n += 1) await post(n)
    await until("a hundred are shown", async () => {
      const shown = await page.locator(".message__text").allInnerTexts()
      return shown.length === 100 && shown[0] === "number 5" && shown[99] === "number 104"
    })
    const scroll = page.getByRole("region", { name: "Messages in busy" })
    const fromEnd = () => scroll.evaluate((it) => -it.scrollTop)
    await until("the end is in view", async () => (await fromEnd()) < 5)
    await scroll.evaluate((it) => it.scrollTo(0, -it.scrollHeight))
    await page.getByRole("button", { name: /Latest/ }).waitFor()
    await post(105)
    await page.getByRole("button", { name: /1 new/ }).click()
    await until("the end is in view", async () => (await fromEnd()) < 5)
  })

  it("run nothing that somebody wrote", async () => {
    const hostile = [
      "<script>document.title = 'owned'</script>",
      "<img src=x onerror=\"document.title = 'owned'\">",
      "[x](javascript:document.title='owned')",
      "<svg onload=\"document.title='owned'\">",
    ]
    for (const text of hostile) await ask("POST", "/api/channels/quiet/messages", { text })
    const page = await house.signedIn("Prey", { at: "/channels/quiet" })
    for (const text of hostile) await ask("POST", "/api/channels/quiet/messages", { text })
    await page.locator(".message", { hasText: "svg onload" }).nth(1).waitFor()
    assert.equal(await page.title(), "#quiet · Houston")
    const dangers = ".message__text :is(script, img, svg, [onerror], [onload], [href^='javascript'])"
    assert.equal(await page.locator(dangers).count(), 0)
  })
})

describe("a page of many channels", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  it("lists those where one has been or is named, and all others where one looks for them", async () => {
    const scripts = [await house.script("Maker"), await house.script("Doer")]
    const names = Array.from({ length: 120 }, (_, n) => `many${String(n).padStart(3, "0")}`)
    for (const [n, name] of names.entries()) await scripts[n % 2].ask("POST", "/api/channels", { name })
    for (const name of names.slice(10)) await scripts[0].ask("POST", `/api/channels/${name}/messages`, { text: "hello" })
    const lists = []
    const page = await house.visit()
    page.on("response", (answer) => answer.url().endsWith("/api/channels") && lists.push(answer))
    await page.goto("/channels/many000")
    await page.getByLabel("Display name").fill("Manfred")
    await page.getByRole("button", { name: "Come aboard" }).click()
    await page.locator("form.composer[novalidate]").waitFor()
    await until("the whole list has come", () => lists.length > 0)

    const links = page.getByRole("navigation", { name: "Channels" }).getByRole("link").and(page.locator(".channel-link"))
    await page.getByRole("button", { name: "All channels (121)" }).waitFor()
    assert.deepEqual(await links.allInnerTexts(), ["many000"])
    await looksRight(page, "many-channels")

    await scripts[0].ask("POST", "/api/channels/many002/messages", { text: "nothing of his" })
    await scripts[0].ask("POST", "/api/channels/many001/messages", { text: "@Manfred, here, too" })
    await links.filter({ hasText: "many001" }).waitFor()
    await scripts[1].ask("POST", "/api/channels/@Manfred/messages", { text: "between us" })
    await links.filter({ hasText: "Doer" }).waitFor()
    assert.equal(await links.count(), 3)
    assert.equal(await links.and(page.locator("[aria-current]")).innerText(), "many000")

    await page.getByRole("button", { name: "All channels (121)" }).click()
    const options = page.getByRole("dialog", { name: "All channels" }).getByRole("option")
    await page.getByText("and 21 more: type to find them").waitFor()
    assert.equal(await options.count(), 100)
    await page.keyboard.press("Escape")

    await page.keyboard.press("Control+k")
    await page.keyboard.type("many005")
    await page.getByRole("option", { name: "many005", selected: true }).waitFor()
    await page.keyboard.press("Enter")
    await page.waitForURL("**/channels/many005")
    assert.equal(await links.and(page.locator("[aria-current]")).innerText(), "many005")
  })
})
