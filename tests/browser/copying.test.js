// What is in the clipboard after several messages were selected and copied.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, goOffline, House, PHONE, TABLET } from "./house.js"

const CLOCK = String.raw`\d{1,2}:\d{2}(?:\s?[AP]M)?`

describe("copying messages", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  /** What of the page stands between messages, and belongs to nobody. */
  const WORDS_OF_THE_PAGE = /Message actions|React|Reply|Copy|reacted|edited|Today|Yesterday|joined|Discard|Retry/

  /** Pastes into a place of its own, and gives what was in the clipboard. */
  const pasted = async (page) => {
    await page.evaluate(() => {
      const field = document.body.appendChild(document.createElement("textarea"))
      field.focus()
      field.addEventListener("paste", ({ clipboardData }) => {
        window.pasted = { text: clipboardData.getData("text/plain"), html: clipboardData.getData("text/html") }
        field.remove()
      })
    })
    await page.keyboard.press("Control+v")
    return page.evaluate(() => window.pasted)
  }
  const copied = async (page) => {
    await page.keyboard.press("Control+c")
    return pasted(page)
  }
  /** Selects from the beginning of what the one selector finds to the end of what the other does. */
  const select = (page, from, to, [start, end] = [0, null]) =>
    page.evaluate(
      ([from, to, start, end]) => {
        document.activeElement?.blur()
        const textIn = (selector, last) => {
          const all = document.querySelectorAll(selector)
          const walker = document.createTreeWalker(all[last ? all.length - 1 : 0], NodeFilter.SHOW_TEXT)
          const found = []
          while (walker.nextNode()) if (walker.currentNode.data.trim()) found.push(walker.currentNode)
          return found.at(last ? -1 : 0)
        }
        const [first, last] = [textIn(from, false), textIn(to, true)]
        getSelection().setBaseAndExtent(first, start, last, end ?? last.data.length)
      },
      [from, to, start, end],
    )
  const talk = async (name, texts) => {
    const { at, ask, path, post } = await house.channel(name)
    const others = [await house.script(`Ada of ${name}`), await house.script(`Bob of ${name}`)]
    for (const [n, text] of texts.entries()) {
      const { id } = await (await others[n % 2].ask("POST", path, { text })).json()
      if (n === 0) await ask("PUT", `${path}/${id}/reactions/${encodeURIComponent("👍")}`)
    }
    return { at, path, post, others }
  }
  /** A pattern of messages as they should read, each a name and its text. */
  const reads = (messages) => new RegExp(`^${messages.map(([name, text]) => `${name}, ${CLOCK}\\n${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`).join("\\n\\n")}\\n$`)

  for (const [screen, viewport] of [["desktop", DESKTOP], ["tablet", TABLET], ["phone", PHONE]]) {
    it(`gives of each its name, its time and its text, ${screen}`, async () => {
      const { at } = await talk(`four-${screen}`, ["one", "two **bold**", "three", "four"])
      const page = await house.signedIn(`Reader ${screen}`, { at, viewport })
      await page.locator(".message").nth(1).hover()
      await select(page, ".message:nth-of-type(2) .message__author", ".message__text")
      const { text, html } = await copied(page)
      const [ada, bob] = [`Ada of four-${screen}`, `Bob of four-${screen}`]
      assert.match(text, reads([[ada, "one"], [bob, "two bold"], [ada, "three"], [bob, "four"]]))
      assert.doesNotMatch(text + html, WORDS_OF_THE_PAGE)
      assert.match(html, new RegExp(`<p><b>${ada}</b>, ${CLOCK}</p><div><p>one</p>\\s*</div>`))
      assert.match(html, /two <strong>bold<\/strong>/)
      assert.doesNotMatch(html, /class=|data-|tabindex|<button|style=/)
    })
  }

  it("follows the mouse, from the middle of one to the middle of another", async () => {
    const { at } = await talk("dragging", ["first of all", "in between", "last of all"])
    const page = await house.signedIn("Drago", { at })
    const box = async (n) => page.locator(".message__text p").nth(n).boundingBox()
    const [from, to] = [await box(0), await box(2)]
    const edge = async (n, at) => page.locator(".message__text p").nth(n).evaluate((it, at) => {
      const range = document.createRange()
      range.setStart(it.firstChild, 0)
      range.setEnd(it.firstChild, at)
      return range.getBoundingClientRect().right
    }, at)
    await page.mouse.move(await edge(0, 6), from.y + from.height / 2)
    await page.mouse.down()
    await page.mouse.move(await edge(2, 4), to.y + to.height / 2, { steps: 10 })
    await page.mouse.up()
    const { text } = await copied(page)
    assert.match(text, reads([["Ada of dragging", "of all"], ["Bob of dragging", "in between"], ["Ada of dragging", "last"]]))
  })

  it("keeps what texts are made of, and the names of files with their addresses", async () => {
    const said = [
      "one paragraph\nin two lines\n\nand another",
      "- a\n- b\n  1. c\n  2. d\n- [x] done\n- [ ] to do",
      "```rust\nlet a = 1;\n\n\nlet  b = 2;\n```",
      "> quoted\n> twice\n\nanswered",
      "| a | b |\n|---|---|\n| 1 | |\n| 3 | 4 |",
      "see https://example.org/x_y and #general, `a  b`",
      "كل شيء جاهز 👩‍🚀",
      "<b>not bold</b> & so",
    ]
    const { at, others } = await talk("made-of", said)
    const form = new FormData()
    form.append("text", "with a file")
    form.append("file", new File(["%PDF-1.7\n"], "plan.pdf", { type: "application/pdf" }))
    const sent = await fetch(`${house.url}/api/channels/made-of/messages`, { method: "POST", body: form, headers: { Authorization: `Bearer ${others[0].token}` } })
    const { attachments } = await sent.json()
    await others[1].ask("POST", "/api/channels/made-of/messages", { text: "the end" })
    const page = await house.signedIn("Maida", { at })
    await select(page, ".message__author", ".message__text")
    const { text, html } = await copied(page)
    const [ada, bob] = ["Ada of made-of", "Bob of made-of"]
    assert.match(text, reads([
      [ada, "one paragraph\nin two lines\n\nand another"],
      [bob, "- a\n- b\n  1. c\n  2. d\n- ☑ done\n- ☐ to do"],
      [ada, "let a = 1;\n\n\nlet  b = 2;"],
      [bob, "> quoted\n> twice\n\nanswered"],
      [ada, "a\tb\n1\t\n3\t4"],
      [bob, "see https://example.org/x_y and #general, a b"],
      [ada, "كل شيء جاهز 👩‍🚀"],
      [bob, "<b>not bold</b> & so"],
      [ada, `with a file\nplan.pdf: ${house.url}${attachments[0].url}`],
      [bob, "the end"],
    ]))
    assert.doesNotMatch(text + html, WORDS_OF_THE_PAGE)
    assert.match(html, new RegExp(`<a href="${house.url}/channels/general">#general</a>`), "links lead back from outside")
    assert.match(html, /&lt;b&gt;not bold&lt;\/b&gt;/)
  })

  it("leaves one message to the browser, and whatever is selected elsewhere", async () => {
    const { at } = await talk("single", ["only this one", "not that"])
    const page = await house.signedIn("Sina", { at })
    await select(page, ".message__text", ".message:nth-of-type(2) .message__text", [5, null])
    assert.equal((await copied(page)).text, "this one")
    // A triple click ends where the next message begins.
    await page.locator(".message__text p").first().click({ clickCount: 3 })
    assert.equal((await copied(page)).text.trim(), "only this one")
    await page.getByRole("textbox", { name: /^Message/ }).fill("typed here")
    await page.keyboard.press("Control+a")
    assert.equal((await copied(page)).text, "typed here")
  })

  it("tells the dates where they differ, and gives the messages alone where everything is selected", async () => {
    const { at } = await talk("dates", ["yesterday", "today"])
    const page = await house.signedIn("Dada", { at })
    await page.evaluate(() => {
      const item = document.querySelector(".message")
      item.dataset.sentAt = new Date(Date.parse(item.dataset.sentAt) - 86_400_000).toISOString()
    })
    await page.locator(".conversation__scroll").focus()
    await page.keyboard.press("Control+a")
    const { text, html } = await copied(page)
    assert.match(text, new RegExp(`^Ada of dates, .*\\d{4}.*, ${CLOCK}\\nyesterday\\n\\nBob of dates, .*\\d{4}.*, ${CLOCK}\\ntoday\\n$`))
    assert.doesNotMatch(text + html, /Channels|Search|Send/)
  })

  it("gives what waits to be sent as it was written", async () => {
    const { at } = await talk("waiting", ["sent"])
    const page = await house.signedIn("Waiter", { at })
    await goOffline(page)
    await page.getByRole("textbox", { name: /^Message/ }).fill("two\n  *lines*")
    await page.keyboard.press("Enter")
    await page.getByText("Not sent:").waitFor()
    await select(page, ".message__author", ".message__text")
    const { text, html } = await copied(page)
    assert.match(text, reads([["Ada of waiting", "sent"], ["Waiter", "two\n  *lines*"]]))
    assert.match(html, /two<br> {2}\*lines\*/)
  })
})
