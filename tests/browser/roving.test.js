// The messages are one stop of the Tab key, with arrows inside.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { goOffline, House, isSound, say, shoot, until } from "./house.js"

describe("the list of messages", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const box = (page) => page.getByRole("textbox", { name: /^Message/ })
  const message = (page, text) => page.locator(".message", { hasText: text })
  const focused = (locator) => locator.evaluate((it) => it === document.activeElement)
  const hasFocus = (what, locator) => until(what, () => focused(locator))
  const isInView = (locator) =>
    locator.evaluate((it) => {
      const view = it.closest(".conversation__scroll").getBoundingClientRect()
      const own = it.getBoundingClientRect()
      return own.top >= view.top - 1 && own.bottom <= view.bottom + 1
    })
  const filled = async (name, texts) => {
    const { at, post, ask, path } = await house.channel(name)
    for (const text of texts) await post(text)
    return { at, post, ask, path }
  }
  /** Goes back to the messages by the Tab key. */
  const toList = (page) =>
    until("the focus is among the messages", async () => {
      await page.keyboard.press("Shift+Tab")
      return page.evaluate(() => document.activeElement.matches(".conversation__list *"))
    })
  /** How many stops the Tab key makes among messages, from the message box to what is above them. */
  const stops = async (page) => {
    await box(page).focus()
    let count = 0
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Shift+Tab")
      if (await page.evaluate(() => document.activeElement.matches(".conversation__list *, .conversation__scroll"))) count += 1
      else if (count > 0) return count
    }
    return count
  }

  it("is one stop, whatever is in the messages", async () => {
    const { at, ask, path } = await filled("one-stop", [
      "see https://example.org and [there](https://a.example/)", "```\ncode\n```", "| a |\n|---|\n| 1 |", "- [ ] to do", "@here #general", "last https://example.org/last",
    ])
    const { messages } = await (await ask("GET", path)).json()
    for (const { id } of messages) await ask("PUT", `${path}/${id}/reactions/${encodeURIComponent("👍")}`)
    const page = await house.signedIn("Onno", { at })
    assert.equal(await stops(page), 1)
    await page.locator(".message").first().hover()
    assert.equal(await stops(page), 1, "with the actions at hand")
    // Also of what came later.
    await ask("POST", path, { text: "new https://example.org/new `code`\n\n```\nmore\n```" })
    await message(page, "new https").waitFor()
    assert.equal(await stops(page), 1)
    await isSound(page, "with the list as one stop")
  })

  it("is walked with arrows, Home and End, each message in view", async () => {
    const { at } = await filled("walk", Array.from({ length: 60 }, (_, n) => `number ${n}.`))
    const page = await house.signedIn("Wally", { at })
    await box(page).focus()
    await toList(page)
    const is = async (n) => {
      await hasFocus(`number ${n} has the focus`, message(page, `number ${n}.`))
      await until(`number ${n} is in view`, () => isInView(message(page, `number ${n}.`)))
    }
    await is(59)
    for (const [key, n] of [["ArrowDown", 59], ["ArrowUp", 58], ["ArrowUp", 57], ["Home", 0], ["ArrowUp", 0], ["ArrowDown", 1], ["End", 59]]) {
      await page.keyboard.press(key)
      await is(n)
    }
    for (let n = 58; n > 20; n -= 1) await page.keyboard.press("ArrowUp")
    await is(21)
    await shoot(page, "roving")
    await isSound(page, "a message with the focus")
    // Tab leads through it, leaves it and comes back to it.
    await page.keyboard.press("Tab")
    await hasFocus("the author has the focus", message(page, "number 21.").getByRole("link"))
    await page.keyboard.press("Tab")
    assert.equal(await page.evaluate(() => document.activeElement.closest(".message")), null)
    await toList(page)
    await is(21)
    // Saying something is being at the end again.
    await say(page, "the end")
    await toList(page)
    await hasFocus("what was said has the focus", message(page, "the end"))
  })

  it("leads to the actions with Enter and →, and back with Escape", async () => {
    const { at } = await filled("actions", ["one", "two", "three"])
    const page = await house.signedIn("Enno", { at })
    await box(page).focus()
    await toList(page)
    await page.keyboard.press("ArrowUp")
    for (const key of ["Enter", "ArrowRight"]) {
      await page.keyboard.press(key)
      await hasFocus("the first action has the focus", message(page, "two").getByRole("button", { name: "React", exact: true }))
      await page.keyboard.press("ArrowRight")
      await hasFocus("arrows lead on", message(page, "two").getByRole("button", { name: "Reply" }))
      await page.keyboard.press("ArrowLeft")
      await page.keyboard.press("ArrowLeft")
      await page.keyboard.press("Escape")
      await hasFocus("the message has it again", message(page, "two"))
    }
    await page.keyboard.press("Escape")
    await hasFocus("and then the message box", box(page))
  })

  it("leaves arrows to what is in a message, which Tab reaches", async () => {
    const { at, ask } = await filled("nested", ["first", `[a link](https://example.org/) and\n\n\`\`\`\nlet a = ${"a_long_name_".repeat(40)};\n\`\`\``, "last"])
    const page = await house.signedIn("Nestor", { at })
    const { messages } = await (await ask("GET", "/api/channels/nested/messages")).json()
    const react = async (reaction) => {
      await ask("PUT", `/api/channels/nested/messages/${messages[1].id}/reactions/${encodeURIComponent(reaction)}`)
      await page.getByRole("button", { name: `reacted with ${reaction}` }).waitFor()
    }
    await react("👍")
    await box(page).focus()
    await toList(page)
    await page.keyboard.press("ArrowUp")
    // Its author first.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    const link = page.getByRole("link", { name: "a link" })
    await hasFocus("the link has the focus", link)
    for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]) {
      await page.keyboard.press(key)
      assert.ok(await focused(link), `${key} is the link's`)
    }
    await page.keyboard.press("Tab")
    const code = page.locator(".message pre")
    await hasFocus("the code has the focus", code)
    for (let times = 0; times < 5; times += 1) await page.keyboard.press("ArrowRight")
    await until("it is scrolled", () => code.evaluate((it) => it.scrollLeft > 0))
    assert.ok(await focused(code))
    // Also when reactions come meanwhile.
    await react("🎉")
    assert.ok(await focused(code))
    await page.keyboard.press("Escape")
    await hasFocus("the message has it again", message(page, "a link"))
    await page.keyboard.press("ArrowDown")
    await hasFocus("the next one has it", message(page, "last"))
  })

  it("tells what a message says when it has the focus, also after an edit", async () => {
    const { at, ask, path } = await filled("named", ["one", "what *it* says"])
    const page = await house.signedIn("Nomi", { at })
    await box(page).focus()
    await toList(page)
    await page.getByRole("listitem", { name: /^Script of named \d{1,2}:\d{2}.* what it says$/ }).waitFor()
    const { messages } = await (await ask("GET", path)).json()
    await ask("PUT", `${path}/${messages[1].id}`, { text: "something else" })
    await page.getByRole("listitem", { name: /^Script of named .* something else$/ }).waitFor()
    assert.ok(await focused(message(page, "something else")))
  })

  it("scrolls what is higher than the view before it goes on", async () => {
    const { at } = await filled("high", ["above", "line\n".repeat(120), "below"])
    const page = await house.signedIn("Hile", { at })
    await box(page).focus()
    await toList(page)
    await page.keyboard.press("ArrowUp")
    const high = message(page, "line")
    await hasFocus("the high one has the focus", high)
    const top = () => high.evaluate((it) => it.getBoundingClientRect().top)
    const before = await top()
    await page.keyboard.press("ArrowUp")
    await until("it is scrolled", async () => (await top()) > before)
    assert.ok(await focused(high))
    await until("the top comes", async () => {
      await page.keyboard.press("ArrowUp")
      return focused(message(page, "above"))
    })
  })

  it("keeps the focus where messages go, and offers what can be done with one that is not sent", async () => {
    const { at, ask, path } = await filled("goes", ["one", "two"])
    const page = await house.signedIn("Gota", { at })
    await goOffline(page)
    await say(page, "not sent")
    await page.getByText("Not sent:").waitFor()
    await toList(page)
    await hasFocus("it has the focus", message(page, "not sent"))
    await page.keyboard.press("Enter")
    await until("one can do something about it", () => page.evaluate(() => document.activeElement.matches(".message__failure button")))
    await page.keyboard.press("Escape")
    await hasFocus("it has the focus again", message(page, "not sent"))
    await page.context().setOffline(false)
    await page.evaluate(() => dispatchEvent(new Event("online")))
    await until("it is sent", async () => (await page.locator(".message[data-own][data-seq]").count()) === 1)
    assert.ok(await focused(message(page, "not sent")))
    await page.keyboard.press("ArrowUp")
    const { messages } = await (await ask("GET", path)).json()
    await ask("DELETE", `${path}/${messages[1].id}`)
    await until("it is gone", async () => (await message(page, "two").count()) === 0)
    await until("the focus is still in the conversation", () => page.evaluate(() => document.activeElement.matches(".conversation__scroll")))
  })
})
