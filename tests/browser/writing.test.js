// What is made easier while one writes: emoji by their shortcodes, and undoing.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, isSound, looksRight, say, SCREENS, shows, until } from "./house.js"

describe("writing", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const box = (page) => page.locator("#text")
  const emoji = (page) => page.getByRole("listbox", { name: "Emoji" }).getByRole("option")
  const holds = (page, expected) =>
    until(`the box holds ${JSON.stringify(expected)}`, async () => {
      assert.equal(await box(page).inputValue(), expected)
      return true
    })

  it("completes an emoji by the keys alone, best first, and undoes it", async () => {
    const { at } = await house.channel("emoji")
    const page = await house.signedIn("Emma", { at })
    const asked = []
    page.on("request", (request) => asked.push(request.url()))
    const lists = () => asked.filter((url) => url.endsWith("/emoji.json")).length
    await box(page).pressSequentially("at 10:30 see https://a.example :) so ")
    assert.equal(await emoji(page).count(), 0)
    assert.equal(lists(), 0)
    await box(page).pressSequentially(":tad")
    await emoji(page).first().waitFor()
    assert.match(await emoji(page).first().innerText(), /🎉\s*:tada:\s*party_popper/)
    assert.equal(await box(page).getAttribute("aria-expanded"), "true")
    // A <textarea> should have no other role, but only a combobox can say that it has a list.
    await isSound(page, "the list of emoji", ["aria-allowed-role"])
    await page.keyboard.press("Enter")
    const before = "at 10:30 see https://a.example :) so "
    await holds(page, `${before}🎉`)
    assert.equal(await emoji(page).count(), 0)

    await page.keyboard.press("Control+z")
    await holds(page, `${before}:tad`)
    await page.keyboard.press("Control+z")
    await until("what was typed before is undone, too", async () => (await box(page).inputValue()).length < before.length + 4)
    await page.keyboard.press("Control+Shift+z")
    await page.keyboard.press("Control+Shift+z")
    await holds(page, `${before}🎉`)

    await box(page).fill(":hear")
    await emoji(page).first().waitFor()
    await page.keyboard.press("ArrowDown")
    const second = await page.getByRole("option", { selected: true }).locator(".completion__sign").innerText()
    await page.keyboard.press("Tab")
    await holds(page, second)
    await box(page).pressSequentially(":xyzzy")
    await page.keyboard.press("Enter")
    await shows(page, [`${second}:xyzzy`])
    assert.equal(lists(), 1)
  })

  it("makes an emoji of a whole shortcode at its closing colon, at once, and not again when that is undone", async () => {
    const { at } = await house.channel("closing")
    const page = await house.signedIn("Cloe", { at })
    await box(page).pressSequentially("done :tada:")
    await holds(page, "done 🎉")
    await box(page).pressSequentially(":+1::X:")
    await holds(page, "done 🎉👍❌")
    await page.keyboard.press("Control+z")
    await holds(page, "done 🎉👍:X:")
    await box(page).pressSequentially(" 10:30: std::cat: :nothing_of_this:")
    await holds(page, "done 🎉👍:X: 10:30: std::cat: :nothing_of_this:")
  })

  it("undoes a name that was completed", async () => {
    const { at } = await house.channel("undone")
    await house.script("Undine")
    const page = await house.signedIn("Ulf", { at })
    await box(page).pressSequentially("hi @Und")
    await page.getByRole("listbox", { name: "People" }).getByRole("option").first().waitFor()
    await page.keyboard.press("Tab")
    await holds(page, "hi @Undine ")
    await page.keyboard.press("Control+z")
    await holds(page, "hi @Und")
    await page.keyboard.press("Escape")
    await box(page).pressSequentially("ine")
    await page.keyboard.press("Enter")
    await shows(page, ["hi @Undine"])
  })

  it("undoes in the form of an edit what was typed there, and no more", async () => {
    const { at } = await house.channel("edit-undo")
    const page = await house.signedIn("Edna", { at })
    await say(page, "as :X: it was")
    await page.locator(".message[data-seq]").waitFor()
    await page.keyboard.press("ArrowUp")
    const field = page.getByRole("textbox", { name: "Text of the message" })
    await page.keyboard.type(" not")
    for (let times = 0; times < 3; times += 1) await page.keyboard.press("Control+z")
    assert.equal(await field.inputValue(), "as :X: it was")
  })

  it("completes a name right after a word of a script without spaces, and after another name", async () => {
    const { at } = await house.channel("scripts")
    await house.script("Tomo")
    await house.script("Norio")
    const page = await house.signedIn("Sora", { at })
    for (const [typed, expected] of [["ありがとう@Tom", "ありがとう@Tomo "], ["ขอบคุณ＠Tom", "ขอบคุณ＠Tomo "], ["@Tomo@Nor", "@Tomo@Norio "]]) {
      await box(page).pressSequentially(typed)
      await page.getByRole("listbox", { name: "People" }).getByRole("option").first().waitFor()
      await page.keyboard.press("Tab")
      await holds(page, expected)
      await box(page).fill("")
    }
  })

  it("offers @here in a channel, after people", async () => {
    const { at } = await house.channel("everybody")
    await house.script("Hermine")
    const page = await house.signedIn("Hal", { at })
    await box(page).pressSequentially("@he")
    await until("both are offered", async () => {
      assert.deepEqual(await page.locator(".completion__name").allInnerTexts(), ["Hermine", "here"])
      return true
    })
    await page.goto("/channels/@Hermine")
    await box(page).pressSequentially("@he")
    await page.getByRole("option", { name: /Hermine/ }).waitFor()
    assert.equal(await page.locator(".completion").count(), 1)
  })

  it("takes a shortcode as a reaction", async () => {
    const { at, post, path, ask } = await house.channel("reacting")
    const { id } = await post("well done")
    const page = await house.signedIn("Rhea", { at })
    await page.locator(".message", { hasText: "well done" }).hover()
    await page.getByRole("button", { name: "React", exact: true }).click()
    await page.getByLabel(/^Any emoji/).fill(":Party-Popper:")
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: /reacted with 🎉/ }).waitFor()
    // The page shows it before the server knows it.
    await until("the server knows it", async () => {
      const { reactions } = await (await ask("GET", `${path}/${id}`)).json()
      return reactions.map(({ reaction }) => reaction).join() === "🎉"
    })
  })

  for (const { name, ...screen } of SCREENS) {
    it(`looks right on ${name}`, async () => {
      const { at } = await house.channel(`emoji-${name}`)
      const page = await house.signedIn(`Emil ${name}`, { at, ...screen })
      await say(page, "hello")
      await box(page).pressSequentially(":heart")
      await emoji(page).first().waitFor()
      await looksRight(page, `emoji-${name}`, ["aria-allowed-role"])
    })
  }
})
