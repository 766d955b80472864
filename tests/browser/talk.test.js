// People talk: each in a browser of their own, and one with a script.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { goOffline, House, listens, say, shows, texts, until } from "./house.js"

describe("a conversation", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const channel = (name) => house.channel(name)

  it("goes back and forth between two browsers and a script, without a reload", async () => {
    const { at, ask, path } = await channel("talk")
    const ada = await house.signedIn("Ada", { at })
    const bob = await house.signedIn("Bob", { at })
    await say(ada, "Hello *Bob*")
    await shows(bob, ["Hello Bob"])
    await say(bob, "Hello Ada")
    await shows(ada, ["Hello Bob", "Hello Ada"])
    await ask("POST", path, { text: "beep" })
    for (const page of [ada, bob]) await shows(page, ["Hello Bob", "Hello Ada", "beep"])
    const message = bob.locator(".message").first()
    assert.equal(await message.locator(".message__author").innerText(), "Ada")
    assert.match(await message.locator("time").getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/)
    assert.equal(await message.locator("em").innerText(), "Bob")
  })

  it("welcomes, and remembers the name and the channel", async () => {
    const { at } = await channel("memory")
    const page = await house.newcomer("Rem", { at })
    assert.match(await page.locator(".flash").innerText(), /Welcome aboard, Rem\./)
    const storage = await page.context().storageState()
    await page.context().close()

    const back = await house.visit({ storageState: storage })
    await back.goto("/")
    await back.waitForURL(`**${at}`)
    await back.getByRole("navigation").getByText("Rem", { exact: true }).waitFor()

    await back.locator(".sidebar__me summary").click()
    await back.getByRole("button", { name: "Sign out" }).click()
    const name = back.getByLabel("Display name")
    await until("the name is remembered", async () => (await name.inputValue()) === "Rem")
  })

  it("shows a message at once, keeps it when it fails, and sends it once", async () => {
    const { at, ask, path } = await channel("outbox")
    const page = await house.signedIn("Otto", { at })
    let lost = 0
    // The server stores it, and the answer gets lost on the way.
    await page.route("**/messages/*", async (route) => {
      if (route.request().method() !== "PUT" || lost > 0) return route.fallback()
      lost += 1
      await route.fetch()
      await route.abort("connectionreset")
    })
    await page.route("**/events*", (route) => route.abort())
    await page.reload()
    await say(page, "exactly once")
    await page.getByText("Not sent: No connection to the server.").waitFor()
    await page.getByRole("button", { name: "Retry" }).click()
    await until("it is stored", async () => (await page.locator(".message[data-seq]").count()) === 1)
    const { messages } = await (await ask("GET", path)).json()
    assert.deepEqual(messages.map(({ text }) => text), ["exactly once"])
  })

  it("survives offline, a reload in between, and discarding", async () => {
    const { at, ask, path } = await channel("offline")
    const page = await house.signedIn("Offa", { at })
    await goOffline(page)
    await page.getByText("You are offline.").waitFor()
    await say(page, "kept")
    await say(page, "discarded")
    await page.getByText("Not sent").nth(1).waitFor()
    await page.getByRole("button", { name: "Discard" }).nth(1).click()
    await shows(page, ["kept"])
    await ask("POST", path, { text: "meanwhile" })
    await page.context().setOffline(false)
    await until("both are there", async () => {
      const shown = await texts(page)
      return shown.length === 2 && shown.includes("kept") && shown.includes("meanwhile")
    })
    await until("the banner is gone", async () => !(await page.locator(".banner").isVisible()))
    await page.reload()
    await shows(page, ["meanwhile", "kept"])
  })

  for (const [what, refuse] of Object.entries({
    "is full": () => (Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }),
    "is refused": () => Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("no", "SecurityError") } }),
  })) {
    it(`sends, tries again and discards also where the browser's storage ${what}`, async () => {
      const { at, stored } = await channel(`storage-${what.replace(" ", "-")}`)
      const page = await house.visit()
      await page.addInitScript(refuse)
      await page.context().addCookies([{ name: "session", value: (await house.script(`Stan ${what}`)).token, url: house.url }])
      await page.goto(at)
      await say(page, "at once")
      await page.locator(".message[data-seq]").waitFor()
      const warns = () => page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })))
      assert.equal(await warns(), false)
      await goOffline(page)
      await say(page, "later")
      await say(page, "never")
      await page.getByText("Not sent").nth(1).waitFor()
      assert.equal(await warns(), true, "what is nowhere else would be lost")
      await page.getByRole("button", { name: "Discard" }).nth(1).click()
      await shows(page, ["at once", "later"])
      await page.context().setOffline(false)
      await until("it is sent", async () => (await page.locator(".message[data-seq]").count()) === 2)
      assert.deepEqual((await stored()).map(({ text }) => text), ["at once", "later"])
      assert.equal(await warns(), false)
    })
  }

  it("heals after the server was killed, and misses nothing", async () => {
    const { at, ask, path } = await channel("crash")
    const page = await house.signedIn("Cass", { at })
    await ask("POST", path, { text: "before" })
    await shows(page, ["before"])
    await house.crash()
    await page.getByText(/Connection lost/).waitFor()
    await page.getByRole("button", { name: "Try now" }).click()
    await house.open()
    // Rather than wait out the pauses between attempts, which grow.
    await page.evaluate(() => dispatchEvent(new Event("online")))
    await ask("POST", path, { text: "after" })
    await shows(page, ["before", "after"])
  })

  it("announces who joins and leaves, folded together", async () => {
    const { at } = await channel("presence")
    const page = await house.signedIn("Pia", { at })
    await listens(page)
    const guests = []
    for (const name of ["Quin", "Rosa", "Sven", "Tina"]) guests.push(await house.signedIn(name, { at }))
    await page.getByText("\u2068Quin\u2069 and 3 others joined").waitFor()
    await page.locator(".people summary").click()
    await page.locator(".people").getByText("Tina").waitFor()
    await until("five are here", async () => /5\s*here/.test(await page.locator(".people summary").innerText()))
  })

  it("creates a channel that appears for everybody, and says what is wrong with a name", async () => {
    const { at } = await channel("create")
    const [ada, bob] = [await house.signedIn("Cara", { at }), await house.signedIn("Cole", { at })]
    await ada.getByText("New channel").click()
    await ada.getByLabel("Name", { exact: true }).fill("two words")
    await ada.getByRole("button", { name: "Create channel" }).click()
    await ada.getByText("It cannot contain a space.").waitFor()
    await ada.getByLabel("Name", { exact: true }).fill("Brand-New")
    await ada.getByRole("button", { name: "Create channel" }).click()
    await ada.waitForURL("**/channels/brand-new")
    await bob.getByRole("link", { name: "brand-new" }).waitFor()
    await say(ada, "come over")
    await bob.getByRole("link", { name: /brand-new 1 unread/ }).click()
    await shows(bob, ["come over"])
  })

  it("renames everywhere", async () => {
    const { at } = await channel("rename")
    const [ada, bob] = [await house.signedIn("Nora", { at }), await house.signedIn("Nils", { at })]
    await say(ada, "my name will change")
    await shows(bob, ["my name will change"])
    await ada.locator(".sidebar__me summary").click()
    await ada.getByLabel("Display name").fill("Nils")
    await ada.getByRole("button", { name: "Change name" }).click()
    await ada.getByText("Somebody here is already called that.").waitFor()
    await ada.getByLabel("Display name").fill("Eleonora")
    await ada.getByRole("button", { name: "Change name" }).click()
    await bob.locator(".message__author", { hasText: "Eleonora" }).waitFor()
  })

  it("tells who looks at a channel that it was deleted", async () => {
    const { at, ask } = await channel("short-lived")
    const page = await house.signedIn("Dora", { at })
    await ask("DELETE", "/api/channels/short-lived")
    await page.getByText("This channel was deleted.").waitFor()
    await page.getByRole("link", { name: "Go to #general" }).click()
    await page.waitForURL("**/channels/general")
  })

  it("works without a script, too", async () => {
    const { at } = await channel("plain")
    const page = await house.signedIn("Plain", { at, javaScriptEnabled: false })
    await page.getByRole("textbox", { name: /^Message/ }).fill("sent by a form")
    await page.getByRole("button", { name: "Send" }).click()
    await shows(page, ["sent by a form"])
  })

  it("arrives soon, and this says how soon", async (t) => {
    const { at } = await channel("speed")
    const [ada, bob] = [await house.signedIn("Sam", { at }), await house.signedIn("Sue", { at })]
    const delays = []
    for (let n = 0; n < 100; n += 1) {
      await bob.evaluate((text) => {
        window.arrived = new Promise((seen) => {
          document.addEventListener("message", ({ detail }) => detail.text === text && seen(Date.now()))
        })
      }, `speed ${n}`)
      await ada.getByRole("textbox", { name: /^Message/ }).fill(`speed ${n}`)
      const typed = await ada.evaluate(() => {
        document.querySelector("form.composer").requestSubmit()
        return Date.now()
      })
      delays.push((await bob.evaluate(() => window.arrived)) - typed)
    }
    delays.sort((a, b) => a - b)
    t.diagnostic(`typed to seen: median ${delays[50]} ms, p99 ${delays[98]} ms, max ${delays[99]} ms`)
    assert.ok(delays[98] < 5_000, `p99 is ${delays[98]} ms`)
  })
})
