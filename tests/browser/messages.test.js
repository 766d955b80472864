// What people do with messages: react, answer, edit, delete, link, mark, in browsers of their own.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, looksRight, PHONE, press, say, SCREENS, shows, until } from "./house.js"

describe("a message", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const channel = (name) => house.channel(name)
  const box = (page) => page.getByRole("textbox", { name: /^Message #/ })
  const message = (page, text) => page.locator(".message[data-seq]", { hasText: text })
  const hasFocus = (what, locator) => until(what, () => locator.evaluate((it) => it === document.activeElement))
  const act = async (page, text, action) => {
    await message(page, text).hover()
    await message(page, text).getByRole("button", { name: action, exact: true }).click()
  }
  /** What a browser tells a page that is put aside, or looked at again. */
  const putAside = (page, hidden) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden })
      document.dispatchEvent(new Event("visibilitychange"))
    }, hidden)
  const unreadIn = async (page, channel) => {
    const { channels } = await (await page.request.get("/api/channels")).json()
    return channels.find(({ name }) => name === channel).unread
  }
  /** Has the time pass in which a deletion can be undone. */
  const tooLateForUndo = async (page) => {
    await page.evaluate(() => {
      const now = Date.now
      Date.now = () => now() + 11_000
    })
    await until("the line is gone", async () => (await page.locator(".undo").count()) === 0)
  }
  const isInView = (locator) =>
    locator.evaluate((it) => {
      const view = it.closest(".conversation__scroll").getBoundingClientRect()
      const own = it.getBoundingClientRect()
      return own.top >= view.top - 1 && own.bottom <= view.bottom + 1
    })

  it("has its actions at hand with a mouse, with the keyboard and with a finger", async () => {
    const { at, post } = await channel("actions")
    await post("the first")
    await post("somebody else's")
    const page = await house.signedIn("Acta", { at })
    await say(page, "mine")
    await message(page, "mine").hover()
    const names = () => page.getByRole("toolbar", { name: "Message actions" }).getByRole("button").allInnerTexts()
    assert.deepEqual(await names(), ["React", "Reply", "Edit", "Copy link", "Mark unread from here", "Delete"])
    await message(page, "somebody else's").hover()
    assert.deepEqual(await names(), ["React", "Reply", "Copy link", "Mark unread from here"])
    await message(page, "the first").hover()
    assert.deepEqual(await names(), ["React", "Reply", "Copy link"])

    await box(page).focus()
    await page.mouse.move(0, 0)
    await until("the keyboard is at the message", async () => {
      await page.keyboard.press("Shift+Tab")
      return message(page, "mine").evaluate((it) => it === document.activeElement)
    })
    await page.keyboard.press("Enter")
    await hasFocus("the first action has the focus", message(page, "mine").getByRole("button", { name: "React" }))
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await hasFocus("arrows lead on", message(page, "mine").getByRole("button", { name: "Edit" }))
    await page.keyboard.press("Escape")
    await hasFocus("Escape gives the focus back", message(page, "mine"))

    const phone = await house.signedIn("Finger", { at, viewport: PHONE, hasTouch: true, isMobile: true })
    await press(phone, message(phone, "the first"))
    await phone.getByRole("toolbar").getByText("Reply").waitFor()
    await phone.keyboard.press("Escape")
    await phone.getByRole("dialog", { name: "Message actions" }).waitFor({ state: "hidden" })
    await press(phone, message(phone, "the first"))
    await phone.getByRole("toolbar").getByText("Reply").tap()
    await phone.getByRole("group", { name: "Answering" }).getByText("the first").waitFor()
  })

  it("is answered with reactions that everybody sees, and that are taken back", async () => {
    const { at, post, ask, path } = await channel("reactions")
    const { id } = await post("ship it?")
    const [ada, bob] = [await house.signedIn("Ada", { at }), await house.signedIn("Bob", { at })]
    await act(ada, "ship it?", "React")
    await hasFocus("the picker has the focus", ada.getByRole("button", { name: "Thumbs up" }))
    await ada.keyboard.press("ArrowRight")
    await hasFocus("arrows lead through what is at hand", ada.getByRole("button", { name: "Red heart" }))
    await ada.keyboard.press("ArrowLeft")
    await ada.keyboard.press("Enter")
    await ada.getByRole("button", { name: "Ada reacted with 👍" }).waitFor()
    await until("the picker is gone", () => ada.locator(".picker").isHidden())

    await bob.getByRole("button", { name: "Ada reacted with 👍", pressed: false }).click()
    const both = { name: "Ada and Bob reacted with 👍", pressed: true }
    for (const page of [ada, bob]) await page.getByRole("button", both).waitFor()
    assert.equal(await ada.getByRole("button", both).locator(".reaction__count").innerText(), "2")
    const storage = await bob.context().storageState()
    const other = await house.visit({ storageState: storage })
    await other.request.patch("/api/session", { data: { display_name: "Bobby" } })
    await ada.getByRole("button", { name: "Ada and Bobby reacted with 👍", pressed: true }).waitFor()
    await other.request.patch("/api/session", { data: { display_name: "Bob" } })
    await ada.getByRole("button", both).click()
    await bob.getByRole("button", { name: "Bob reacted with 👍", exact: true }).waitFor()
    const { reactions } = await (await ask("GET", `${path}/${id}`)).json()
    assert.deepEqual(reactions.map(({ users }) => users.map(({ display_name }) => display_name)), [["Bob"]])
    await bob.reload()
    await bob.getByRole("button", { name: "Bob reacted with 👍", exact: true, pressed: true }).click()
    for (const page of [ada, bob]) await until("none is left", async () => (await page.locator(".message .reaction").count()) === 0)
  })

  it("is answered with a word, and says what is no reaction", async () => {
    const { at, post } = await channel("words")
    await post("lunch?")
    const page = await house.signedIn("Wanda", { at })
    await act(page, "lunch?", "React")
    const field = page.getByLabel("Any emoji, or up to 16 characters")
    await field.fill("this is far too long to be one")
    await page.keyboard.press("Enter")
    await page.locator(".picker").getByRole("alert").getByText(/up to 16/).waitFor()
    await until("nothing is left of it", async () => (await page.locator(".message .reaction").count()) === 0)
    await field.fill("yes, please!")
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: "Wanda reacted with yes, please!" }).waitFor()

    await page.route("**/reactions/*", (route) => route.abort())
    await page.getByRole("button", { name: "Wanda reacted" }).click()
    await page.getByText("No connection to the server.").waitFor()
    await page.getByRole("button", { name: "Wanda reacted", pressed: true }).waitFor()
    await message(page, "lunch?").getByRole("button", { name: "Dismiss" }).click()
    await act(page, "lunch?", "React")
    await page.keyboard.press("Escape")
    await hasFocus("Escape gives the focus back", message(page, "lunch?").getByRole("button", { name: "React", exact: true }))
  })

  it("is edited in its place, and everybody sees that it was", async () => {
    const { at } = await channel("edit")
    const [ada, bob] = [await house.signedIn("Edda", { at }), await house.signedIn("Egon", { at })]
    await say(ada, "good morning")
    await say(ada, "the *frist* draft")
    await shows(bob, ["good morning", "the frist draft"])
    await act(ada, "frist", "Edit")
    const field = ada.getByRole("textbox", { name: "Text of the message" })
    await hasFocus("the field has the focus", field)
    assert.equal(await field.inputValue(), "the *frist* draft")
    await ada.keyboard.press("Escape")
    await shows(ada, ["good morning", "the frist draft"])
    await box(ada).focus()
    await ada.keyboard.press("ArrowUp")
    await field.fill("the *first* draft")
    await ada.keyboard.press("Shift+Enter")
    await ada.keyboard.type("of two lines")
    await ada.keyboard.press("Enter")
    await hasFocus("the message box has the focus again", box(ada))
    for (const page of [ada, bob]) {
      await shows(page, ["good morning", "the first draft\nof two lines"])
      const edited = message(page, "first draft").getByText("edited")
      assert.match(await edited.getAttribute("title"), /^Edited .*\d/)
    }
    await bob.reload()
    assert.match(await message(bob, "first draft").getByText("edited").getAttribute("title"), /^Edited .*\d/)
  })

  it("keeps what was typed into an edit, whatever happens", async () => {
    const { at, id, path, ask } = await channel("typed")
    const page = await house.signedIn("Ty", { at })
    await say(page, "one")
    await say(page, "two")
    await message(page, "two").waitFor()
    const here = `/api/channels/id:${id}/messages`
    const idOf = (text) => message(page, text).getAttribute("data-id")
    const [one, two] = [await idOf("one"), await idOf("two")]
    const elsewhere = (method, message, body) =>
      page.evaluate(([it, at, text]) => fetch(at, {
        method: it, headers: { "Content-Type": "application/json" }, body: text && JSON.stringify({ text }),
      }).then(({ status }) => status), [method, `${here}/${message}`, body])

    await act(page, "two", "Edit")
    const field = page.getByRole("textbox", { name: "Text of the message" })
    await field.fill("two, longer")
    await page.route("**/messages/*", (route) => (route.request().method() === "PUT" ? route.abort() : route.fallback()))
    await page.keyboard.press("Enter")
    await page.getByText("Not saved: No connection to the server.").waitFor()
    assert.equal(await field.inputValue(), "two, longer")
    await page.unroute("**/messages/*")
    await field.fill("x".repeat(4_001))
    await page.getByText("1 character too many").waitFor()
    await page.keyboard.press("Enter")
    await field.fill("two, longer")
    assert.equal(await elsewhere("PUT", two, "two, from elsewhere"), 200)
    await page.getByText("changed elsewhere").waitFor()
    assert.equal(await field.inputValue(), "two, longer")
    await page.keyboard.press("Enter")
    await shows(page, ["one", "two, longer"])
    await field.waitFor({ state: "detached" })

    await act(page, "one", "Edit")
    await field.fill("one, with love")
    assert.equal(await elsewhere("DELETE", one), 204)
    await until("it is in the message box", async () => (await box(page).inputValue()) === "one, with love")
    await shows(page, ["two, longer"])

    // The server begins anew: all that is stored is told again.
    await act(page, "two", "Edit")
    await field.fill("two, unsaved")
    const told = await (await ask("GET", `${path}/${two}`)).json()
    await page.evaluate((detail) => {
      document.dispatchEvent(new CustomEvent("reset", { detail: { reason: "gap" } }))
      document.dispatchEvent(new CustomEvent("message", { detail }))
    }, told)
    await hasFocus("the field has the focus", field)
    assert.equal(await field.inputValue(), "two, unsaved")
  })

  it("is deleted at once, and brought back to its place for a while", async () => {
    const { at } = await channel("undo")
    const [ada, bob] = [await house.signedIn("Una", { at }), await house.signedIn("Udo", { at })]
    for (const text of ["goes", "stays", "last"]) await say(ada, text)
    await shows(bob, ["goes", "stays", "last"])
    await message(bob, "goes").hover()
    assert.equal(await bob.getByRole("button", { name: "Delete" }).count(), 0)
    await act(ada, "goes", "Delete")
    const undo = ada.getByRole("button", { name: /^Undo/ })
    await hasFocus("the undoing has the focus", undo)
    await shows(bob, ["stays", "last"])
    await until("it says how long", async () => /^\d+$/.test(await ada.locator(".undo__left").innerText()))
    await undo.click()
    await shows(bob, ["goes", "stays", "last"])
    await shows(ada, ["goes", "stays", "last"])
    await until("the line is gone", async () => (await ada.locator(".undo").count()) === 0)

    await act(ada, "goes", "Delete")
    await shows(bob, ["stays", "last"])
    await until("it can be undone", async () => (await ada.locator(".undo__left").innerText()) !== "")
    // However long the focus stays on it: it is deleted.
    await tooLateForUndo(ada)
    await shows(ada, ["stays", "last"])
    await hasFocus("the focus stays in the conversation", ada.getByRole("region", { name: /^Messages in/ }))
    await bob.reload()
    await shows(bob, ["stays", "last"])
  })

  it("is deleted when its author leaves at once, and comes back when it cannot be", async () => {
    const { at } = await channel("leaving")
    const [ada, bob] = [await house.signedIn("Lea", { at }), await house.signedIn("Leo", { at })]
    for (const text of ["one", "two", "three"]) await say(ada, text)
    await shows(bob, ["one", "two", "three"])
    await ada.route("**/messages/*", (route) => (route.request().method() === "DELETE" ? route.abort() : route.fallback()))
    await act(ada, "one", "Delete")
    await ada.getByText("Not deleted: No connection to the server.").waitFor()
    await until("it is back", () => message(ada, "one").getByText("one", { exact: true }).isVisible())
    await ada.unroute("**/messages/*")
    await act(ada, "two", "Delete")
    await ada.locator(".sidebar").getByRole("link", { name: "general" }).click()
    await shows(bob, ["one", "three"])
    await ada.goBack()
    await shows(ada, ["one", "three"])
    await act(ada, "three", "Delete")
    await ada.goto("/channels/general")
    await shows(bob, ["one"])
  })

  it("says why it cannot be brought back", async () => {
    const { at } = await channel("too-late")
    const ada = await house.signedIn("Late", { at })
    await say(ada, "gone")
    await ada.locator(".message[data-seq]").waitFor()
    await act(ada, "gone", "Delete")
    await until("it can be undone", async () => (await ada.locator(".undo__left").innerText()) !== "")
    await ada.route("**/restore", (route) => route.abort())
    await ada.getByRole("button", { name: /^Undo/ }).click()
    await ada.getByText("Not restored: No connection to the server.").waitFor()
    await ada.unroute("**/restore")
    await ada.getByRole("button", { name: /^Undo/ }).click()
    await shows(ada, ["gone"])
  })

  it("is deleted also by whoever created the channel", async () => {
    const page = await house.signedIn("Crea")
    const created = await page.request.post("/api/channels", { data: { name: "hers" } })
    assert.equal(created.status(), 201)
    await page.goto("/channels/hers")
    const guest = await house.signedIn("Gast", { at: "/channels/hers" })
    await say(guest, "rude")
    await act(page, "rude", "Delete")
    await shows(guest, [])
  })

  it("is answered by quoting it, as a line over the message box says, which can be dismissed", async () => {
    const { at, post } = await channel("reply")
    const { id } = await post("line one\nline **two**\nline three\nline four")
    await post("another one")
    const page = await house.signedIn("Rae", { at })
    const answering = page.getByRole("group", { name: "Answering" })
    await box(page).fill("typed before")
    await act(page, "another one", "Reply")
    await answering.getByText("another one").waitFor()
    await hasFocus("the message box has the focus", box(page))
    await page.keyboard.press("Escape")
    await answering.waitFor({ state: "hidden" })
    await act(page, "another one", "Reply")
    await answering.getByRole("button", { name: "Do not answer it" }).click()
    await answering.waitFor({ state: "hidden" })
    await hasFocus("the message box has the focus", box(page))

    await act(page, "line one", "Reply")
    await answering.getByText("Answering Script of reply").waitFor()
    assert.equal(await box(page).inputValue(), "typed before", "the box has one's own words alone")
    await page.locator(".sidebar").getByRole("link", { name: "general" }).click()
    await answering.waitFor({ state: "hidden" })
    await page.goBack()
    await answering.waitFor()
    await page.reload()
    await answering.getByText("Answering Script of reply").waitFor()
    await box(page).press("Enter")
    const reply = message(page, "typed before")
    await reply.locator("blockquote strong", { hasText: "two" }).waitFor()
    const link = `${house.url}${at}#message-${id}`
    assert.equal(await reply.getByRole("link", { name: "Script of reply" }).getAttribute("href"), link)
    const head = `> [Script of reply](${link}) wrote:`
    const text = await reply.getAttribute("data-text")
    assert.equal(text, `${head}\n> line one\n> line **two**\n> line three…\n\ntyped before`)
    await answering.waitFor({ state: "hidden" })
    await say(page, "and this answers nothing")
    await until("it is as it was written", async () => (await message(page, "and this").getAttribute("data-text")) === "and this answers nothing")
  })

  it("has an address that leads to it", async () => {
    const { at, post } = await channel("links")
    const { id } = await post("the one")
    const gone = `${house.url}${at}#message-gone`
    for (let n = 0; n < 40; n += 1) await post(`number ${n}`)
    await post(`look: [there](${house.url}${at}#message-${id}) or [nowhere](${gone}), not [far](https://example.org/)`)
    const page = await house.signedIn("Link", { at, permissions: ["clipboard-read", "clipboard-write"] })
    await act(page, "look:", "Copy link")
    await page.getByRole("status").getByText("Link copied.").waitFor()
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`^${house.url}${at}#message-`))
    await page.getByRole("link", { name: "there", exact: true }).click()
    const item = message(page, "the one")
    await hasFocus("the message has the focus", item)
    await until("it is in view", () => isInView(item))
    assert.equal(page.context().pages().length, 1)
    assert.equal(await page.getByRole("link", { name: "far" }).getAttribute("target"), "_blank")
    assert.equal(await page.getByRole("link", { name: "there", exact: true }).getAttribute("target"), null)

    await page.goto("/channels/general")
    await page.goto(`${at}#message-${id}`)
    await hasFocus("the message has the focus", item)
    await until("it is in view", () => isInView(item))
    await page.getByRole("button", { name: /Latest/ }).click()
    await page.getByRole("link", { name: "nowhere" }).click()
    await page.getByText("That message is no longer kept.").waitFor()
  })

  it("has the same address for both in a direct conversation", async () => {
    const [dora, dino] = [await house.signedIn("Dora"), await house.signedIn("Dino")]
    await dora.request.post("/api/channels/@Dino/messages", { data: { text: "just between us" } })
    await dora.goto("/channels/@Dino")
    await act(dora, "just between us", "Reply")
    await say(dora, "indeed")
    const [, link] = (await message(dora, "indeed").getAttribute("data-text")).match(/\((.*)\)/)
    assert.match(link, /\/channels\/id:\w+#message-/)
    await dino.goto(link)
    await hasFocus("the message has the focus", message(dino, "just between us").first())
    assert.equal(await dino.getByRole("heading", { level: 1 }).innerText(), "Dora")
  })

  it("is new to who comes back to the channel, which opens there", async () => {
    const { at, post } = await channel("news")
    await post("known")
    const page = await house.signedIn("Nell", { at })
    assert.equal(await page.locator(".news").count(), 0)
    await page.goto("/channels/general")
    for (let n = 0; n < 50; n += 1) await post(`new ${n}`)
    await page.goto(at)
    const line = page.getByRole("separator", { name: "New since your last visit" })
    await until("it is in view", () => isInView(line))
    assert.equal(await line.evaluate((it) => it.closest("li").nextElementSibling.querySelector(".message__text").innerText), "new 0")
    await page.getByRole("button", { name: /Latest/ }).click()
    await until("the end is in view", () => isInView(message(page, "new 49")))
    await until("all is read", async () => (await unreadIn(page, "news")) === 0)
    await page.reload()
    await until("the end is in view", () => isInView(message(page, "new 49")))
    assert.equal(await line.count(), 0)
  })

  it("is new to who looks at another tab meanwhile", async () => {
    const { at, post } = await channel("tab")
    await post("seen")
    const page = await house.signedIn("Tab", { at })
    await putAside(page, true)
    for (let n = 0; n < 40; n += 1) await post(`missed ${n}`)
    await putAside(page, false)
    await message(page, "missed 39").waitFor()
    const line = page.getByRole("separator")
    assert.equal(await line.evaluate((it) => it.closest("li").nextElementSibling.querySelector(".message__text").innerText), "missed 0")
    await page.getByRole("button", { name: "First new" }).click()
    await until("it is in view", () => isInView(line))
    await until("nothing points at it any more", () => page.getByRole("button", { name: "First new" }).isHidden())
  })

  it("is marked unread, and stays so", async () => {
    const { at, post } = await channel("unread")
    for (const text of ["one", "two", "three"]) await post(text)
    const page = await house.signedIn("Umi", { at })
    const unread = () => unreadIn(page, "unread")
    await until("all is read", async () => (await unread()) === 0)
    await act(page, "two", "Mark unread from here")
    await page.getByText("Marked unread from here.").waitFor()
    assert.equal(await page.getByRole("separator").evaluate((it) => it.closest("li").nextElementSibling.innerText.includes("two")), true)
    assert.equal(await unread(), 2)
    await page.locator(".message").first().hover()
    await putAside(page, true)
    await putAside(page, false)
    await post("four")
    await message(page, "four").waitFor()
    await until("what is looked at is read", async () => (await unread()) === 0)
    await act(page, "two", "Mark unread from here")
    await until("three are unread", async () => (await unread()) === 3)
    // What is looked at is being reported while one marks.
    const told = []
    page.on("request", (request) => request.url().endsWith("/read") && told.push(request))
    let report
    await page.route("**/read", async (route) => {
      await new Promise((go) => (report = go))
      await route.fallback()
    }, { times: 1 })
    const { id } = await post("five")
    await until("it is being reported", () => report)
    await act(page, "two", "Mark unread from here")
    report()
    await until("both are told", () => told.length === 2)
    await Promise.all(told.map((request) => request.response()))
    assert.equal(told[0].postDataJSON().message, id)
    assert.equal(await unread(), 4)
    await page.reload()
    assert.equal(await page.getByRole("separator").evaluate((it) => it.closest("li").nextElementSibling.innerText.includes("two")), true)
  })

  it("shows emoji large, lets code be copied, and marks who is named", async () => {
    const { at, post } = await channel("prose")
    await post("🚀🎉")
    await post("🚀 launch")
    await post("```\nlet it = be;\n```")
    const page = await house.signedIn("Prosa", { at, permissions: ["clipboard-read", "clipboard-write"] })
    const size = (text) => page.locator(".message__text p", { hasText: text }).first().evaluate((it) => parseFloat(getComputedStyle(it).fontSize))
    assert.ok((await size("🚀🎉")) > 2 * (await size("launch")))
    await page.locator(".code").hover()
    await page.locator(".code").getByRole("button", { name: "Copy" }).click()
    await page.getByText("Code copied.").waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "let it = be;\n")

    const quill = await house.signedIn("Quill", { at })
    await say(quill, "@Prosa, see #general")
    const named = message(page, "@Prosa, see")
    for (const drawn of ["as it arrives", "by the server"]) {
      await page.locator(".message[data-mention]", { hasText: "@Prosa, see" }).waitFor()
      assert.equal(await page.locator(".message[data-mention]").count(), 1, drawn)
      assert.equal(await named.getByRole("link", { name: "#general" }).getAttribute("target"), null, drawn)
      await page.reload()
    }
    await message(quill, "@Prosa, see").waitFor()
    assert.equal(await quill.locator(".message[data-mention]").count(), 0)
    await named.getByRole("link", { name: "#general" }).click()
    await page.waitForURL("**/channels/general")
  })

  it("shows its reactions, and offers nothing that needs a script, without one", async () => {
    const { at, post, ask, path } = await channel("plain")
    const { id } = await post("plain")
    await ask("PUT", `${path}/${id}/reactions/${encodeURIComponent("👍")}`)
    const page = await house.signedIn("Plain", { at, javaScriptEnabled: false })
    await page.getByRole("button", { name: "Script of plain reacted with 👍" }).waitFor()
    assert.equal(await page.getByRole("button", { name: "Message actions" }).count(), 0)
    assert.equal(await page.getByRole("dialog").count(), 0)
  })

  for (const { name, ...screen } of SCREENS) {
    it(`looks right in each state on ${name}`, async () => {
      const { at, path, ask, post } = await channel(`states-${name}`)
      const touch = screen.viewport === PHONE
      const others = [await house.script(`Grace ${name}`), await house.script(`أمل ${name}`), await house.script(`${name}-`.padEnd(32, "M"))]
      const { id } = await post("The window opens at **14:02 UTC**. Please check `telemetry -v`.")
      const react = (who, reaction) => who.ask("PUT", `${path}/${id}/reactions/${encodeURIComponent(reaction)}`)
      for (const who of others) await react(who, "👍")
      for (const reaction of ["🚀", "go for launch!!", "كل شيء جاهز", "M".repeat(16)]) await react(others[0], reaction)
      await post(`\`\`\`\nlet answer = ${"a_long_name_".repeat(12)};\n\`\`\``)
      const rtl = await (await others[1].ask("POST", path, { text: "جاهز" })).json()
      await others[1].ask("PUT", `${path}/${rtl.id}`, { text: "كل شيء جاهز للإطلاق" })
      await others[2].ask("POST", path, { text: "🚀🎉" })
      for (const text of ["Fuel is at ninety", "Guidance is ready"]) {
        const sent = await (await others[0].ask("POST", path, { text })).json()
        await others[0].ask("PUT", `${path}/${sent.id}`, { text: `${text}-nine percent` })
      }

      const page = await house.signedIn(`Guest on ${name}`, { at, ...screen })
      for (const text of ["Guidance is go.", "Two in a row."]) {
        await box(page).fill(text)
        await page.getByRole("button", { name: "Send" }).click()
        await message(page, text).waitFor()
      }
      await post(`@Guest on ${name}, ask @Grace ${name} in #general`)
      await message(page, "ask @Grace").waitFor()
      const named = await message(page, "ask @Grace").getAttribute("data-id")
      await page.request.put(`${path}/${named}/reactions/${encodeURIComponent("👀")}`)
      await page.getByRole("button", { name: "reacted with 👀" }).waitFor()
      const choose = async (text, action) => {
        if (!touch) return act(page, text, action)
        await press(page, message(page, text))
        await page.getByRole("toolbar").getByText(action).tap()
      }
      const state = (what) => looksRight(page, `${what}-${name}`)

      if (touch) await press(page, message(page, "Two in a row."))
      else await message(page, "Two in a row.").hover()
      await state("actions")
      await page.keyboard.press("Escape")
      await choose("Two in a row.", "React")
      await page.getByLabel("Any emoji, or up to 16 characters").fill("far too long to be a reaction")
      await page.getByRole("button", { name: "Add" }).click()
      await page.locator(".picker").getByRole("alert").getByText(/up to 16/).waitFor()
      await state("picker")
      await page.keyboard.press("Escape")
      await choose("Two in a row.", "Edit")
      await page.getByRole("textbox", { name: "Text of the message" }).fill("")
      await page.getByRole("button", { name: "Save", exact: true }).click()
      await page.getByText("Not saved").waitFor()
      await state("edit")
      await page.getByRole("button", { name: "Cancel" }).click()
      await choose("Guidance is ready", "Mark unread from here")
      await page.getByRole("separator").waitFor()
      await choose("Guidance is go.", "Delete")
      await page.getByText("Message deleted.").waitFor()
      await state("undo")
      // Looking at it takes some machines longer than it can be undone.
      await tooLateForUndo(page)
      await choose("Guidance is ready", "Reply")
      await state("reply")
      await page.emulateMedia({ reducedMotion: "reduce" })
      await page.evaluate((first) => (location.hash = `message-${first}`), id)
      await page.locator(".message[data-linked]").waitFor()
      await state("linked")
    })
  }
})
