// Hooks on the page: made, posted to and deleted in a channel's menu; and what they write.

import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { House, isSound, SCREENS, shoot, until } from "./house.js"

describe("hooks", () => {
  let house
  before(async () => {
    house = await House.start()
  })
  after(() => house.close())

  const opens = async (page) => {
    await page.locator(".channel-menu > summary").click()
    await page.getByRole("button", { name: "Hooks…" }).click()
    return page.getByRole("dialog", { name: "Hooks" })
  }

  it("are made in the channel's menu, with a line that works, and deleted there", async () => {
    const { at } = await house.channel("builds")
    const page = await house.signedIn("Ada", { at, permissions: ["clipboard-read", "clipboard-write"] })
    const dialog = await opens(page)
    await dialog.getByText("There is none yet.").waitFor()
    await dialog.getByLabel("Name of a new hook").fill("@x")
    await dialog.getByRole("button", { name: "Make it" }).click()
    await dialog.getByRole("alert").filter({ hasText: "cannot start with" }).waitFor()
    await dialog.getByLabel("Name of a new hook").fill("CI")
    await dialog.getByRole("button", { name: "Make it" }).click()
    await dialog.getByText("CI can be posted to.").waitFor()
    await dialog.getByRole("button", { name: "Copy line of CI" }).click()
    await dialog.getByText("Copied.").waitFor()
    const line = await page.evaluate(() => navigator.clipboard.readText())
    const { stdout } = await promisify(execFile)("sh", ["-c", `${line} -s`])
    assert.equal(stdout, "ok")
    const url = line.split(" ")[1]
    await dialog.getByRole("button", { name: "Copy address of CI" }).click()
    await until("it is copied", async () => (await page.evaluate(() => navigator.clipboard.readText())) === url)
    assert.equal(await (await fetch(url, { method: "POST", body: " " })).text(), "no_text")
    await page.locator(".message__text strong", { hasText: "Hello" }).waitFor()
    assert.equal(await page.locator(".message .bot:visible").count(), 1)
    // Nobody to write to.
    assert.equal(await page.locator(".message__author").getAttribute("href"), null)
    await page.keyboard.press("Escape")
    await until("no address is left in the page", async () => !(await page.content()).includes(url))
    await page.locator(".message__author").click()
    assert.equal(await page.locator(".card:popover-open").count(), 0)

    const again = await opens(page)
    await again.getByText("The last 2 deliveries").click()
    await again.getByText("There is nothing to show").waitFor()
    for (const { name, ...screen } of SCREENS) {
      await page.setViewportSize(screen.viewport)
      await shoot(page, `hooks-${name}`)
      await isSound(page, `hooks on ${name}`)
    }
    await again.getByRole("button", { name: "Delete CI" }).click()
    await again.getByText("CI is deleted. What it wrote stays.").waitFor()
    assert.equal((await fetch(url, { method: "POST", body: "x" })).status, 404)
  })

  it("of others are listed without their addresses", async () => {
    const { at, ask } = await house.channel("others")
    await ask("POST", "/api/channels/others/hooks", { name: "Theirs" })
    const page = await house.signedIn("Bob", { at })
    const dialog = await opens(page)
    await dialog.getByText("Theirs").waitFor()
    assert.equal(await dialog.locator("code:visible, [data-action^=copy]:visible, [data-action=delete]:visible").count(), 0)
  })

  it("write cards that look like ones on every screen", async () => {
    const { at, ask } = await house.channel("cards")
    const { url } = await (await ask("POST", "/api/channels/cards/hooks", { name: "CI" })).json()
    const fields = ["Branch", "Commit", "Took", "Tests"].map((title, n) => ({ title, value: `value ${n}`, short: true }))
    const attachment = { title: "Build 7", title_link: "https://ci.example/7", text: "All *green*.", fields, footer: "CI", ts: 1_700_000_000 }
    const colors = ["good", "warning", "danger", "#439fe0", "#808080"]
    for (const color of colors) {
      const body = JSON.stringify({ icon_emoji: ":rocket:", username: color, attachments: [{ ...attachment, color }] })
      assert.equal(await (await fetch(url, { method: "POST", body })).text(), "ok")
    }
    const page = await house.signedIn("Cy", { at })
    assert.equal(await page.locator(".message section").count(), colors.length)
    const bars = await page.locator(".message section").evaluateAll((all) => all.map((it) => getComputedStyle(it).borderInlineStartColor))
    assert.equal(new Set(bars).size, colors.length, bars.join())
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Build")
    await page.locator(".found .bot:visible").first().waitFor()
    await page.keyboard.press("Escape")
    const tops = await page.locator(".message section").first().locator("dl > div").evaluateAll((all) => all.map((it) => it.getBoundingClientRect().top))
    assert.ok(tops[0] === tops[1] && tops[2] === tops[3] && tops[0] < tops[2], tops.join())
    for (const { name, ...screen } of SCREENS) {
      for (const colorScheme of ["light", "dark"]) {
        await page.setViewportSize(screen.viewport)
        await page.emulateMedia({ colorScheme })
        await shoot(page, `cards-${name}-${colorScheme}`)
        await isSound(page, `cards on ${name}, ${colorScheme}`)
      }
    }
  })
})
