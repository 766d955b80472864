// Around the messages: who is there, what is unread, and how to get from here to there.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, isSound, listens, looksRight, PHONE, say, SCREENS, shows, stopClock, until } from "./house.js"

describe("around the messages", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const box = (page) => page.locator("#text")
  const sidebar = (page) => page.getByRole("navigation", { name: "Channels" })
  const heading = (page) => page.getByRole("heading", { level: 1 })
  const hasFocus = (what, locator) => until(what, () => locator.evaluate((it) => it === document.activeElement))

  /** Somebody who has signed in at a channel of this test's own. */
  const channel = (name) => house.channel(name)

  describe("a direct conversation", () => {
    it("begins from the list of people, and appears at once for the other one", async () => {
      const { at } = await channel("direct")
      const [ada, bob] = [await house.signedIn("Dirk", { at }), await house.signedIn("Dina", { at })]
      await sidebar(ada).getByRole("button", { name: "New message" }).click()
      const dialog = ada.getByRole("dialog", { name: "New message" })
      await dialog.getByRole("option", { name: /Dina online/ }).waitFor()
      await ada.keyboard.type("din")
      await until("only Dina is left", async () => (await dialog.getByRole("option").count()) === 1)
      await ada.keyboard.press("Enter")
      await ada.waitForURL("**/channels/@Dina")
      await ada.getByText("Only the two of you can read this.").waitFor()
      assert.equal(await heading(ada).innerText(), "Dina")
      assert.equal(await ada.title(), "Dina · Houston")
      await say(ada, "between us")
      await sidebar(ada).getByRole("link", { name: "Dina , online" }).and(ada.locator("[aria-current]")).waitFor()
      await sidebar(bob).getByRole("link", { name: /Dirk , online 1 unread/ }).click()
      await shows(bob, ["between us"])
      await say(bob, "indeed")
      await shows(ada, ["between us", "indeed"])
    })

    it("begins with whom one has marked, though others come and names change meanwhile", async () => {
      const { at } = await channel("marked")
      const ada = await house.signedIn("Mara", { at })
      await house.script("Marked Adam")
      const zoe = await house.script("Marked Zoe")
      await sidebar(ada).getByRole("button", { name: "New message" }).click()
      await ada.keyboard.type("marked")
      const isMarked = (name) => ada.getByRole("option", { name, selected: true }).waitFor()
      await until("nobody is marked before one was", async () => (await ada.getByRole("option", { selected: true }).count()) === 0)
      await ada.keyboard.press("ArrowDown")
      await isMarked("Marked Adam")
      await ada.keyboard.press("ArrowDown")
      await isMarked("Marked Zoe")
      await house.signedIn("Marked Eve", { at })
      await ada.getByRole("option", { name: "Marked Eve online" }).waitFor()
      await isMarked("Marked Zoe")
      await zoe.ask("PATCH", "/api/session", { display_name: "Marked Aaron" })
      await isMarked("Marked Aaron")
      await ada.keyboard.press("Enter")
      await ada.waitForURL("**/channels/@Marked%20Aaron")
    })

    it("begins with somebody who is here, and with oneself", async () => {
      const { at } = await channel("here")
      const ada = await house.signedIn("Hera", { at })
      await house.signedIn("Hugo", { at })
      await ada.locator(".people summary").click()
      await ada.locator(".people").getByRole("link", { name: /Hugo/ }).click()
      await ada.waitForURL("**/channels/@Hugo")
      await sidebar(ada).getByRole("button", { name: "New message" }).click()
      await ada.getByRole("option", { name: "Notes to self" }).click()
      await ada.waitForURL("**/channels/@Hera")
      await ada.getByText("Only you can read this.").waitFor()
      await say(ada, "milk")
      await sidebar(ada).getByRole("link", { name: "Notes to self" }).waitFor()
      assert.equal(await heading(ada).innerText(), "Notes to self")
      const box = ada.getByPlaceholder("Message yourself", { exact: true })
      await box.waitFor()
      await ada.reload()
      await box.waitFor()
    })

    it("follows the other one's name, also across a reload, and tells when they are gone for good", async () => {
      const { at } = await channel("names")
      const ada = await house.signedIn("Nell", { at })
      const other = await house.script("Nick")
      await ada.goto("/channels/@Nick")
      await say(ada, "hello")
      await ada.locator(".message[data-seq]").waitFor()
      await other.ask("POST", "/api/channels/@Nell/messages", { text: "hello yourself" })
      await shows(ada, ["hello", "hello yourself"])
      await other.ask("PATCH", "/api/session", { display_name: "Nikolaus" })
      await ada.waitForURL("**/channels/@Nikolaus")
      assert.equal(await heading(ada).innerText(), "Nikolaus")
      await until("the title follows", async () => (await ada.title()) === "Nikolaus · Houston")
      await sidebar(ada).getByRole("link", { name: /^Nikolaus/ }).waitFor()
      await ada.reload()
      await shows(ada, ["hello", "hello yourself"])

      await other.ask("DELETE", "/api/session")
      const heir = await house.script("Nikolaus")
      await ada.reload()
      await ada.getByText("Only the two of you can read this.").waitFor()
      await sidebar(ada).getByRole("link", { name: /Nikolaus , signed out for good/ }).click()
      await shows(ada, ["hello", "hello yourself"])
      await ada.getByText("Nikolaus has signed out for good.").waitFor()
      assert.ok(await box(ada).isDisabled())
      assert.match(ada.url(), /\/channels\/id:/)
      await heir.ask("DELETE", "/api/session")
    })

    it("shows who comes and goes by a lamp", async () => {
      const { at } = await channel("lamps")
      const ada = await house.signedIn("Lana", { at })
      const bob = await house.signedIn("Lars", { at })
      await ada.goto("/channels/@Lars")
      await say(ada, "there?")
      const link = sidebar(ada).getByRole("link", { name: /^Lars/ })
      await until("Lars is online", async () => /online/.test(await link.innerText()))
      await bob.context().close()
      await until("Lars is offline", async () => /offline/.test(await link.innerText()))
    })
  })

  it("keeps to what is heard while the lists are on their way, which are older", async () => {
    const { at, ask } = await channel("meanwhile")
    await ask("POST", "/api/channels", { name: "meanwhile-too" })
    const ada = await house.signedIn("Mia", { at })
    // What the page asked at first does not count.
    await ada.goto("about:blank")
    const held = []
    const done = []
    await ada.route(/\/api\/(users|channels|channels\/id:[\w-]+)$/, async (route) => {
      const response = await route.fetch()
      await new Promise((release) => held.push(release))
      await route.fulfill({ response })
    })
    ada.on("requestfinished", (request) => /\/api\/(users|channels)/.test(request.url()) && done.push(request.url()))
    await ada.goto(at)
    await until("all lists are on their way", () => held.length === 3)
    await house.signedIn("Moritz", { at })
    await ask("POST", "/api/channels", { name: "meanwhile-new" })
    await ask("POST", "/api/channels/meanwhile-too/messages", { text: "hello" })
    const isThere = async () => {
      await ada.locator(".person", { hasText: "Moritz" }).waitFor({ state: "attached" })
      await sidebar(ada).getByRole("link", { name: "meanwhile-new" }).waitFor()
      await sidebar(ada).getByRole("link", { name: "meanwhile-too 1 unread" }).waitFor()
    }
    await isThere()
    for (const release of held.splice(0)) release()
    await until("they have arrived", () => done.filter((url) => !/messages|read|typing/.test(url)).length === 3)
    await ask("POST", "/api/channels", { name: "meanwhile-last" })
    await sidebar(ada).getByRole("link", { name: "meanwhile-last" }).waitFor()
    await isThere()
    await until("two are here", async () => /2\s*here/.test(await ada.locator(".people summary").innerText()))
    // This asks who there is, and is not answered: they are known from before.
    await box(ada).pressSequentially("@Mor")
    await ada.getByRole("option", { name: "Moritz" }).waitFor()
  })

  it("lists nobody who signed out for good while the list was on its way", async () => {
    const { at } = await channel("signing-out")
    const ada = await house.signedIn("Wanda", { at })
    const bob = await house.signedIn("Wim", { at })
    const named = ada.getByRole("option", { name: /^Wim/ })
    await sidebar(ada).getByRole("button", { name: "New message" }).click()
    await named.and(ada.getByRole("option", { name: /online/ })).waitFor()
    await ada.keyboard.press("Escape")
    const held = []
    await ada.route("**/api/users", async (route) => {
      await new Promise((release) => held.push(release))
      await route.continue()
    }, { times: 1 })
    await sidebar(ada).getByRole("button", { name: "New message" }).click()
    await until("the list is on its way", () => held.length === 1)
    await bob.evaluate(() => fetch("/api/session", { method: "DELETE" }))
    await ada.getByRole("option", { name: "Wim", exact: true }).waitFor()
    held[0]()
    await named.waitFor({ state: "detached" })
  })

  it("lists by their new name who changed it while the list was on its way", async () => {
    const { at, path } = await channel("renaming")
    const ada = await house.signedIn("Rita", { at })
    const bob = await house.script("Rolf")
    await bob.ask("POST", path, { text: "hello" })
    await shows(ada, ["hello"])
    const held = { events: [], list: [] }
    let isDeaf = true
    await ada.route("**/events*", async (route) => {
      if (isDeaf) await new Promise((release) => held.events.push(release))
      await route.continue()
    })
    await ada.reload()
    await until("nothing is heard yet", () => held.events.length >= 2)
    await house.signedIn("Rolf", { at, token: bob.token })
    await ada.route(/\/api\/channels\/id:[\w-]+$/, async (route) => {
      const response = await route.fetch()
      await new Promise((release) => held.list.push(release))
      await route.fulfill({ response })
    }, { times: 1 })
    isDeaf = false
    for (const release of held.events) release()
    await until("the list is on its way", () => held.list.length === 1)
    await bob.ask("PATCH", "/api/session", { display_name: "Rudolf" })
    await ada.locator(".message", { hasText: "Rudolf" }).waitFor()
    const people = () => ada.locator(".person__name").allTextContents()
    assert.deepEqual(await people(), ["Rita"], "who came meanwhile is not listed yet")
    held.list[0]()
    await until("both are listed", async () => (await people()).includes("Rudolf"))
    assert.deepEqual((await people()).toSorted(), ["Rita", "Rudolf"])
  })

  it("says who is typing, without moving anything, until they stop or have sent it", async () => {
    const { at, ask } = await channel("typing")
    const [ada, bob] = [await house.signedIn("Tara", { at }), await house.signedIn("Theo", { at })]
    const top = () => box(ada).evaluate((text) => text.getBoundingClientRect().top)
    const before = await top()
    // Nobody stops typing because this machine is slow.
    for (const page of [ada, bob]) await stopClock(page)
    await listens(ada)
    await box(bob).pressSequentially("   ")
    await box(bob).pressSequentially("well")
    await ada.getByText("Theo is typing…").waitFor()
    await ask("POST", "/api/channels/typing/typing")
    await ada.getByText("Theo and Script of typing are typing…").waitFor()
    const third = await house.script("Third")
    await third.ask("POST", "/api/channels/typing/typing")
    await ada.getByText("Several people are typing…").waitFor()
    assert.equal(await top(), before)
    await bob.keyboard.press("Enter")
    await shows(ada, ["well"])
    assert.equal(await ada.getByText("Theo").and(ada.locator("[data-part=words]")).count(), 0)
    for (const page of [ada, bob]) await page.clock.runFor(5_000)
    for (const page of [ada, bob]) assert.equal(await page.locator("[data-part=words]").innerText(), "")
  })

  it("completes the names of people and of channels, with the keyboard and without", async () => {
    const { at } = await channel("complete")
    const ada = await house.signedIn("Cleo", { at })
    await house.signedIn("Claire Ong", { at })
    await house.script("Clark")
    const options = ada.getByRole("listbox", { name: "People" }).getByRole("option")
    await ada.locator(".person", { hasText: "Claire" }).waitFor({ state: "attached" })
    await box(ada).pressSequentially("me@cl hi @CL")
    await until("both are offered, who is here first", async () => {
      assert.deepEqual(await ada.locator(".completion__name").allInnerTexts(), ["Claire Ong", "Clark"])
      return true
    })
    assert.equal(await box(ada).getAttribute("aria-expanded"), "true")
    // A <textarea> should have no other role, but only a combobox can say that it has a list.
    await isSound(ada, "the list of names", ["aria-allowed-role"])
    await ada.keyboard.press("ArrowDown")
    await house.signedIn("Clara", { at })
    await until("who comes meanwhile is offered before who is marked", async () => {
      assert.deepEqual(await ada.locator(".completion__name").allInnerTexts(), ["Claire Ong", "Clara", "Clark"])
      return true
    })
    const marked = ada.getByRole("option", { selected: true })
    assert.equal(await marked.locator(".completion__name").innerText(), "Clark")
    assert.equal(await box(ada).getAttribute("aria-activedescendant"), await marked.getAttribute("id"))
    await ada.keyboard.press("ArrowDown")
    await ada.keyboard.press("Enter")
    assert.equal(await box(ada).inputValue(), "me@cl hi @Claire Ong ")
    assert.equal(await box(ada).getAttribute("role"), null)
    await box(ada).pressSequentially("@ong")
    await options.first().click()
    assert.equal(await box(ada).inputValue(), "me@cl hi @Claire Ong @Claire Ong ")
    await box(ada).pressSequentially("#comp")
    await ada.keyboard.press("Tab")
    assert.equal(await box(ada).inputValue(), "me@cl hi @Claire Ong @Claire Ong #complete ")
    await box(ada).pressSequentially("@cla")
    await options.first().waitFor()
    await ada.keyboard.press("Escape")
    await options.first().waitFor({ state: "hidden" })
    await ada.keyboard.press("Enter")
    await shows(ada, ["me@cl hi @Claire Ong @Claire Ong #complete @cla"])
  })

  it("counts in the tab what calls for one, and marks what is merely unread", async () => {
    const { at, ask } = await channel("tab")
    const ada = await house.signedIn("Tabea", { at })
    const icon = () => ada.locator('link[rel="icon"]').getAttribute("href")
    assert.equal(await ada.title(), "#tab · Houston")
    await ask("POST", "/api/channels/general/messages", { text: "weather" })
    await until("a dot", async () => (await ada.title()) === "• #tab · Houston")
    await until("an icon with a dot", async () => /^data:image\/svg/.test(await icon()))
    await ask("POST", "/api/channels/general/messages", { text: "@Tabea, look" })
    await until("one calls", async () => (await ada.title()) === "(1) #tab · Houston")
    await sidebar(ada).getByRole("link", { name: "general 1 mention" }).waitFor()
    await ask("POST", "/api/channels/@Tabea/messages", { text: "and here" })
    await until("two call", async () => (await ada.title()) === "(2) #tab · Houston")
    await sidebar(ada).getByRole("link", { name: "general" }).click()
    await until("one is left", async () => (await ada.title()) === "(1) #general · Houston")
    await until("it is read", async () => {
      const { channel } = await (await ada.request.get("/api/channels/general")).json()
      return channel.unread === 0
    })
    await sidebar(ada).getByRole("link", { name: /^Script of tab/ }).click()
    await until("none is left", async () => (await ada.title()) === "Script of tab · Houston")
    await until("the plain icon", async () => /mark\.svg$/.test(await icon()))
  })

  describe("the switcher", () => {
    const open = async (page) => {
      await page.keyboard.press("Control+k")
      const dialog = page.getByRole("dialog", { name: "Search or jump" })
      await dialog.waitFor()
      return dialog
    }

    it("goes to a channel and to a person by a few letters, and gives the focus back", async () => {
      const { at, ask } = await channel("switch")
      await ask("POST", "/api/channels", { name: "zebra-crossing" })
      const ada = await house.signedIn("Suse", { at })
      await house.script("Zenobia")
      const dialog = await open(ada)
      await ada.keyboard.type("ze")
      await dialog.getByRole("option", { name: "zebra-crossing" }).waitFor()
      await ada.keyboard.press("Escape")
      await hasFocus("the message box has the focus again", box(ada))
      await open(ada)
      await ada.keyboard.type("crossing")
      await dialog.getByRole("option", { name: "zebra-crossing", selected: true }).waitFor()
      await ada.keyboard.press("Enter")
      await ada.waitForURL("**/channels/zebra-crossing")
      await sidebar(ada).getByRole("button", { name: "Search or jump…" }).click()
      await ada.keyboard.type("zen")
      await dialog.getByRole("option", { name: "Zenobia" }).click()
      await ada.waitForURL("**/channels/@Zenobia")
    })

    it("shows what is unread first, and says when there is nothing", async () => {
      const { at, ask } = await channel("aaa")
      const ada = await house.signedIn("Susi", { at })
      await ask("POST", "/api/channels/@Susi/messages", { text: "read me" })
      await sidebar(ada).getByRole("link", { name: /Script of aaa/ }).waitFor()
      const dialog = await open(ada)
      await dialog.getByRole("option", { name: /^Script of aaa 1 unread/, selected: true }).waitFor()
      await ada.keyboard.type("#no-such-channel")
      await dialog.getByText("Nothing here is called that.").waitFor()
    })

    it("finds messages, marks the words, and leads to them", async () => {
      const { at, ask } = await channel("archive")
      const ada = await house.signedIn("Sofi", { at })
      await ask("POST", "/api/channels/archive/messages", { text: "the <b>Gyroscope</b> wobbles" })
      await ask("POST", "/api/channels/@Sofi/messages", { text: "a gyroscope between us" })
      const dialog = await open(ada)
      await ada.keyboard.type("gyroscope")
      await dialog.getByText("2 messages found").waitFor()
      assert.deepEqual(await dialog.locator("mark").allInnerTexts(), ["gyroscope", "Gyroscope"])
      await until("both channels are named", async () => {
        assert.deepEqual(await dialog.locator(".found__channel").allInnerTexts(), ["Script of archive", "#archive"])
        return true
      })
      await isSound(ada, "what was found")
      await dialog.getByRole("option", { name: /wobbles/ }).click()
      await ada.waitForURL(/\/channels\/archive#message-/)
      await open(ada)
      await ada.keyboard.type("gyroscope betw")
      await dialog.getByText("1 message found").waitFor()
      await ada.keyboard.press("Enter")
      await ada.waitForURL(/\/channels\/@Script.*#message-/)
      await open(ada)
      await ada.keyboard.type("said by nobody ever")
      await dialog.getByText("Nothing here is called that, and no message says it.").waitFor()
      await ada.context().setOffline(true)
      await ada.keyboard.type("!")
      await dialog.getByText("Messages could not be searched. No connection to the server.").waitFor()
    })
  })

  it("lets another device in as the same user, once, by a link", async () => {
    const { at } = await channel("device")
    const ada = await house.signedIn("Devi", { at })
    await ada.context().grantPermissions(["clipboard-read", "clipboard-write"])
    await ada.locator(".sidebar__me summary").click()
    await ada.getByRole("button", { name: "Use another device" }).click()
    const dialog = ada.getByRole("dialog", { name: "Use another device" })
    await dialog.getByText("Works once, for 10 more minutes.").waitFor()
    await until("the code is drawn", () => dialog.getByAltText("QR code").evaluate((image) => image.complete && image.naturalWidth > 0))
    await isSound(ada, "the link for another device")
    await dialog.getByRole("button", { name: "Copy" }).click()
    await dialog.getByText("Copied").waitFor()
    const url = await ada.evaluate(() => navigator.clipboard.readText())
    assert.equal(url, await dialog.getByLabel("Link for the other device").inputValue())
    await dialog.getByRole("button", { name: "New link" }).click()
    await until("the link is another", async () => {
      const link = await dialog.getByLabel("Link for the other device").inputValue()
      return link !== "" && link !== url
    })
    await ada.keyboard.press("Escape")
    await hasFocus("the button has the focus again", ada.getByRole("button", { name: "Use another device" }))

    const phone = await house.visit({ viewport: PHONE })
    await phone.goto(url)
    await phone.locator("form button").click()
    await phone.locator(".sidebar__name", { hasText: "Devi" }).waitFor({ state: "attached" })
  })

  describe("a notification", () => {
    /** What the browser would have shown, for all tabs of a profile, and a tab that can be hidden. */
    const watched = async (page) => {
      const shown = []
      const context = page.context()
      await context.grantPermissions(["notifications"])
      await context.exposeFunction("shownToTest", (told) => shown.push(told))
      await context.addInitScript(() => {
        window.Notification = class extends EventTarget {
          static permission = "granted"
          static requestPermission = async () => "granted"
          constructor(title, { body, tag }) {
            super()
            window.lastNotification = this
            window.shownToTest({ title, body, tag })
          }
          close() {}
        }
        let hidden = false
        Object.defineProperty(document, "hidden", { get: () => hidden })
        window.hide = (is) => {
          hidden = is
          document.dispatchEvent(new Event("visibilitychange"))
        }
      })
      await page.reload()
      return shown
    }
    const allow = async (page) => {
      await page.locator(".bell summary").click()
      await page.getByRole("button", { name: "Notify me" }).click()
      await page.locator(".bell__told", { hasText: "Notifications are on" }).waitFor()
      await page.keyboard.press("Escape")
    }
    const posts = (script, where, text) => script.ask("POST", `/api/channels/${where}/messages`, { text })
    /** Waits until exactly these were shown. */
    const areShown = (shown, expected) =>
      until(`shown are ${expected}`, () => {
        assert.deepEqual(shown.map(({ title, body }) => `${title}: ${body}`), expected)
        return true
      })

    it("tells of mentions and direct messages elsewhere, and leads there", async () => {
      const { at, ...script } = await channel("notify")
      const ada = await house.signedIn("Nadia", { at })
      const shown = await watched(ada)
      await allow(ada)
      await posts(script, "general", "nothing of yours")
      await posts(script, "general", "hello @nadia")
      await areShown(shown, ["Script of notify in #general: hello @nadia"])
      await posts(script, "@Nadia", "psst")
      await areShown(shown, ["Script of notify in #general: hello @nadia", "Script of notify: psst"])
      await posts(script, "notify", "@Nadia here, where she looks")
      await shows(ada, ["@Nadia here, where she looks"])
      // Had it been told, then before this.
      await posts(script, "@Nadia", "over")
      await areShown(shown, [
        "Script of notify in #general: hello @nadia", "Script of notify: psst", "Script of notify: over",
      ])
      await ada.evaluate(() => window.lastNotification.dispatchEvent(new Event("click")))
      await ada.waitForURL("**/channels/@Script%20of%20notify")
    })

    it("tells each thing once, though the browser has many tabs, and never of one's own", async () => {
      const { at, ...script } = await channel("tabs")
      const ada = await house.signedIn("Nora", { at })
      const shown = await watched(ada)
      await allow(ada)
      const others = [await ada.context().newPage(), await ada.context().newPage()]
      for (const page of others) {
        await page.goto(at)
        await page.locator("form.composer[novalidate]").waitFor()
      }
      for (const page of [ada, ...others]) await page.evaluate(() => window.hide(true))
      await posts(script, "@Nora", "one")
      await areShown(shown, ["Script of tabs: one"])
      await ada.request.post("/api/channels/@Script of tabs/messages", { data: { text: "my own answer" } })
      await posts(script, "@Nora", "two")
      await areShown(shown, ["Script of tabs: one", "Script of tabs: two"])
      await ada.evaluate(() => window.hide(false))
      await posts(script, "tabs", "@Nora, welcome back")
      await shows(ada, ["@Nora, welcome back"])
      await posts(script, "general", "@Nora three")
      await areShown(shown, ["Script of tabs: one", "Script of tabs: two", "Script of tabs in #general: @Nora three"])
    })

    it("tells whoever has the channel open of @here, once a minute, and nobody else", async () => {
      const { at, ...script } = await channel("crowd")
      const away = await channel("elsewhere")
      const ada = await house.signedIn("Nuria", { at })
      const shown = await watched(ada)
      await allow(ada)
      await ada.evaluate(() => window.hide(true))
      await posts(script, "elsewhere", "@here, not for her, who is not there")
      await posts(script, "crowd", "> @here, said another")
      await posts(script, "crowd", "@here lunch")
      await areShown(shown, ["Script of crowd in #crowd: @here lunch"])
      await posts(away, "crowd", "@here is somebody else")
      await areShown(shown, ["Script of crowd in #crowd: @here lunch", "Script of elsewhere in #crowd: @here is somebody else"])
      const looked = ada.waitForResponse((answer) => answer.url().endsWith("/messages"))
      await posts(script, "crowd", "@here, so soon again")
      await looked
      // Had any other been told, then before this.
      await posts(script, "@Nuria", "over")
      await areShown(shown, [
        "Script of crowd in #crowd: @here lunch", "Script of elsewhere in #crowd: @here is somebody else", "Script of crowd: over",
      ])
      const { channels } = await (await ada.request.get("/api/channels")).json()
      assert.equal(channels.find(({ name }) => name === "crowd").mentions, 0)
    })

    it("keeps to what a channel's bell says, and is silent until asked for", async () => {
      const { at, ...script } = await channel("bells")
      const ada = await house.signedIn("Noemi", { at })
      const shown = await watched(ada)
      const choose = async (choice) => {
        await ada.locator(".bell summary").click()
        await ada.getByLabel(choice).check()
        await until("the server knows it", async () => {
          const { channel } = await (await ada.request.get("/api/channels/bells")).json()
          return channel.mine.bell === choice.toLowerCase()
        })
        await ada.keyboard.press("Escape")
      }
      await posts(script, "general", "@Noemi too early")
      await sidebar(ada).getByRole("link", { name: "general 1 mention" }).waitFor()
      await choose("Everything")
      await allow(ada)
      await ada.evaluate(() => window.hide(true))
      await posts(script, "bells", "for everybody")
      await areShown(shown, ["Script of bells in #bells: for everybody"])
      await ada.evaluate(() => window.hide(false))
      await choose("Nothing")
      await ada.evaluate(() => window.hide(true))
      await posts(script, "bells", "@Noemi, in vain")
      await until("it is known", async () => (await ada.title()) === "(2) #bells · Houston")
      await posts(script, "@Noemi", "but this")
      await areShown(shown, ["Script of bells in #bells: for everybody", "Script of bells: but this"])
    })

    it("is not shown where the browser refuses, which is said", async () => {
      const { at } = await channel("refused")
      const ada = await house.signedIn("Nele", { at })
      await ada.addInitScript(() => {
        let permission = "default"
        window.Notification = class {
          static get permission() {
            return permission
          }
          static requestPermission = async () => (permission = "denied")
        }
      })
      await ada.reload()
      await ada.locator(".bell summary").click()
      await ada.locator(".bell__told", { hasText: "The browser will ask first." }).waitFor()
      await ada.getByRole("button", { name: "Notify me" }).click()
      await ada.locator(".bell__told", { hasText: "The browser refuses notifications for this site." }).waitFor()
      assert.equal(await ada.getByRole("button", { name: "Notify me" }).count(), 0)
    })
  })

  for (const { name, ...screen } of SCREENS) {
    it(`is right on ${name}`, async () => {
      const page = await house.signedIn(`Viewer ${name}`, screen)
      const other = await house.script(`أمل الحاج ${name}`)
      const long = await house.script(`W${"m".repeat(20)}${name.slice(0, 11)}`)
      await page.goto(`/channels/@${encodeURIComponent(other.user.display_name)}`)
      await page.getByText("A private line.").waitFor()
      await looksRight(page, `direct-empty-${name}`)
      await listens(page)
      await other.ask("POST", `/api/channels/@${encodeURIComponent(`Viewer ${name}`)}/typing`)
      await page.locator("[data-typing]").waitFor()
      await box(page).pressSequentially("@")
      await page.locator(".completion").first().waitFor()
      // A <textarea> should have no other role, but only a combobox can say that it has a list.
      await looksRight(page, `completing-${name}`, ["aria-allowed-role"])
      await box(page).fill("")
      await other.ask("POST", `/api/channels/@${encodeURIComponent(`Viewer ${name}`)}/messages`, { text: "سلام" })
      await long.ask("POST", `/api/channels/@${encodeURIComponent(`Viewer ${name}`)}/messages`, { text: "the tide" })
      await page.locator(".channel-link[data-calls]").waitFor({ state: "attached" })
      await page.locator(".bell summary").click()
      await looksRight(page, `bell-${name}`)
      await page.keyboard.press("Escape")
      if (screen.viewport === PHONE) await page.getByRole("link", { name: "Channels" }).click()
      await looksRight(page, `sidebar-${name}`)
      await page.getByRole("button", { name: "New message" }).click()
      await page.getByRole("option").first().waitFor()
      await looksRight(page, `new-message-${name}`)
      await page.keyboard.press("Escape")
      await page.getByRole("button", { name: "Search or jump…" }).click()
      await looksRight(page, `switcher-${name}`)
      await page.keyboard.type("the")
      await page.getByText("found", { exact: false }).or(page.getByText("searched")).first().waitFor()
      await looksRight(page, `search-${name}`)
      await page.keyboard.press("Escape")
      await page.locator(".sidebar__me summary").click()
      await page.getByRole("button", { name: "Use another device" }).click()
      await page.locator("[data-part=left]:not(:empty), [data-part=error]:not([hidden])").first().waitFor()
      await looksRight(page, `device-${name}`)
      await page.keyboard.press("Escape")
      await looksRight(page, `me-${name}`)
      await other.ask("DELETE", "/api/session")
      const { channels } = await (await page.request.get("/api/channels")).json()
      const gone = channels.find((each) => each.name === `@${other.user.display_name}`)
      await page.goto(`/channels/id:${gone.id}`)
      await page.getByText("has signed out for good.").waitFor()
      await looksRight(page, `departed-${name}`)
    })
  }
})
