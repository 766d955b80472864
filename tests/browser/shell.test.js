// Going from channel to channel: the page stays, and only the view changes.

import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { goOffline, House, say, shows, until } from "./house.js"

const box = (page) => page.getByRole("textbox", { name: /^Message/ })
const heading = (page) => page.locator(".conversation__name")
const link = (page, name) => page.locator(".sidebar").getByRole("link", { name })
const isOpen = (page, name) => until(`${name} is open`, async () => (await heading(page).innerText()).replace("#", "") === name)
const isEntered = (page) => until("the view is there", async () => (await page.locator(".view:not([data-pending]) form, .view:not([data-pending]) .conversation__list").count()) > 0)

/** Has a page note what moves without anybody's doing: how far, which elements, and from and to which height. */
const noteShifts = (page) => page.addInitScript(() => {
  window.shifts = []
  const moved = ({ node, previousRect, currentRect }) => [node?.className, previousRect.y, currentRect.y]
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) => [value, sources.map(moved)])))
    .observe({ type: "layout-shift", buffered: true })
})

/** What has moved, once all is drawn. */
const shifts = (page) => page.evaluate(async () => {
  await new Promise((told) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(told))))
  return window.shifts
})

/** A phone's network: round trips of 150 ms, 1.6 Mbit/s. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 90_000 }

describe("from channel to channel", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  /** Channels with a few messages each, and somebody who has been to all and looks at the first. */
  const visited = async (prefix, count, options) => {
    const names = Array.from({ length: count }, (_, at) => `${prefix}-${String.fromCharCode(97 + at)}`)
    const { token, ask } = await house.script(`Visitor of ${prefix}`)
    for (const name of names) {
      const { post } = await house.channel(name)
      for (const word of ["one", "two", "three"]) {
        const { id } = await post(`${word} of ${name}`)
        await ask("PUT", `/api/channels/${name}/read`, { message: id })
      }
    }
    const page = await house.signedIn("", { at: `/channels/${names[0]}`, token, ...options })
    await isEntered(page)
    return { names, page }
  }
  const network = async (page, conditions) => {
    const session = await page.context().newCDPSession(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", conditions)
    return session
  }

  for (const [where, conditions] of [["on a fast network", null], ["on a slow one", SLOW]]) {
    it(`loses no key ${where}`, async () => {
      const prefix = conditions ? "slow-keys" : "keys"
      const { names, page } = await visited(prefix, 6)
      if (conditions) await network(page, conditions)
      const [first, ...others] = names
      for (const [at, name] of [...others, first, ...others.slice(0, 4)].entries()) {
        await page.keyboard.press("Control+k")
        await page.keyboard.type(name)
        await until("it is offered first", async () => (await page.locator(".destination__name").first().innerText()) === name)
        await page.keyboard.press("Enter")
        const words = `typed at once ${at}`
        await page.keyboard.type(words, { delay: 40 })
        await isOpen(page, name)
        assert.equal(await box(page).inputValue(), words, `on the way to ${name}`)
        await page.keyboard.press("Enter")
        await page.locator(".message[data-seq]", { hasText: words }).waitFor()
      }
    })
  }

  it("loads one answer for a channel that is new, nothing for one that was seen, and no scripts", async () => {
    const { names, page } = await visited("loads", 3)
    /** @type {string[]} */
    let asked = []
    page.on("request", (request) => asked.push(`${request.resourceType()} ${new URL(request.url()).pathname}`))
    await link(page, names[1]).click()
    await shows(page, [`one of ${names[1]}`, `two of ${names[1]}`, `three of ${names[1]}`])
    const loaded = asked.filter((each) => !/ \/api\//.test(each) && !/\.svg$/.test(each))
    assert.deepEqual(loaded, [`fetch /channels/${names[1]}/view`])
    await link(page, names[2]).click()
    await isOpen(page, names[2])
    await isEntered(page)
    asked = []
    await link(page, names[1]).click()
    await shows(page, [`one of ${names[1]}`, `two of ${names[1]}`, `three of ${names[1]}`])
    assert.deepEqual(asked.filter((each) => !/ \/api\//.test(each) && !/\.svg$/.test(each)), [])
    assert.equal(await page.title(), `#${names[1]} · Houston`)
  })

  it("asks for little, and moves nothing once it is painted", async () => {
    const { post } = await house.channel("painted")
    for (let line = 0; line < 30; line += 1) await post(`line ${line}, with **markup** and \`code\``)
    const { names, page } = await visited("moves", 2)
    // What the page asked at first does not count.
    await page.goto("about:blank")
    /** @type {string[]} */
    const asked = []
    page.on("request", (request) => asked.push(new URL(request.url()).pathname))
    await noteShifts(page)
    await page.goto("/channels/painted")
    await isEntered(page)
    // The last of them: what is in view is read.
    await until("all was asked", () => asked.some((path) => path.endsWith("/read")))
    assert.ok(asked.length <= 12, `${asked.length} requests: ${asked.join(" ")}`)
    for (const name of [names[1], "painted", names[1]]) {
      await link(page, name).click()
      await isOpen(page, name)
      await isEntered(page)
    }
    assert.deepEqual(await shifts(page), [])
  })

  it("draws nothing of a page before all that is on the screen is here", async () => {
    const { names, page } = await visited("halting", 1)
    const [{ name, value }] = (await page.context().cookies()).filter((cookie) => cookie.name === "session")
    /** @type {() => void} */
    let go = () => {}
    const isLetGo = new Promise((told) => (go = () => told(undefined)))
    // The page comes in two pieces, the second when it is let go.
    const line = createServer(async ({ method, url, headers }, response) => {
      try {
        const asked = { method, headers: { accept: headers.accept ?? "", cookie: `${name}=${value}` } }
        const answer = await fetch(house.url + url, asked)
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
        if (!url?.startsWith("/channels/")) return await pipeline(Readable.fromWeb(answer.body), response)
        const html = await answer.text()
        const half = html.indexOf('<div class="composer__foot">')
        response.write(html.slice(0, half))
        await isLetGo
        response.end(html.slice(half))
      } catch {
        response.destroy() // The page is gone.
      }
    }).listen(0, "127.0.0.1")
    await once(line, "listening")
    try {
      await page.goto("about:blank")
      await noteShifts(page)
      const isHere = page.goto(`http://127.0.0.1:${line.address().port}/channels/${names[0]}`)
      await page.locator("#text").waitFor({ state: "attached" })
      const paints = () => page.evaluate(() => performance.getEntriesByType("paint").length)
      // Time in which it would have been.
      await sleep(500)
      assert.equal(await paints(), 0, "it is not drawn by halves")
      go()
      await isHere
      await until("it is drawn", async () => (await paints()) > 0)
      assert.deepEqual(await shifts(page), [])
    } finally {
      go()
      line.closeAllConnections()
      line.close()
    }
  })

  it("has what was seen before on the screen at once", async (test) => {
    const { names, page } = await visited("quick", 2)
    const guest = await house.script("Guest of quick")
    for (const name of names) {
      for (let line = 0; line < 95; line += 1) await guest.ask("POST", `/api/channels/${name}/messages`, { text: `line ${line}` })
      await link(page, name).click()
      await page.locator(".message", { hasText: "line 94" }).waitFor()
    }
    /** From the click to the frame after it, in ms. */
    const times = []
    for (let turn = 0; turn < 10; turn += 1) {
      times.push(await page.evaluate(async (name) => {
        const target = document.querySelector(`.channel-link[data-name="${name}"]`)
        const began = performance.now()
        target.click()
        document.querySelector("#text").focus()
        await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))
        return performance.now() - began
      }, names[turn % 2]))
    }
    times.sort((a, b) => a - b)
    test.diagnostic(`from the click to the next frame: median ${times[5].toFixed(1)} ms, worst ${times[9].toFixed(1)} ms`)
    assert.ok(times[9] < 3_000)
  })

  it("catches up with what was said meanwhile, below a line", async () => {
    const { names, page } = await visited("meanwhile", 2)
    await link(page, names[1]).click()
    await isOpen(page, names[1])
    await isEntered(page)
    const guest = await house.script("Guest of meanwhile")
    await guest.ask("POST", `/api/channels/${names[0]}/messages`, { text: "while you were away" })
    await until("it is told", async () => (await link(page, names[0]).innerText()).includes("1"))
    await link(page, names[0]).click()
    await shows(page, [...["one", "two", "three"].map((word) => `${word} of ${names[0]}`), "while you were away"])
    await until("the line stands above it", async () =>
      (await page.locator(".news + .message .message__text").allInnerTexts()).join() === "while you were away")
    await until("nothing is unread", async () => !(await link(page, names[0]).innerText()).includes("1"))
  })

  for (const way of ["the Navigation API", "history alone"]) {
    it(`goes back and forward by ${way} through five channels, to where one was, and with what was in the box`, async () => {
      const prefix = `back-${way.split(" ").at(-1).toLowerCase()}`
      const { names, page } = await visited(prefix, 5)
      if (way === "history alone") {
        await page.addInitScript(() => delete window.navigation)
        await page.reload()
      }
      assert.equal(await page.evaluate(() => "navigation" in window), way !== "history alone")
      const guest = await house.script(`Guest of ${prefix}`)
      const began = await page.evaluate(() => performance.timeOrigin)
      for (const name of names) {
        for (let line = 0; line < 30; line += 1) await guest.ask("POST", `/api/channels/${name}/messages`, { text: `line ${line}` })
      }
      const scrollTop = () => page.locator(".conversation__scroll").evaluate(({ scrollTop }) => scrollTop)
      /** @type {number[]} */
      const places = []
      for (const [at, name] of names.entries()) {
        if (at > 0) await link(page, name).click()
        await isOpen(page, name)
        await page.locator(".message", { hasText: "line 29" }).waitFor()
        await box(page).fill(`draft of ${name}`)
        await page.locator(".conversation__scroll").evaluate((scroll, top) => (scroll.scrollTop = top), -150 - at * 40)
        await page.locator(".conversation__scroll").focus()
        await until("it was scrolled", async () => (await scrollTop()) < -100)
        places.push(await scrollTop())
      }
      const isAsLeft = async (at) => {
        await isOpen(page, names[at])
        await until("the place is as it was", async () => Math.abs((await scrollTop()) - places[at]) <= 1)
        assert.equal(await box(page).inputValue(), `draft of ${names[at]}`)
        assert.equal(await page.evaluate(() => document.activeElement?.className), "conversation__scroll")
      }
      for (const at of [3, 2, 1, 0]) {
        await page.goBack()
        await isAsLeft(at)
      }
      for (const at of [1, 2, 3, 4]) {
        await page.goForward()
        await isAsLeft(at)
      }
      assert.equal(await page.evaluate(() => performance.timeOrigin), began, "it is still the same page")
    })
  }

  it("shows offline what was seen before, says so of the rest, and goes on when it is back", async () => {
    const { names, page } = await visited("offline", 3)
    await link(page, names[1]).click()
    await isOpen(page, names[1])
    await isEntered(page)
    await goOffline(page)
    await page.getByText("You are offline.").waitFor()
    await link(page, names[0]).click()
    await shows(page, ["one", "two", "three"].map((word) => `${word} of ${names[0]}`))
    await say(page, "said offline")
    await page.locator(".message[data-state]", { hasText: "said offline" }).waitFor()
    await link(page, names[2]).click()
    await isOpen(page, names[2])
    await page.locator(".pending", { hasText: "No connection" }).waitFor()
    await box(page).fill("kept for later")
    await page.context().setOffline(false)
    await shows(page, ["one", "two", "three"].map((word) => `${word} of ${names[2]}`))
    assert.equal(await box(page).inputValue(), "kept for later")
    await until("what was said offline arrived", async () => {
      const { messages } = await (await page.request.get(`/api/channels/${names[0]}/messages`)).json()
      return messages.at(-1).text === "said offline"
    })
    await page.getByText("You are offline.").waitFor({ state: "hidden" })
  })

  it("forgets of a draft only what was written in this very tab", async () => {
    const { names, page } = await visited("tabs", 2)
    const other = await page.context().newPage()
    await other.goto(`/channels/${names[0]}`)
    await isEntered(other)
    await box(page).fill("written here")
    await link(other, names[1]).click()
    await isOpen(other, names[1])
    await other.goBack()
    await until("the other tab has it", async () => (await box(other).inputValue()) === "written here")
    await box(other).fill("")
    await box(page).fill("written here again")
    await link(other, names[1]).click()
    await isOpen(other, names[1])
    await page.reload()
    await until("it is still there", async () => (await box(page).inputValue()) === "written here again")
    await box(page).fill("")
    await page.reload()
    await isEntered(page)
    assert.equal(await box(page).inputValue(), "")
  })

  it("says that a channel is not there, and leads back", async () => {
    const { page } = await visited("lost", 1)
    // Beside what is drawn anew when the list of channels comes.
    await page.evaluate(() => document.body.insertAdjacentHTML("afterbegin", '<a id="lost" href="/channels/nowhere-at-all">lost</a>'))
    await page.locator("#lost").evaluate((it) => it.click())
    await page.locator(".pending", { hasText: "no channel" }).waitFor()
    assert.ok(await box(page).isDisabled())
    await page.goBack()
    await isOpen(page, "lost-a")
    assert.ok(await box(page).isEnabled())
  })

  it("leaves nothing behind", async () => {
    const { names, page } = await visited("left", 3)
    const session = await page.context().newCDPSession(page)
    const listeners = async () => {
      const counts = []
      for (const target of ["document", "window"]) {
        const expression = `Object.values(getEventListeners(${target})).reduce((sum, all) => sum + all.length, 0)`
        const { result } = await session.send("Runtime.evaluate", { expression, includeCommandLineAPI: true })
        counts.push(result.value)
      }
      return counts
    }
    const round = async () => {
      for (const name of [...names.slice(1), names[0]]) {
        await link(page, name).click()
        await isOpen(page, name)
        await isEntered(page)
      }
    }
    await round()
    const before = await listeners()
    assert.ok(before[0] > 20, `they are counted: ${before}`)
    for (let times = 0; times < 5; times += 1) await round()
    assert.deepEqual(await listeners(), before)
    assert.equal(await page.locator(".view").count(), 1)
  })
})
