// The app fills the window and stays there: its lists scroll, the document never does.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, PHONE, standsStill, TABLET, until } from "./house.js"

const CHANNELS = 60
const CONVERSATIONS = 40

describe("the document", () => {
  let house
  let maker
  before(async () => {
    house = await House.start()
    maker = await house.script("Maker")
    for (let n = 0; n < CHANNELS; n += 1) await maker.ask("POST", "/api/channels", { name: `many-${String(n).padStart(2, "0")}` })
  })
  after(() => house.close())

  /** A channel with many messages, some long: where to go and how. */
  const full = async (name) => {
    const { at, post } = await house.channel(name)
    const said = []
    for (let n = 0; n < 40; n += 1) said.push(await post(`Telemetry ${n}: ${"all within limits. ".repeat(n % 7)}`))
    return { at, said }
  }
  /** Somebody to whom many have written. */
  const popular = async (name) => {
    const user = await house.script(name)
    for (let n = 0; n < CONVERSATIONS; n += 1) await user.ask("POST", `/api/channels/@${encodeURIComponent(user.user.display_name)}/messages`, { text: "note" })
    return user
  }
  const isInView = (locator) =>
    locator.evaluate((it) => {
      const { top, bottom } = it.getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight && it.contains(document.elementFromPoint(innerWidth > 740 ? 60 : innerWidth / 2, (top + bottom) / 2))
    })

  for (const [name, screen] of [["desktop", { viewport: DESKTOP }], ["tablet", { viewport: TABLET }], ["phone", { viewport: PHONE, hasTouch: true, isMobile: true }]]) {
    it(`stands still with ${CHANNELS} channels and ${CONVERSATIONS} conversations, ${name}`, async () => {
      const { at, said } = await full(`still-${name}`)
      const { token } = await house.script(`Still ${name}`)
      const others = await Promise.all(Array.from({ length: CONVERSATIONS }, (_, n) => house.script(`Friend ${n} of ${name}`)))
      for (const other of others) await other.ask("POST", `/api/channels/@${encodeURIComponent(`Still ${name}`)}/messages`, { text: "hello" })
      const page = await house.signedIn(`Still ${name}`, { at, token, ...screen })
      const still = (what) => standsStill(page, `${what} (${name})`)
      await still("at first")
      const room = await page.locator(".conversation").evaluate((it) => it.clientHeight - it.scrollHeight)
      assert.equal(room, 0, "nor has the conversation more than fits, but in its list")

      await page.goto(`${at}#message-${said[3].id}`)
      await page.locator(".message[data-linked]").waitFor()
      await still("at a message that an address leads to")

      // The wheel over what does not scroll, forth and back.
      const { x, y, width } = await page.locator(".conversation__head").boundingBox()
      for (const by of [400, -400]) {
        if (!screen.isMobile) {
          await page.mouse.move(x + width / 2, y + 10)
          await page.mouse.wheel(0, by)
        }
        await page.evaluate((by) => scrollBy(0, by), by)
        await still(`after the wheel went ${by} px over the header`)
      }

      // The focus walks through all there is.
      for (const key of ["Tab", "Shift+Tab"]) {
        for (let presses = 0; presses < CHANNELS + CONVERSATIONS; presses += 1) await page.keyboard.press(key)
        await still(`after ${key}`)
      }
      // And goes at once to what is far down, as a reader's search does.
      for (const selector of [".sidebar__me summary", ".channel-link >> nth=-1", ".message >> nth=0", ".composer__send"]) {
        await page.locator(selector).evaluate((it) => {
          it.scrollIntoView()
          it.focus()
        })
        await still(`at ${selector}`)
      }
      for (const details of await page.locator("details").all()) await details.evaluate((it) => (it.open = true))
      await still("with everything open")
      if (screen.isMobile) {
        await page.goto(`${at}#channels`)
        await still("in the sidebar")
      }
    })
  }

  it("has the open channel in view in a long sidebar, also on Back and where it is among conversations", async () => {
    const { token } = await house.script("Viewer")
    const page = await house.signedIn("Viewer", { at: "/channels/many-59", token })
    const current = page.locator(".channel-link[aria-current]")
    await until("the last one is in view", () => isInView(current))
    await standsStill(page, "with the last one open")
    await page.goto("/channels/general")
    await until("the first one is in view", () => isInView(current))
    await page.goBack()
    await until("it is in view again", () => isInView(current))
    await page.goto("/channels/@Maker")
    await page.getByRole("textbox", { name: /^Message/ }).fill("psst")
    await page.keyboard.press("Enter")
    await page.locator(".message[data-seq]").waitFor()
    await page.reload()
    await until("the conversation is in view", () => isInView(current))

    const phone = await house.signedIn("Viewer", { at: "/channels/many-59", token, viewport: PHONE, hasTouch: true, isMobile: true })
    await phone.getByRole("link", { name: /^Channels/ }).click()
    await until("it is in view on a phone", () => isInView(phone.locator(".channel-link[aria-current]")))
  })

  it("loses nothing where the window is lower than what must be there", async () => {
    const { at } = await full("low")
    const page = await house.signedIn("Lowell", { at, viewport: { width: 320, height: 200 } })
    await page.getByRole("textbox", { name: /^Message/ }).fill("line\n".repeat(30))
    const send = page.getByRole("button", { name: "Send", exact: true })
    await send.scrollIntoViewIfNeeded()
    await standsStill(page, "in a low window")
    await send.click()
    await page.locator(".message[data-own][data-seq]").waitFor()
  })
})
