// Files on their way in: dragged, pasted, and gone or changed before they are sent.

import assert from "node:assert/strict"
import { appendFile, mkdir, mkdtemp, rename, rm, truncate, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { House, isSound, say, shoot, stopClock, until } from "./house.js"

/** A browser tells changes by the time of the last one, in whole seconds. */
const LATER_S = 10

describe("a file", () => {
  let house
  let folder
  before(async () => {
    house = await House.start()
    folder = await mkdtemp(join(tmpdir(), "houston-chosen-"))
  })
  after(async () => {
    await house.close()
    await rm(folder, { recursive: true })
  })

  const file = async (name, bytes = "x".repeat(1_000)) => {
    await writeFile(join(folder, name), bytes)
    return join(folder, name)
  }
  const touch = (path) => utimes(path, Date.now() / 1_000 + LATER_S, Date.now() / 1_000 + LATER_S)
  /** Chooses files, and waits until the page has looked at them: what is wrong before that is another case. */
  const choose = async (page, ...paths) => {
    const before = await page.evaluate(() => {
      if (window.looks !== undefined) return window.looks
      const read = Blob.prototype.arrayBuffer
      Blob.prototype.arrayBuffer = function () {
        const reading = read.call(this)
        const looked = () => (window.looks += 1)
        reading.then(looked, looked)
        return reading
      }
      return (window.looks = 0)
    })
    await page.locator('input[type="file"]').setInputFiles(paths)
    await until("they are looked at", () => page.evaluate((all) => window.looks >= all, before + paths.length))
  }
  const tray = (page) => page.getByRole("list", { name: "Files to send" }).getByRole("listitem")
  const refused = (page, words) => page.locator(".composer__refused", { hasText: words }).waitFor()
  const overlay = (page) => page.locator('[data-part="drop"]')
  const sentWith = (stored, texts, names) =>
    until(`${texts} is stored with ${names}`, async () => {
      const messages = await stored()
      assert.deepEqual(messages.map(({ text }) => text), texts)
      assert.deepEqual(messages.flatMap(({ attachments }) => attachments.map(({ name }) => name)), names)
      return true
    })
  /** Drags these over the page as a browser's user does who comes from a file manager. */
  const dragged = async (page, ...files) => {
    const browser = await page.context().newCDPSession(page)
    const { x, y, width, height } = await page.locator(".conversation__scroll").boundingBox()
    return (type, by = 0) =>
      browser.send("Input.dispatchDragEvent", {
        type, x: x + width / 2 + by, y: y + height / 2 + by, data: { items: [], files, dragOperationsMask: 1 },
      })
  }

  for (const [what, change] of [
    ["written to", async (path) => appendFile(path, "more").then(() => touch(path))],
    ["cut short", async (path) => truncate(path, 10).then(() => touch(path))],
    ["emptied", async (path) => truncate(path, 0).then(() => touch(path))],
    ["saved again as it was", touch],
    ["removed", (path) => rm(path)],
    ["renamed", (path) => rename(path, `${path}.bak`)],
    ["replaced by a folder", async (path) => rm(path).then(() => mkdir(path))],
  ]) {
    it(`that was ${what} after it was chosen is refused by name, and the others go out`, async () => {
      const name = what.replaceAll(" ", "-")
      const { at, stored } = await house.channel(name)
      const page = await house.signedIn(`Changer ${name}`, { at })
      const [good, bad] = [await file(`good-${name}.txt`), await file(`bad-${name}.txt`)]
      await choose(page, bad, good)
      await until("both wait", async () => (await tray(page).count()) === 2)
      await change(bad)
      await say(page, "here they are")
      await refused(page, `“bad-${name}.txt” was not sent: it was changed or removed after it was chosen.`)
      await sentWith(stored, ["here they are"], [`good-${name}.txt`])
      await until("it is shown as sent", async () => (await page.locator(".message[data-own][data-seq]").count()) === 1)
      assert.equal(await page.getByText("No connection").count(), 0)
    })
  }

  it("that was empty when it was chosen is refused when it is not any more", async () => {
    const { at, stored } = await house.channel("empty")
    const page = await house.signedIn("Emptier", { at })
    const [good, bad, gone] = [await file("empty-good.txt", ""), await file("empty-bad.txt", ""), await file("empty-gone.txt", "")]
    await choose(page, bad, good, gone)
    await appendFile(bad, "more").then(() => touch(bad))
    await rm(gone)
    await say(page, "nothing")
    await refused(page, "“empty-bad.txt” was not sent")
    await refused(page, "“empty-gone.txt” was not sent")
    await sentWith(stored, ["nothing"], ["empty-good.txt"])
  })

  it("that changes while it is sent is left out, and the rest goes out again", async () => {
    const { at, stored } = await house.channel("during")
    const page = await house.signedIn("Durer", { at })
    const [good, bad] = [await file("during-good.txt"), await file("during-bad.txt", "x".repeat(3_000_000))]
    const network = await page.context().newCDPSession(page)
    await network.send("Network.enable")
    const slow = (uploadThroughput) =>
      network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput })
    await slow(100_000)
    await choose(page, good, bad)
    await say(page, "on the way")
    await until("it is on its way", () => page.getByRole("progressbar", { name: "Sending during-bad.txt" }).evaluate((it) => it.value > 0))
    await truncate(bad, 10)
    await touch(bad)
    // What a browser makes of it: it fails, once it reads on.
    await slow(-1)
    await until("the rest is stored", async () => (await stored()).length === 1)
    const [{ attachments }] = await stored()
    assert.ok(attachments.every(({ name, size }) => name === "during-good.txt" || size === 3_000_000), JSON.stringify(attachments))
  })

  it("that was all there was to send leaves nothing behind; with words, these go out alone", async () => {
    const { at, stored } = await house.channel("alone")
    const page = await house.signedIn("Alona", { at })
    const gone = await file("alone.txt")
    await choose(page, gone)
    await until("it waits", async () => (await tray(page).count()) === 1)
    await rm(gone)
    await page.getByRole("button", { name: "Send", exact: true }).click()
    await refused(page, "“alone.txt” was not sent")
    await until("nothing is left of it", async () => (await page.locator(".message").count()) === 0)
    await shoot(page, "unreadable")
    await isSound(page, "a file that is gone")
    const other = await file("other.txt")
    await choose(page, other)
    await rm(other)
    await say(page, "words alone")
    await sentWith(stored, ["words alone"], [])
    await page.locator(".message[data-seq]").waitFor()
    await page.reload()
    assert.equal(await page.locator(".message").count(), 1)
  })

  it("waits for a lost connection as before", async () => {
    const { at, stored } = await house.channel("offline")
    const page = await house.signedIn("Offa", { at })
    await choose(page, await file("offline.txt"))
    let broken = true
    await page.route("**/messages/*", (route) => (broken && route.request().method() === "PUT" ? route.abort("connectionreset") : route.fallback()))
    await say(page, "later")
    await page.getByText("Not sent: No connection to the server.").waitFor()
    broken = false
    await sentWith(stored, ["later"], ["offline.txt"])
  })

  it("beside a folder is taken when both are dropped, and the folder is refused by name", async () => {
    const { at, stored } = await house.channel("folders")
    const page = await house.signedIn("Folda", { at })
    await mkdir(join(folder, "Fotos 2026"), { recursive: true })
    await file("Fotos 2026/in it.txt")
    const drag = await dragged(page, join(folder, "Fotos 2026"), await file("beside.txt"))
    await drag("dragEnter")
    await drag("dragOver")
    await drag("drop")
    await refused(page, "“Fotos 2026” is a folder: attach the files that are in it.")
    await shoot(page, "folder-refused")
    await until("the file waits", async () => (await tray(page).allInnerTexts()).join().startsWith("beside.txt"))
    assert.equal(await tray(page).count(), 1)
    await say(page, "only a file")
    await sentWith(stored, ["only a file"], ["beside.txt"])
  })

  it("that is a folder after all is refused at once, however it came", async () => {
    const { at } = await house.channel("chosen-folder")
    const page = await house.signedIn("Chosa", { at })
    await mkdir(join(folder, "a folder"), { recursive: true })
    const browser = await page.context().newCDPSession(page)
    const { root } = await browser.send("DOM.getDocument")
    const { nodeId } = await browser.send("DOM.querySelector", { nodeId: root.nodeId, selector: 'input[type="file"]' })
    await browser.send("DOM.setFileInputFiles", { nodeId, files: [join(folder, "a folder")] })
    await refused(page, "“a folder” cannot be read.")
    assert.equal(await tray(page).count(), 0)
  })

  describe("that is dragged away again", () => {
    /** As long as a browser is silent only when nothing is dragged any more. */
    const SILENCE_MS = 1_000
    const ways = [
      ["by Escape", async (page, drag) => (await drag("dragCancel"), page.keyboard.press("Escape"))],
      ["without a word", (page, drag) => drag("dragCancel").then(() => page.clock.runFor(SILENCE_MS))],
      ["and the mouse is back", (page) => page.mouse.move(400, 400)],
      ["out of the window", (page) => tell(page, "dragleave", null)],
      ["into the sidebar", (page) => tell(page, "dragleave", ".sidebar")],
    ]
    const tell = (page, name, to) =>
      page.evaluate(
        ([name, to]) => {
          const how = { bubbles: true, cancelable: true, relatedTarget: to && document.querySelector(to), dataTransfer: new DataTransfer() }
          document.querySelector(".conversation__list").dispatchEvent(new DragEvent(name, how))
        },
        [name, to],
      )

    for (const [what, leave] of ways) {
      it(`${what}, takes the overlay with it`, async () => {
        const { at, post } = await house.channel(`away-${ways.findIndex(([each]) => each === what)}`)
        await post("something to drag over")
        const page = await house.signedIn(`Draga ${what}`, { at })
        const drag = await dragged(page, await file("dragged.txt"))
        // Or else the overlay would go by itself.
        await stopClock(page)
        for (let times = 0; times < 2; times += 1) {
          await drag("dragEnter")
          for (const by of [0, 40, -40]) await drag("dragOver", by)
          await overlay(page).waitFor()
          await leave(page, drag)
          await overlay(page).waitFor({ state: "hidden" })
        }
      })
    }

    it("from one message to the next, keeps it", async () => {
      const { at, post } = await house.channel("staying")
      await post("one")
      const page = await house.signedIn("Stayer", { at })
      const drag = await dragged(page, await file("staying.txt"))
      await stopClock(page)
      await drag("dragEnter")
      await drag("dragOver")
      await overlay(page).waitFor()
      await tell(page, "dragleave", ".message")
      assert.ok(await overlay(page).isVisible())
    })
  })

  describe("in the clipboard", () => {
    /** Pastes as an application copied it. */
    const paste = (page, text, names, html) =>
      page.evaluate(
        ([text, names, html]) => {
          const clipboardData = new DataTransfer()
          if (text !== null) clipboardData.setData("text/plain", text)
          if (html) clipboardData.setData("text/html", html)
          for (const name of names) clipboardData.items.add(new File(["bytes"], name, { type: "image/png" }))
          const paste = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData })
          document.querySelector(".composer__text").dispatchEvent(paste)
          return paste.defaultPrevented
        },
        [text, names, html],
      )

    it("is attached where the text is its name, and leaves any other text alone", async () => {
      const { at } = await house.channel("clipboard")
      const page = await house.signedIn("Clipa", { at })
      for (const [source, text, names, html] of [
        ["the Finder", "plan.png", ["plan.png"]],
        ["the Finder, several", "one.png\rtwo.png", ["one.png", "two.png"]],
        ["the Finder, without extensions", "Übersicht", ["U\u0308bersicht.png"]],
        ["Nautilus", "/home/ada/plan.png", ["plan.png"]],
        ["Dolphin", "file:///home/ada/the%20plan.png", ["the plan.png"]],
        ["a screenshot", null, ["image.png"]],
        ["a picture of a page", null, ["image.png"], "<img src='https://a.example/x.png'>"],
      ]) {
        assert.ok(await paste(page, text, names, html), source)
        await until(`${source}: attached`, async () => (await tray(page).count()) === names.length)
        for (let left = names.length; left > 0; left -= 1) await tray(page).first().getByRole("button").click()
      }
      for (const [source, text, html] of [
        ["a spreadsheet", "Revenue\t2026\r\nAda\t42\r\n", "<table><tr><td>Revenue</td></tr></table>"],
        ["a letter", "Dear Bob,\r\nhow do you read?", "<p>Dear Bob,</p>"],
        ["a slide", "Launch", "<p>Launch</p>"],
        ["a drawing", "図", null],
        ["a formula", "=SUM(A1:A3)", null],
      ]) {
        assert.equal(await paste(page, text, ["image.png"], html), false, source)
        assert.equal(await tray(page).count(), 0, source)
      }
    })
  })
})
