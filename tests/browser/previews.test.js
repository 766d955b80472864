// Previews of links: how they come, what they are made of, and that their author hides them for everybody.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { faults, House, PREVIEWING, say, SCREENS, site, until } from "./house.js"
import { png, slope } from "./samples.js"

describe("previews", () => {
  let house
  let pages
  before(async () => {
    house = await House.start(PREVIEWING)
    pages = await site({
      "/news": '<title>News</title><meta property="og:site_name" content="The Site"><meta property="og:description" content="All about it"><meta property="og:image" content="/i.png">',
      "/bare": "<title>Bare</title>",
      "/i.png": png(1200, 630, slope(240)),
    })
  })
  after(async () => {
    pages.close()
    await house.close()
  })

  const preview = (page, title) => page.getByRole("link", { name: new RegExp(title) })

  for (const { name, ...screen } of SCREENS) {
    it(`come after their message, and nothing moves when the picture does (${name})`, async () => {
      const { at, token } = await house.channel(`come-${name}`)
      const page = await house.signedIn(`Nora ${name}`, { at, token, ...screen })
      const requests = []
      page.on("request", (request) => requests.push(request.url()))
      await say(page, `look: ${pages.url}/news`)
      const card = preview(page, "News")
      await card.waitFor()
      assert.equal(await card.getAttribute("href"), `${pages.url}/news`)
      assert.equal(await card.innerText(), "127.0.0.1 · The Site\nNews\nAll about it")
      const picture = card.locator("img")
      await until("its picture", () => picture.evaluate((it) => it.complete && it.naturalWidth === 1200))
      assert.ok(requests.every((url) => url.startsWith(house.url) || url.startsWith("data:") || url.startsWith("blob:")), requests.join())
      // As high before the picture is there.
      const height = (await card.boundingBox()).height
      await picture.evaluate((it) => it.removeAttribute("src"))
      assert.equal((await card.boundingBox()).height, height)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it fits")
      const end = page.locator(".conversation__scroll")
      assert.ok(await end.evaluate((it) => Math.abs(it.scrollTop) < 2), "the end stays in view")
      assert.deepEqual(await faults(page), [])
    })
  }

  it("are hidden by their author for everybody, and come again", async () => {
    const { at } = await house.channel("hidden")
    const [ada, bob] = [await house.newcomer("Ada", { at }), await house.newcomer("Bob", { at })]
    await say(ada, `${pages.url}/bare`)
    for (const page of [ada, bob]) await preview(page, "Bare").waitFor()
    const button = (page, name) => page.getByRole("button", { name, exact: true })
    assert.equal(await button(bob, "Hide preview").count(), 0, "it is not his")
    await button(ada, "Hide preview").click()
    for (const page of [ada, bob]) await preview(page, "Bare").waitFor({ state: "detached" })
    assert.equal(await bob.getByRole("group", { name: "Previews" }).count(), 0)
    await ada.reload()
    await button(ada, "Show preview").click()
    for (const page of [ada, bob]) await preview(page, "Bare").waitFor()
    await button(ada, "Hide preview").waitFor()
    // By keys: what is in a message is reached from it.
    await ada.locator(".message").last().focus()
    for (let n = 0; n < 10 && !(await button(ada, "Hide preview").evaluate((it) => it === document.activeElement)); n += 1) await ada.keyboard.press("Tab")
    await ada.keyboard.press("Enter")
    await preview(bob, "Bare").waitFor({ state: "detached" })
    assert.ok(await ada.evaluate(() => document.activeElement?.closest(".message") !== null), "the focus stays in the message")
  })

  it("say why they cannot be hidden", async () => {
    const { at } = await house.channel("refused")
    const page = await house.newcomer("Rita", { at })
    await say(page, `${pages.url}/bare`)
    await page.route("**/previews", (route) => route.abort())
    await page.getByRole("button", { name: "Hide preview" }).click()
    await page.getByText("No connection to the server.").waitFor()
    assert.ok(await preview(page, "Bare").isVisible())
  })
})
