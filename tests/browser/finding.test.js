// Finding one's way: the sidebar's groups, all channels, and how one wants each channel.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, looksRight, PHONE, SCREENS, say, standsStill, until } from "./house.js"

const CHANNELS = 60
const CONVERSATIONS = 40

describe("finding one's way", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const sidebar = (page) => page.locator("nav.sidebar")
  const group = (page, name) => sidebar(page).getByRole("list", { name, exact: true })
  const names = (page, name) => group(page, name).locator(".channel-link__name").allInnerTexts()
  const link = (page, name) => sidebar(page).locator(`.channel-link[data-name="${name}"]`)
  const isIn = (page, name, channel) => until(`${channel} is in ${name}`, async () => (await names(page, name)).includes(channel))
  const isGone = (page, channel) => until(`${channel} is gone`, async () => (await link(page, channel).count()) === 0)
  const choose = async (page, item) => {
    await page.locator(".channel-menu summary").click()
    await page.locator(".channel-menu").getByRole("button", { name: item, exact: true }).click()
  }
  const opens = (page, name) => page.waitForURL(`**/channels/${name}`)
  /** One user in two browsers. */
  const devices = async (name, at) => {
    const { token, user, ask } = await house.script(name)
    const [one, two] = [await house.signedIn(name, { at, token }), await house.signedIn(name, { at: "/channels/general", token })]
    return { one, two, user, ask }
  }

  it("stars on all devices, before and after a reload, and nobody else sees it", async () => {
    const { at } = await house.channel("stars")
    const { one, two } = await devices("Stella", at)
    const bob = await house.signedIn("Stan", { at })
    await choose(one, "Star")
    for (const page of [one, two]) await isIn(page, "Starred", "stars")
    assert.ok(!(await names(one, "Channels")).includes("stars"))
    await two.reload()
    assert.deepEqual(await names(two, "Starred"), ["stars"])
    await two.goto(at)
    await choose(two, "Unstar")
    for (const page of [one, two]) await isIn(page, "Channels", "stars")
    assert.equal(await one.getByRole("heading", { name: "Starred" }).count(), 0)
    await one.locator(".channel-menu summary").click()
    await one.getByRole("button", { name: "Star", exact: true }).waitFor()
    assert.ok((await names(bob, "Channels")).includes("stars"))
  })

  it("hides until a channel names one and a conversation speaks, live and after a reload", async () => {
    const { at, ...script } = await house.channel("hush")
    const { one, two, ask } = await devices("Hilda", at)
    await ask("POST", "/api/channels/@Script of hush/messages", { text: "hello" })
    await isIn(two, "Direct messages", "Script of hush")
    await choose(one, "Hide")
    await isGone(two, "hush")
    assert.equal(await link(one, "hush").count(), 1, "it is open")
    await one.locator(".channel-link", { hasText: "general" }).click()
    await isGone(one, "hush")
    await script.post("nothing of hers")
    await two.goto(`/channels/@${encodeURIComponent("Script of hush")}`)
    await choose(two, "Hide")
    await isGone(one, "@Script of hush")
    // Had the channel come back, then before this.
    await script.ask("POST", "/api/channels/@Hilda/messages", { text: "psst" })
    await isIn(one, "Direct messages", "Script of hush")
    assert.equal(await link(one, "hush").count(), 0)
    await until("only the conversation counts", async () => (await one.title()) === "(1) #general · Houston")
    await script.post("@Hilda, come")
    await isIn(one, "Channels", "hush")
    await one.reload()
    assert.ok((await names(one, "Channels")).includes("hush"))
  })

  it("leaves a channel read, hidden and for general", async () => {
    const { at, post } = await house.channel("leaving")
    const { one, two, ask } = await devices("Lena", at)
    await post("the last word")
    await one.getByText("the last word").waitFor()
    await choose(one, "Leave")
    await opens(one, "general")
    for (const page of [one, two]) await isGone(page, "leaving")
    await until("it is read and hidden", async () => {
      const { channel } = await (await ask("GET", "/api/channels/leaving")).json()
      return channel.unread === 0 && channel.mine.hidden
    })
    await one.locator(".channel-menu summary").click()
    assert.equal(await one.getByRole("button", { name: "Leave" }).count(), 0, "general is not left")
  })

  it("marks a channel with an unsent draft, in other tabs too, until it is sent", async () => {
    const { at } = await house.channel("drafty")
    const page = await house.signedIn("Dora", { at })
    const other = await page.context().newPage()
    await other.goto("/channels/general")
    const marks = (of) => link(of, "drafty").locator(".channel-link__draft:not([hidden])").count()
    await page.getByRole("textbox", { name: /^Message/ }).fill("half a thought")
    await until("the other tab marks it", async () => (await marks(other)) === 1)
    assert.equal(await marks(page), 0, "where it is written there is no need to")
    await page.locator(".channel-link", { hasText: "general" }).click()
    await until("it is marked", async () => (await marks(page)) === 1)
    await page.reload()
    await until("it is marked again", async () => (await marks(page)) === 1)
    await link(page, "drafty").click()
    await until("the draft is back", async () => (await page.getByRole("textbox", { name: /^Message/ }).inputValue()) === "half a thought")
    await page.keyboard.press("Enter")
    await page.locator(".message[data-seq]").waitFor()
    await until("nothing is marked", async () => (await marks(other)) + (await marks(page)) === 0)
  })

  it("keeps the bell on the server, for all devices, and sends once what a browser remembered", async () => {
    const { at } = await house.channel("chimes")
    const { one, two, user, ask } = await devices("Belle", at)
    const { channel } = await (await ask("GET", "/api/channels/chimes")).json()
    const bell = async () => (await (await ask("GET", "/api/channels/chimes")).json()).channel.mine.bell
    const key = `houston.bell.${user.id}.${channel.id}`
    await two.goto(at)
    assert.equal(await two.getByLabel("Mentions").isChecked(), true)
    await one.locator(".bell summary").click()
    await one.getByLabel("Nothing").check()
    await until("the other one has it", () => two.getByLabel("Nothing").isChecked())
    await one.evaluate((name) => localStorage.setItem(name, "everything"), key)
    await one.reload()
    await until("it was sent", async () => (await bell()) === "everything")
    await until("and forgotten", () => one.evaluate((name) => localStorage.getItem(name) === null, key))
    await until("both show it", async () => (await one.getByLabel("Everything").isChecked()) && (await two.getByLabel("Everything").isChecked()))
  })

  it("shows the topic and the end of a channel to whoever may, with errors in place", async () => {
    const ada = await house.signedIn("Tilda")
    const bob = await house.signedIn("Theo")
    await ada.request.post("/api/channels", { data: { name: "topical" } })
    for (const page of [ada, bob]) await page.goto("/channels/topical")
    await bob.locator(".channel-menu summary").click()
    assert.equal(await bob.getByRole("button", { name: "Settings…" }).count(), 0)
    await choose(ada, "Settings…")
    const dialog = ada.getByRole("dialog", { name: "Settings of #topical" })
    await ada.route("**/api/channels/id:*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.fallback()))
    await dialog.getByLabel("Topic", { exact: true }).fill("Weather, mostly")
    await ada.keyboard.press("Enter")
    await dialog.getByText("No connection to the server.").waitFor()
    await ada.unroute("**/api/channels/id:*")
    await ada.keyboard.press("Enter")
    for (const page of [ada, bob]) await page.locator(".conversation__topic", { hasText: "Weather, mostly" }).waitFor()
    await dialog.waitFor({ state: "hidden" })
    await choose(ada, "Settings…")
    assert.equal(await dialog.getByLabel("Topic", { exact: true }).inputValue(), "Weather, mostly")
    await dialog.getByLabel("to confirm").fill("tropical")
    await dialog.getByRole("button", { name: "Delete channel" }).click()
    await dialog.getByText("That is not its name").waitFor()
    await dialog.getByLabel("to confirm").fill("#Topical")
    await dialog.getByRole("button", { name: "Delete channel" }).click()
    await opens(ada, "general")
    for (const page of [ada, bob]) await isGone(page, "topical")
    await bob.goto("/channels/general")
    await choose(bob, "Settings…")
    await bob.getByRole("dialog").getByLabel("Topic", { exact: true }).waitFor()
    assert.equal(await bob.getByRole("button", { name: "Delete channel" }).count(), 0, "general stays")
  })

  it("tells the same number in the sidebar, the switcher and the title", async () => {
    const { at, ...script } = await house.channel("counted")
    const ada = await house.signedIn("Conny", { at: "/channels/general" })
    for (const text of ["one", "two", "@Conny three"]) await script.post(text)
    for (const text of ["psst", "@Conny psst"]) await script.ask("POST", "/api/channels/@Conny/messages", { text })
    await until("the title counts", async () => (await ada.title()) === "(3) #general · Houston")
    assert.match(await link(ada, "counted").innerText(), /1\s+mention$/)
    assert.match(await link(ada, "@Script of counted").innerText(), /2\s+unread$/)
    await ada.keyboard.press("Control+k")
    await ada.getByRole("option", { name: "counted 1 mention", exact: true }).waitFor()
    await ada.getByRole("option", { name: "Script of counted 2 unread", exact: true }).waitFor()
  })

  it("writes to nobody whom one did not choose", async () => {
    const page = await house.signedIn("Nina")
    for (const name of ["Pia Alt", "Pia Neu"]) await house.script(name)
    const option = (rest) => page.getByRole("option", rest)
    await sidebar(page).getByRole("button", { name: "New message" }).click()
    await option({ name: "Pia Alt" }).waitFor()
    assert.equal(await option({ selected: true }).count(), 0)
    await page.keyboard.press("Enter")
    await page.keyboard.type("pia")
    await until("two are left", async () => (await option().count()) === 2)
    assert.equal(await option({ selected: true }).count(), 0)
    await page.keyboard.press("Enter")
    assert.equal(new URL(page.url()).pathname, "/channels/general")
    await page.keyboard.press("ArrowDown")
    await option({ name: "Pia Alt", selected: true }).waitFor()
    await page.keyboard.press("ArrowUp")
    await option({ name: "Pia Neu", selected: true }).waitFor()
    await page.keyboard.type(" alt")
    await option({ name: "Pia Alt", selected: true }).waitFor()
    await page.keyboard.press("Enter")
    await opens(page, "@Pia%20Alt")
  })

  it("greets with one sentence, one address and its code", async () => {
    const empty = await House.start()
    try {
      const page = await empty.signedIn("Erste")
      await page.getByText("Houston here. How do you read?").waitFor()
      assert.equal(await page.locator(".empty .empty__text").count(), 1)
      assert.equal(await page.locator(".empty .snippet").count(), 1)
      assert.equal(await page.locator(".empty .snippet__line").innerText(), `${empty.url}/`)
      assert.equal(await page.locator(".welcome__code svg").count(), 1)
      await looksRight(page, "finding-welcome")
    } finally {
      await empty.close()
    }
  })

  describe("among many", () => {
    let big
    let bob
    let ada
    before(async () => {
      big = await House.start()
      bob = await big.script("Bob")
      ada = await big.script("Ada")
      for (let n = 0; n < CHANNELS - 1; n += 1) await bob.ask("POST", "/api/channels", { name: `c${String(n).padStart(2, "0")}`, topic: n === 7 ? "Launch control" : "" })
      for (let n = 0; n < CONVERSATIONS; n += 1) {
        const { ask } = await big.script(`Person ${String(n).padStart(2, "0")}`)
        await ask("POST", "/api/channels/@Ada/messages", { text: "hello" })
      }
      for (const name of ["c03", "c05", "c11"]) await ada.ask("POST", `/api/channels/${name}/messages`, { text: "here" })
      await ada.ask("PATCH", "/api/channels/c05/mine", { starred: true })
    })
    after(() => big.close())

    it("lists those that one has been to, as the server draws them and as scripts keep them", async () => {
      const page = await big.signedIn("Ada", { token: ada.token })
      const drawn = await big.signedIn("Ada", { token: ada.token, javaScriptEnabled: false })
      const listed = async (of) => [await names(of, "Starred"), await names(of, "Channels"), await names(of, "Direct messages")]
      const expected = await listed(drawn)
      assert.deepEqual(expected.slice(0, 2), [["c05"], ["c03", "c11", "general"]])
      assert.equal(expected[2].length, CONVERSATIONS)
      await Promise.all([page.waitForResponse((answer) => answer.url().endsWith("/api/channels")), page.reload()])
      assert.deepEqual(await listed(page), expected)
      await sidebar(page).getByRole("button", { name: `All channels (${CHANNELS})` }).waitFor()
      // Somebody speaks where she is not: nothing calls her.
      await bob.ask("POST", "/api/channels/c20/messages", { text: "hello" })
      await bob.ask("POST", "/api/channels/c21/messages", { text: "@Ada" })
      await isIn(page, "Channels", "c21")
      assert.equal(await link(page, "c20").count(), 0)
      await page.goto("/channels/c22")
      await link(page, "c03").click()
      await opens(page, "c03")
      await isIn(page, "Channels", "c22")
    })

    for (const { name, ...screen } of SCREENS) {
      it(`stands still and is right on ${name}`, async () => {
        const page = await big.signedIn("Ada", { token: ada.token, ...screen })
        await standsStill(page, "the page")
        await page.locator(".channel-menu summary").click()
        await looksRight(page, `finding-menu-${name}`)
        await page.keyboard.press("Escape")
        if (screen.viewport === PHONE) await page.getByRole("link", { name: "Channels" }).click()
        await looksRight(page, `finding-sidebar-${name}`)
        await sidebar(page).getByRole("button", { name: /^All channels/ }).click()
        await page.getByRole("option", { name: /c07/ }).waitFor()
        await looksRight(page, `finding-all-${name}`)
        await page.keyboard.press("Escape")
        await page.goto("/channels/general")
        await choose(page, "Settings…")
        await looksRight(page, `finding-settings-${name}`)
      })
    }

    it("finds every channel by typing, and makes one", async () => {
      const page = await big.signedIn("Ada", { token: ada.token, viewport: DESKTOP })
      const dialog = page.getByRole("dialog", { name: "All channels" })
      const option = (what) => dialog.getByRole("option", what)
      const open = () => sidebar(page).getByRole("button", { name: /^All channels/ }).click()
      await open()
      await until("all are listed", async () => (await option().count()) === CHANNELS)
      await page.keyboard.type("launch")
      await option({ name: /^#c07 no messages Launch control$/ }).waitFor()
      await page.keyboard.press("Enter")
      await opens(page, "c07")
      await open()
      await page.keyboard.type("#c0")
      await until("ten are left, and a new one", async () => (await option().count()) === 11)
      await page.keyboard.press("ArrowUp")
      await option({ name: "Create #c0", selected: true }).waitFor()
      await dialog.getByRole("combobox").fill("no such name!")
      await option({ name: "Create #no such name!", selected: true }).waitFor()
      await page.keyboard.press("Enter")
      await dialog.getByRole("status").filter({ hasText: /\w/ }).waitFor()
      await dialog.getByRole("combobox").fill("Fresh-One")
      await option({ name: "Create #Fresh-One", selected: true }).waitFor()
      await page.keyboard.press("Enter")
      await opens(page, "fresh-one")
      await isIn(page, "Channels", "fresh-one")
      await say(page, "first")
      await page.locator(".message[data-seq]").waitFor()
    })
  })
})
