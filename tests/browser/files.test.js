// People send files: chosen, dropped, pasted; and look at them.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { House, looksRight, say, SCREENS, shows, until } from "./house.js"
import { png, wav } from "./samples.js"

const PICTURE = { name: "launch.png", mimeType: "image/png", buffer: png(640, 400) }
const PORTRAIT = { name: "portrait.png", mimeType: "image/png", buffer: png(300, 900, () => [60, 120, 200]) }
const PLAN = { name: "plan.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\nplan\n") }
const SOUND = { name: "beep.wav", mimeType: "audio/wav", buffer: wav(1600) }

describe("files", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const channel = (name) => house.channel(name)
  const choose = (page, files) => page.locator('input[type="file"]').setInputFiles(files)
  const send = (page) => page.getByRole("button", { name: "Send", exact: true }).click()
  const loaded = (image) => until("the image is shown", () => image.evaluate((it) => it.complete && it.naturalWidth > 0))
  /** Drops or pastes files, as a browser tells a page. */
  const give = (page, selector, event, files) =>
    page.evaluate(
      ([selector, event, files]) => {
        const given = new DataTransfer()
        for (const { name, type, bytes } of files) given.items.add(new File([new Uint8Array(bytes)], name, { type }))
        const target = document.querySelector(selector)
        const how = { bubbles: true, cancelable: true }
        if (event === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: given }))
        else target.dispatchEvent(new DragEvent(event, { ...how, dataTransfer: given }))
      },
      [selector, event, files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, bytes: [...buffer] }))],
    )

  it("are chosen, sent with a text, and seen by everybody at once", async () => {
    const { at, stored } = await channel("choose")
    const [ada, bob] = [await house.signedIn("Fia", { at }), await house.signedIn("Finn", { at })]
    await choose(ada, [PICTURE, PLAN, SOUND])
    const tray = ada.getByRole("list", { name: "Files to send" })
    await tray.getByText("launch.png").waitFor()
    await tray.getByRole("button", { name: "Remove beep.wav" }).click()
    assert.equal(await tray.getByRole("listitem").count(), 2)
    await choose(ada, [SOUND])
    await say(ada, "have a look")
    await shows(bob, ["have a look"])
    for (const page of [ada, bob]) {
      const image = page.getByRole("img", { name: "launch.png" })
      await loaded(image)
      assert.deepEqual(await image.evaluate((it) => [it.width, it.height]), [384, 240], "as large as it fits")
      const card = page.getByRole("link", { name: /plan\.pdf/ })
      assert.match(await card.innerText(), /PDF · 14 bytes/)
      await page.locator("audio").waitFor()
    }
    assert.equal(await tray.count(), 0, "nothing is left to send")
    const download = bob.waitForEvent("download")
    await bob.getByRole("link", { name: /plan\.pdf/ }).click()
    const dialog = bob.getByRole("dialog", { name: "plan.pdf" })
    // A browser that shows PDFs offers to save it there.
    if (await bob.evaluate(() => navigator.pdfViewerEnabled)) await dialog.getByRole("link", { name: "Download" }).click()
    assert.equal((await download).suggestedFilename(), "plan.pdf")
    const [message] = await stored()
    assert.deepEqual(message.attachments.map(({ name }) => name), ["launch.png", "plan.pdf", "beep.wav"])
    await bob.reload()
    await loaded(bob.getByRole("img", { name: "launch.png" }))
    assert.match(await bob.getByRole("link", { name: /plan\.pdf/ }).innerText(), /PDF · 14 bytes/)
  })

  it("are dropped and pasted, and sent without a word", async () => {
    const { at, stored } = await channel("drop")
    const page = await house.signedIn("Drew", { at })
    await give(page, ".conversation__list", "dragenter", [PICTURE])
    await page.getByText("Drop files to send them to #drop").waitFor()
    await give(page, ".conversation__list", "drop", [PICTURE])
    await page.getByText("Drop files to send them to #drop").waitFor({ state: "hidden" })
    await give(page, ".composer__text", "paste", [PORTRAIT])
    await page.getByRole("list", { name: "Files to send" }).getByText("portrait.png").waitFor()
    await send(page)
    await until("it is stored", async () => (await stored()).length === 1)
    const [message] = await stored()
    assert.equal(message.text, "")
    assert.deepEqual(message.attachments.map(({ name }) => name), ["launch.png", "portrait.png"])
    await loaded(page.getByRole("img", { name: "portrait.png" }))
  })

  it("have a place before they are there, so that nothing jumps", async () => {
    const { at } = await channel("steady")
    const ada = await house.signedIn("Stella", { at })
    await choose(ada, [PICTURE, PORTRAIT])
    await say(ada, "pictures")
    // Texts do not wait for files.
    await ada.locator(".message[data-seq]").waitFor()
    await say(ada, "below them")
    await until("both are stored", async () => (await ada.locator(".message[data-seq]").count()) === 2)
    const bob = await house.visit({ storageState: await ada.context().storageState() })
    let release
    const held = new Promise((done) => (release = done))
    await bob.route("**/api/attachments/**", async (route) => {
      await held
      await route.continue()
    })
    await bob.goto(at, { waitUntil: "commit" })
    const below = bob.locator(".message", { hasText: "below them" })
    await below.waitFor()
    await bob.locator("form.composer[novalidate]").waitFor()
    const before = await below.boundingBox()
    release()
    await loaded(bob.getByRole("img", { name: "portrait.png" }))
    assert.deepEqual(await below.boundingBox(), before)
  })

  it("show how far they are, each for itself, and can be left out meanwhile", async () => {
    const { at, stored } = await channel("progress")
    const page = await house.signedIn("Pella", { at })
    const network = await page.context().newCDPSession(page)
    const slow = (bytesPerSecond) =>
      network.send("Network.emulateNetworkConditions", {
        offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond,
      })
    await network.send("Network.enable")
    // Slower than all that happens on the way, on any machine.
    await slow(50_000)
    const large = (name) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.alloc(2_000_000, name) })
    await choose(page, [large("first.bin"), large("second.bin")])
    await say(page, "two of them")
    const value = (name) => page.getByRole("progressbar", { name: `Sending ${name}` }).evaluate((it) => it.value)
    await until("the first is on its way", async () => (await value("first.bin")) > 0)
    assert.equal(await value("second.bin"), 0)
    await say(page, "a word in between")
    await until("texts do not wait for files", async () => (await stored()).length === 1)
    await page.getByRole("button", { name: "Do not send first.bin" }).click()
    await until("one is left", async () => (await page.getByRole("progressbar").count()) === 1)
    await slow(-1)
    await until("the rest is stored", async () => (await stored()).length === 2)
    const message = (await stored()).find(({ text }) => text === "two of them")
    assert.deepEqual(message.attachments.map(({ name }) => name), ["second.bin"])

    await slow(50_000)
    await choose(page, [large("third.bin")])
    await send(page)
    await page.getByRole("button", { name: "Do not send third.bin" }).click()
    await until("it is gone", async () => (await page.locator(".message").count()) === 2)
    assert.equal((await stored()).length, 2)
  })

  it("that cannot be sent say why, and lose nothing", async () => {
    const { at, stored } = await channel("refuse")
    const page = await house.signedIn("Rita", { at })
    await page.evaluate(() => {
      const huge = new DataTransfer()
      huge.items.add(new File([new Uint8Array(26 * 1024 * 1024)], "huge.bin"))
      const paste = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: huge })
      document.querySelector(".composer__text").dispatchEvent(paste)
    })
    await page.getByText("“huge.bin” has 26 MiB: a file has at most 25 MiB.").waitFor()
    await choose(page, Array.from({ length: 12 }, (_, n) => ({ ...PLAN, name: `${n}.pdf` })))
    await page.getByText("A message has at most 10 files.").waitFor()
    assert.equal(await page.getByRole("list", { name: "Files to send" }).getByRole("listitem").count(), 10)

    let broken = true
    await page.route("**/messages/*", (route) => (broken && route.request().method() === "PUT" ? route.abort("connectionreset") : route.fallback()))
    await say(page, "ten of them")
    await page.getByText("Not sent: No connection to the server.").waitFor()
    broken = false
    await until("it is tried again and stored", async () => (await stored())[0]?.attachments.length === 10)

    broken = true
    await choose(page, [PLAN])
    await say(page, "lost with the page")
    await page.getByText("Not sent: No connection to the server.").waitFor()
    page.once("dialog", (dialog) => dialog.accept())
    await page.reload()
    await page.getByText(/Its files were lost when the page was closed/).waitFor()
    await page.getByRole("button", { name: "Discard" }).click()
    assert.equal((await stored()).length, 1)
  })

  it("are looked at as large as they fit, one after the other, without a mouse too", async () => {
    const { at } = await channel("lightbox")
    const page = await house.signedIn("Lux", { at })
    await choose(page, [PICTURE, PORTRAIT])
    await send(page)
    await page.locator(".message[data-seq]").waitFor()
    const link = page.getByRole("link", { name: "launch.png" })
    await link.focus()
    await page.keyboard.press("Enter")
    const box = page.getByRole("dialog", { name: "launch.png" })
    await box.getByText("1 of 2").waitFor()
    await page.keyboard.press("ArrowRight")
    await page.getByRole("dialog", { name: "portrait.png" }).getByText("2 of 2").waitFor()
    await loaded(page.locator(".lightbox__image"))
    const { height } = await page.locator(".lightbox__image").boundingBox()
    assert.ok(height <= 800, `${height} px fit`)
    await page.getByRole("button", { name: "Next file" }).click()
    await box.waitFor()
    await page.keyboard.press("Escape")
    await until("the focus is back", () => link.evaluate((it) => it === document.activeElement))
  })

  it("stay as they are while others react, and go when the text is edited to nothing but them", async () => {
    const { at, ask, stored } = await channel("stay")
    const page = await house.signedIn("Sia", { at })
    await choose(page, [SOUND])
    await say(page, "listen")
    await page.locator(".message[data-seq] audio").waitFor()
    await page.locator("audio").evaluate((it) => (it.dataset.same = "yes"))
    const [{ id }] = await stored()
    await ask("PUT", `/api/channels/stay/messages/${id}/reactions/👍`)
    await page.getByRole("button", { name: /👍/ }).waitFor()
    assert.equal(await page.locator("audio").getAttribute("data-same"), "yes")
    await page.getByRole("textbox", { name: /^Message/ }).press("ArrowUp")
    await page.getByRole("textbox", { name: "Text of the message" }).fill("")
    await page.keyboard.press("Enter")
    await until("the text is gone", async () => (await stored())[0].text === "")
    await page.locator(".message audio").waitFor()
  })

  it("show films where a browser can play them, and a card where not", async () => {
    const { at } = await channel("film")
    const page = await house.signedIn("Flo", { at })
    const film = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 })
      const pen = canvas.getContext("2d")
      const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: "video/webm" })
      const pieces = []
      recorder.ondataavailable = ({ data }) => data.size > 0 && pieces.push(data)
      const stopped = new Promise((done) => (recorder.onstop = done))
      recorder.start(50)
      // A busy machine takes its time to encode the first one.
      for (let frame = 0; frame < 10 || pieces.length < 3; frame += 1) {
        pen.fillRect(frame % 50, frame % 40, 8, 8)
        await new Promise((next) => requestAnimationFrame(next))
      }
      recorder.stop()
      await stopped
      return [...new Uint8Array(await new Blob(pieces).arrayBuffer())]
    })
    const broken = Buffer.concat([Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1"), Buffer.alloc(64)])
    await choose(page, [
      { name: "film.webm", mimeType: "video/webm", buffer: Buffer.from(film) },
      { name: "broken.mp4", mimeType: "video/mp4", buffer: broken },
    ])
    await send(page)
    await until("the film can be played", () => page.locator("video").first().evaluate((it) => it.videoWidth === 64))
    await page.getByText("This browser cannot play it here.").waitFor()
    assert.equal(await page.locator("video").count(), 1)
  })

  it("can be sent without a script, too", async () => {
    const { at, stored } = await channel("plain-files")
    const page = await house.signedIn("Plain", { at, javaScriptEnabled: false })
    await choose(page, [PICTURE])
    await send(page)
    await page.getByRole("img", { name: "launch.png" }).waitFor()
    assert.equal((await stored())[0].attachments.length, 1)
  })

  for (const { name: screen, ...options } of SCREENS) {
    it(`look right on ${screen}`, async () => {
      const name = `files-${screen}`
      const { at } = await channel(name)
      const page = await house.signedIn(`Vera ${screen}`, { at, ...options })
      const long = { ...PLAN, name: `${"a rather long name of a file ".repeat(4)}.pdf` }
      await choose(page, [PICTURE, PORTRAIT, long, SOUND])
      await looksRight(page, `files-tray-${screen}`)
      await page.getByRole("textbox", { name: /^Message/ }).fill("Everything for the launch")
      await send(page)
      for (const picture of [PICTURE, PORTRAIT]) await loaded(page.getByRole("img", { name: picture.name }))
      await looksRight(page, `files-${screen}`)
      await page.getByRole("link", { name: "launch.png" }).click()
      await loaded(page.locator(".lightbox__image"))
      await looksRight(page, `files-lightbox-${screen}`)
    })
  }
})
