// Hooks on the page: made, posted to and deleted in a channel's menu; and what they write.

import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { House, isSound, SCREENS, shoot, until } from "./house.js"

describe("hooks", () => {
  let house
  before(async () => {
    // The programs that are told are on this machine.
    house = await House.start({ ROCKET_OUTGOING_PRIVATE: "true" })
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
    await again.getByText("Press again to delete CI for good.").waitFor()
    // Whatever else is done means that it is not wanted.
    await again.getByRole("button", { name: "Copy address of CI" }).click()
    assert.equal(await again.getByRole("button", { name: "Really delete CI" }).count(), 0)
    await again.getByRole("button", { name: "Delete CI" }).click()
    await again.getByRole("button", { name: "Really delete CI" }).click()
    await again.getByText("CI is deleted. What it wrote stays.").waitFor()
    assert.equal((await fetch(url, { method: "POST", body: "x" })).status, 404)
  })

  /** A program on this machine that answers as it is told, and remembers what it was told. */
  const receiver = async () => {
    const heard = []
    const program = { heard, status: 204 }
    const server = createServer(async (request, response) => {
      let body = ""
      for await (const chunk of request) body += chunk
      heard.push({ headers: request.headers, body })
      response.writeHead(program.status).end()
    })
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening))
    program.url = `http://127.0.0.1:${server.address().port}/told?key=1`
    program.close = () => server.close()
    return program
  }

  const opensOutgoing = async (page) => {
    const dialog = await opens(page)
    await dialog.getByText("Outgoing").click()
    return dialog
  }

  it("tell programs what is said: made, seen to and deleted in the same place", async () => {
    const program = await receiver()
    const { at, post } = await house.channel("told")
    const page = await house.signedIn("Dora", { at, permissions: ["clipboard-read", "clipboard-write"] })
    const dialog = await opensOutgoing(page)
    await dialog.getByText("There is none yet.").waitFor()
    await dialog.getByLabel("Name of a new hook").fill("Deployer")
    await dialog.getByLabel("Address that it posts to").fill("ftp://x/")
    await dialog.getByRole("button", { name: "Make it" }).click()
    await dialog.locator("#hooks_url_error").getByText("must begin with http").waitFor()
    assert.equal(await page.evaluate(() => document.activeElement.id), "hooks_url")
    await dialog.getByLabel("Name of a new hook").fill("@x")
    await dialog.getByLabel("Address that it posts to").fill(program.url)
    await dialog.getByLabel("Only what begins with").fill(" !deploy , !status")
    await dialog.getByRole("button", { name: "Make it" }).click()
    await dialog.locator("#hooks_name_error").getByText("cannot start with").waitFor()
    assert.equal(await dialog.locator("#hooks_url_error").isVisible(), false)
    await dialog.getByLabel("Name of a new hook").fill("Deployer")
    await page.keyboard.press("Enter")
    await dialog.getByText("Deployer is told what is said from now on.").waitFor()
    const key = await dialog.getByLabel("Key of the new hook").inputValue()
    await dialog.getByRole("button", { name: "Copy", exact: true }).click()
    await until("it is copied", async () => (await page.evaluate(() => navigator.clipboard.readText())) === key)
    await dialog.getByText("Active · what begins with !deploy, !status").waitFor()

    await post("nothing for it")
    await post("!deploy now")
    await dialog.getByText("The last delivery").click()
    await dialog.getByText(/· 204 ·/).waitFor()
    assert.equal(program.heard.length, 1)
    const { headers, body } = program.heard[0]
    assert.equal(JSON.parse(body).message.text, "!deploy now")
    const signed = createHmac("sha256", Buffer.from(key.replace("whsec_", ""), "base64"))
    signed.update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`)
    assert.equal(headers["webhook-signature"], `v1,${signed.digest("base64")}`)

    program.status = 503
    await post("!deploy again")
    await post("!deploy, please")
    await dialog.getByText(/^Tries again at .* · 2 waiting$/).waitFor()
    await dialog.getByText(/· 503 · .* · It did not take the message\.$/).waitFor()
    program.status = 200
    await dialog.getByRole("button", { name: "Try now Deployer" }).click()
    await dialog.getByText("Deployer goes on.").waitFor()
    await dialog.getByText(/^Active · [^·]*$/).waitFor()
    await until("all is told", () => JSON.parse(program.heard.at(-1).body).message.text === "!deploy, please")

    await dialog.getByRole("button", { name: "Pause Deployer" }).click()
    await dialog.getByText("Deployer is paused: it is told nothing.").waitFor()
    await dialog.getByText(/^Paused since /).waitFor()
    await page.keyboard.press("Escape")
    await until("no key is left in the page", async () => !(await page.content()).includes(key))
    const again = await opens(page)
    await again.getByText(/^Paused since /).waitFor()
    assert.equal(await again.getByLabel("Key of the new hook").isVisible(), false)
    for (const { name, ...screen } of SCREENS) {
      for (const colorScheme of ["light", "dark"]) {
        await page.setViewportSize(screen.viewport)
        await page.emulateMedia({ colorScheme })
        await shoot(page, `outgoing-${name}-${colorScheme}`)
        await isSound(page, `outgoing hooks on ${name}, ${colorScheme}`)
      }
    }
    await again.getByRole("button", { name: "Resume Deployer" }).click()
    await again.getByText(/^Active · /).waitFor()
    await again.getByRole("button", { name: "Delete Deployer" }).click()
    await again.getByRole("button", { name: "Really delete Deployer" }).click()
    await again.getByText("Deployer is deleted.").waitFor()
    await again.getByText("Incoming", { exact: true }).click()
    await again.getByText("There is none yet.").waitFor()
    assert.equal(await again.getByLabel("Address that it posts to").isVisible(), false)
    program.close()
  })

  it("say so where the server is not there, and go on when it is", async () => {
    const { at, ask } = await house.channel("away")
    await ask("POST", "/api/channels/away/outgoing", { name: "Theirs", url: "http://127.0.0.1:9/" })
    const page = await house.signedIn("Eli", { at })
    const dialog = await opens(page)
    await page.route("**/outgoing", (route) => route.abort())
    await dialog.getByText("Outgoing").click()
    await dialog.getByText("The hooks could not be loaded. No connection to the server.").waitFor()
    await page.unroute("**/outgoing")
    await dialog.getByText("Active · every message").waitFor()
    assert.equal(await dialog.getByText("could not be loaded").count(), 0)
    // Of others they are seen, and not seen to.
    assert.equal(await dialog.locator("code:visible, li button:visible").count(), 0)
    // By keys alone.
    await page.keyboard.press("ArrowLeft")
    await dialog.getByText("There is none yet.").waitFor()
  })

  it("of others are listed without their addresses", async () => {
    const { at, ask } = await house.channel("others")
    await ask("POST", "/api/channels/others/hooks", { name: "Theirs" })
    const page = await house.signedIn("Bob", { at })
    const dialog = await opens(page)
    await dialog.locator(".session__name", { hasText: "Theirs" }).waitFor()
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
