// Hostile texts in a real browser: nothing of them executes, by itself or by being clicked.

import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import { House, until } from "./house.js"

const TEXTS = JSON.parse(await readFile(new URL("../hostile/texts.json", import.meta.url), "utf8"))

/** A channel keeps a hundred. */
const PER_CHANNEL = 60

describe("hostile texts", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  /** Channels that hold all of them between them, and what was made of each. */
  const posted = async () => {
    const script = await house.script("Mallory")
    const channels = []
    for (let at = 0; at < TEXTS.length; at += PER_CHANNEL) {
      const name = `hostile-${at}`
      await script.ask("POST", "/api/channels", { name })
      const messages = []
      for (const text of TEXTS.slice(at, at + PER_CHANNEL)) {
        const answer = await script.ask("POST", `/api/channels/${name}/messages`, { text })
        assert.equal(answer.status, 201, text)
        messages.push(await answer.json())
      }
      channels.push({ name, messages })
    }
    return channels
  }

  it("do nothing on the page, and nothing even where no policy holds them back", async () => {
    assert.ok(TEXTS.length >= 60)
    const channels = await posted()
    const victim = await house.signedIn("Victor")
    const done = []
    victim.on("dialog", async (dialog) => {
      done.push(`dialog: ${dialog.message()}`)
      await dialog.dismiss()
    })
    victim.on("request", (request) => {
      if (!request.url().startsWith(house.url) && !request.url().startsWith("data:image/")) done.push(request.url())
    })
    await victim.addInitScript(() => {
      window.violations = []
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective))
    })
    for (const { name, messages } of channels) {
      await victim.goto(`/channels/${name}`)
      await until("all are shown", async () => (await victim.locator(".message[data-seq]").count()) === messages.length)
      assert.deepEqual(await victim.evaluate(() => window.violations), [], "the policy had nothing to hold back")
      const foreign = ".message__text :is(script, style, iframe, img, svg, form, input, object, embed, link, meta)"
      assert.equal(await victim.locator(foreign).count(), 0)
      const loose = await victim.locator(".message__text *").evaluateAll((elements) =>
        elements.flatMap((element) => element.getAttributeNames().filter((name) => /^on|^style$|^id$/.test(name))),
      )
      assert.deepEqual(loose, [])
    }

    // The same HTML in a document without any policy, where every link is followed.
    const bare = await house.visit()
    bare.on("dialog", async (dialog) => {
      done.push(`bare dialog: ${dialog.message()}`)
      await dialog.dismiss()
    })
    await bare.route("**", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><main></main>" }))
    await bare.goto("http://bare.example/")
    const executed = await bare.evaluate(async (htmls) => {
      const executed = []
      for (const name of ["alert", "confirm", "prompt", "eval"]) window[name] = (...what) => executed.push([name, ...what])
      const main = document.querySelector("main")
      addEventListener("click", (event) => event.target.closest("a")?.protocol.startsWith("http") && event.preventDefault())
      for (const html of htmls) {
        main.innerHTML = html
        for (const element of main.querySelectorAll("*")) {
          for (const name of ["mouseover", "focus", "load", "error", "toggle"]) element.dispatchEvent(new Event(name))
          element.click()
        }
        await new Promise((next) => setTimeout(next))
      }
      // The control: what runs is seen to run.
      main.innerHTML = "<a href=\"javascript:alert('control')\">run</a>"
      main.querySelector("a").click()
      for (let waits = 0; executed.length === 0 && waits < 100; waits += 1) await new Promise((next) => setTimeout(next, 50))
      return executed
    }, channels.flatMap(({ messages }) => messages.map(({ html }) => html)))
    assert.deepEqual(executed, [["alert", "control"]])
    assert.deepEqual(done, [])
  })

  it("turn round nothing but themselves", async () => {
    const script = await house.script("Trudy")
    const path = "/api/channels/turned/messages"
    // Overrides, embeddings, isolates and marks that nothing ends.
    const turns = ["\u202E", "\u202B", "\u2067", "\u200F", "\u061C", "\u202A\u202E", "\u2068\u202E"]
    await script.ask("POST", "/api/channels", { name: "turned", topic: `over ${turns.join("there ")}` })
    for (const [at, turn] of turns.entries()) {
      await script.ask("PUT", `${path}/link-${at}`, { text: `[a${turn}link](https://a.example/) behind it` })
      await script.ask("PUT", `${path}/edit-${at}`, { text: "before" })
      await script.ask("PUT", `${path}/edit-${at}`, { text: `it${turn}self` })
    }
    const page = await house.signedIn("Walter", { at: "/channels/turned" })
    await until("all are shown", async () => (await page.locator(".message[data-seq]").count()) === 2 * turns.length)

    // Where the letters of what stands around are, from left to right, in the order of the text.
    const placesOf = (selector, words) => page.locator(selector).evaluateAll((elements, words) =>
      elements.map((element) => {
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
        while (walker.nextNode() && !walker.currentNode.data.includes(words));
        const start = walker.currentNode.data.indexOf(words)
        return [...words].map((_, at) => {
          const range = document.createRange()
          range.setStart(walker.currentNode, start + at)
          range.setEnd(walker.currentNode, start + at + 1)
          return range.getBoundingClientRect().x
        })
      }), words)
    const inOrder = (places) => places.every((x, at) => at === 0 || x > places[at - 1])
    for (const [selector, words] of [
      [".message[data-id^=link] .message__text", "behind"],
      [".message[data-id^=edit] .message__edited", "edited"],
      [".people__summary", "here"],
    ]) {
      const all = await placesOf(selector, words)
      assert.equal(all.length, selector.startsWith(".message") ? turns.length : 1)
      for (const places of all) assert.ok(inOrder(places), `${words} in ${selector}: ${places}`)
    }
    for (const [at] of turns.entries()) {
      const link = await page.locator(`#message-link-${at} .message__text a`).boundingBox()
      const [places] = await placesOf(`#message-link-${at} .message__text`, "behind")
      assert.ok(places[0] >= link.x + link.width, `what stands behind the link stays behind it: ${at}`)
    }
  })
})
