// Many tabs of one browser, which has six connections to a server in all.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, until } from "./house.js"

const TABS = 20

describe("the tabs of one browser", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  /** Counts the streams that a tab has open, and lets it be put aside as a browser does. */
  const instrument = () => {
    const open = new Set()
    window.openStreams = () => [...open].map(({ url }) => new URL(url).pathname)
    window.EventSource = class extends EventSource {
      constructor(url) {
        super(url)
        open.add(this)
      }
      close() {
        super.close()
        open.delete(this)
      }
    }
    let hidden = false
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden })
    window.putAside = (now) => {
      hidden = now
      document.dispatchEvent(new Event("visibilitychange"))
    }
  }
  const streams = (page) => page.evaluate(() => window.openStreams())
  const everywhere = async (pages) => (await Promise.all(pages.map(streams))).flat().filter((path) => path === "/api/events")

  /** Tabs of somebody, each at a channel of its own, the last one in front. */
  const tabsOf = async (name, count) => {
    const script = await house.script(`Script of ${name}`)
    const { token } = await house.script(name)
    const profile = await house.profile()
    await profile.addInitScript(instrument)
    await profile.addCookies([{ name: "session", value: token, url: house.url }])
    const tabs = []
    for (let n = 0; n < count; n += 1) {
      const channel = `${name.toLowerCase()}-${n}`
      await script.ask("POST", "/api/channels", { name: channel })
      await tabs.at(-1)?.page.evaluate(() => window.putAside(true))
      const page = await profile.newPage()
      await page.goto(`/channels/${channel}`)
      await page.locator("form.composer[novalidate]").waitFor()
      tabs.push({ channel, page })
    }
    const isAt = async (channel) => {
      const { online } = await (await script.ask("GET", `/api/channels/${channel}`)).json()
      return online.some(({ display_name }) => display_name === name)
    }
    return { script, tabs, isAt }
  }

  it("share one stream of everything, and only the one in front listens to its channel", async () => {
    const { script, tabs, isAt } = await tabsOf("Tabea", TABS)
    const front = tabs.at(-1)
    await until("the one in front listens", async () => (await streams(front.page)).length === 2)
    for (const { page } of tabs.slice(0, -1)) assert.deepEqual(await streams(page), [])
    await until("the server sees it so", async () => {
      const at = []
      for (const { channel } of tabs) if (await isAt(channel)) at.push(channel)
      return at.length === 1 && at[0] === front.channel
    })

    for (const { channel } of tabs) await script.ask("POST", `/api/channels/${channel}/messages`, { text: `to ${channel}` })
    await front.page.getByText(`to ${front.channel}`).waitFor()
    const links = front.page.locator(".channel-link[data-unread]")
    await until("the others are unread", async () => (await links.count()) === TABS - 1)
    for (const { channel, page } of tabs.slice(0, -1)) {
      await page.evaluate(() => window.putAside(false))
      await page.getByText(`to ${channel}`).waitFor()
      await until(`${channel} listens again`, async () => (await streams(page)).some((path) => path.includes("/channels/")))
      await page.evaluate(() => window.putAside(true))
    }
  })

  it("pass the stream of everything on, and miss nothing by that", async () => {
    const { script, tabs } = await tabsOf("Pass", 3)
    const [first, second, third] = tabs.map(({ page }) => page)
    // Three windows side by side.
    for (const page of [first, second]) await page.evaluate(() => window.putAside(false))
    const pages = [first, second, third]
    await until("one has it for all", async () => (await everywhere(pages)).length === 1)
    await script.ask("POST", "/api/channels", { name: "while-shared" })
    for (const page of pages) await page.getByRole("link", { name: /while-shared/ }).waitFor()

    const leader = (await Promise.all(pages.map(streams))).findIndex((open) => open.includes("/api/events"))
    await pages[leader].close()
    const left = pages.filter((_, at) => at !== leader)
    await script.ask("POST", "/api/channels", { name: "when-it-was-closed" })
    for (const page of left) await page.getByRole("link", { name: /when-it-was-closed/ }).waitFor()
    assert.equal((await everywhere(left)).length, 1)

    // Nobody looks; then somebody does.
    for (const page of left) await page.evaluate(() => window.putAside(true))
    await until("nobody listens", async () => (await everywhere(left)).length === 0)
    await script.ask("POST", "/api/channels", { name: "when-nobody-looked" })
    await left[1].evaluate(() => window.putAside(false))
    for (const page of left) await page.getByRole("link", { name: /when-nobody-looked/ }).waitFor()
  })

  it("each have their own where tabs cannot agree", async () => {
    const { token } = await house.script("Lone")
    const profile = await house.profile()
    await profile.addInitScript(instrument)
    await profile.addInitScript(() => Object.defineProperty(navigator, "locks", { value: undefined }))
    await profile.addCookies([{ name: "session", value: token, url: house.url }])
    const pages = [await profile.newPage(), await profile.newPage()]
    for (const page of pages) await page.goto("/channels/general")
    await until("each has its own", async () => (await everywhere(pages)).length === 2)
  })
})
