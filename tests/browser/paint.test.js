// The first paint: what the server drew is what there is after all scripts ran, dot for dot.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, House, listens, PHONE, shoot, until } from "./house.js"

const WIDTHS = [
  { name: "desktop", viewport: DESKTOP },
  { name: "tablet", viewport: { width: 834, height: 1112 } },
  { name: "phone", viewport: PHONE, hasTouch: true, isMobile: true },
]
const TABLE = "| stage | thrust |\n| :-- | --: |\n| first | 7,607 kN |"

/** How many dots of two pictures differ, and where the first and last of them are. */
function compared(page, one, other) {
  return page.evaluate(async (sources) => {
    const [a, b] = await Promise.all(sources.map(async (source) => {
      const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${source}`)).blob())
      const pen = new OffscreenCanvas(picture.width, picture.height).getContext("2d")
      pen.drawImage(picture, 0, 0)
      return pen.getImageData(0, 0, picture.width, picture.height)
    }))
    let dots = 0
    const [xs, ys] = [[Infinity, -1], [Infinity, -1]]
    for (let at = 0; at < a.data.length; at += 4) {
      // A layer of its own has other edges of glyphs and corners: that nobody can see.
      if ([0, 1, 2].every((channel) => Math.abs(a.data[at + channel] - b.data[at + channel]) < 48)) continue
      dots += 1
      const [x, y] = [(at / 4) % a.width, Math.floor(at / 4 / a.width)]
      xs[0] = Math.min(xs[0], x)
      xs[1] = Math.max(xs[1], x)
      ys[0] = Math.min(ys[0], y)
      ys[1] = Math.max(ys[1], y)
    }
    // Fewer than a letter has.
    return dots < 8 ? "the same" : `${dots} dots, from ${xs[0]},${ys[0]} to ${xs[1]},${ys[1]}`
  }, [one, other].map((bytes) => bytes.toString("base64")))
}

const PLACES = [
  ["channel", "/channels/launch"], ["far-down", "/channels/place-20"], ["direct", "/channels/@Bob"],
  ["notes", "/channels/@Reader"], ["welcome", "/channels/general"],
]

describe("the first paint", () => {
  let house
  let token
  before(async () => {
    house = await House.start()
    const [ada, bob] = [await house.script("Ada Lovelace"), await house.script("Bob")]
    const reader = await house.script("Reader")
    token = reader.token
    await ada.ask("POST", "/api/channels", { name: "launch", topic: "Countdown, weather, go or no go." })
    for (let n = 0; n < 40; n += 1) {
      const name = `place-${String(n).padStart(2, "0")}`
      await ada.ask("POST", "/api/channels", { name })
      if (n < 25) await reader.ask("POST", `/api/channels/${name}/messages`, { text: "here" })
    }
    await reader.ask("PATCH", "/api/channels/place-03/mine", { starred: true })
    await bob.ask("POST", "/api/channels/@Reader/messages", { text: "hello" })
    await bob.ask("POST", "/api/channels/place-01/messages", { text: "@Reader, look" })
    const say = async ({ ask }, text) => (await ask("POST", "/api/channels/launch/messages", { text })).json()
    for (let n = 0; n < 20; n += 1) await say([ada, bob][n % 2], `number ${n}, of ${"some words ".repeat(n)}`)
    const { id } = await say(ada, "The window opens at **14:02 UTC**, @Reader: see #place-02 and https://example.org/x")
    for (const who of [bob, reader]) await who.ask("PUT", `/api/channels/launch/messages/${id}/reactions/👍`)
    await say(ada, TABLE)
    await say(bob, "```rust\nfn main() {}\n```\n\n- [x] fuel\n- [ ] guidance")
    await say(bob, "🎉")
    const edited = await say(reader, "mine")
    await reader.ask("PUT", `/api/channels/launch/messages/${edited.id}`, { text: "mine, edited" })
    await reader.ask("PUT", "/api/channels/launch/read", { message: edited.id })
  })
  after(() => house.close())

  for (const { name, ...screen } of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      it(`is the last one on ${name}, ${colorScheme}`, async () => {
        const differing = []
        const profile = await house.profile({ ...screen, colorScheme, reducedMotion: "reduce" })
        await profile.addCookies([{ name: "session", value: token, url: house.url, httpOnly: true, sameSite: "Lax" }])
        const page = await profile.newPage()
        const blank = await profile.newPage()
        const picture = () => page.screenshot({ animations: "disabled", caret: "hide" })
        const settled = async () => {
          await page.locator("form.composer[novalidate]").waitFor()
          // Until nothing changes any more: what everybody does has been told, and is drawn.
          let [last, same] = ["", 0]
          await until("nothing changes any more", async () => {
            await new Promise((next) => setTimeout(next, 150))
            const now = (await picture()).toString("base64")
            same = now === last ? same + 1 : 0
            last = now
            return same === 3
          })
        }
        for (const [what, at] of PLACES) {
          // The first visit tells the zone, that all was read, and who is here.
          await page.goto(at)
          await page.locator("form.composer[novalidate]").waitFor()
          await listens(page)
          await until("it is told", async () => {
            const { channel } = await (await page.request.get(`/api${at}`)).json()
            return channel.unread === 0 && (await profile.cookies()).some((cookie) => cookie.name === "zone")
          })
          await page.route(/\/js\//, (route) => route.abort())
          await page.goto(at)
          const drawn = await picture()
          await shoot(page, `paint-${what}-${name}-${colorScheme}`)
          await page.unroute(/\/js\//)
          await page.goto(at)
          await settled()
          await shoot(page, `paint-${what}-${name}-${colorScheme}-scripts`)
          differing.push(`${what}: ${await compared(blank, drawn, await picture())}`)
        }
        assert.deepEqual(differing, PLACES.map(([what]) => `${what}: the same`))
      })
    }
  }
})
