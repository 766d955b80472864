// Around the messages: who is there, what is unread, and how to get from here to there.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import AxeBuilder from "@axe-core/playwright"
import { DESKTOP, House, PHONE, say, shoot, shows, until } from "./house.js"

const SCREENS = [
  { name: "desktop-light", viewport: DESKTOP, colorScheme: "light" },
  { name: "desktop-dark", viewport: DESKTOP, colorScheme: "dark" },
  { name: "phone-light", viewport: PHONE, colorScheme: "light", hasTouch: true, isMobile: true },
  { name: "phone-dark", viewport: PHONE, colorScheme: "dark", hasTouch: true, isMobile: true },
]

describe("around the messages", () => {
  let house
  before(async () => (house = await House.start()))
  after(() => house.close())

  const box = (page) => page.locator("#text")
  const sidebar = (page) => page.getByRole("navigation", { name: "Channels" })
  const heading = (page) => page.getByRole("heading", { level: 1 })

  /** Somebody who has signed in at a channel of this test's own. */
  const channel = async (name) => {
    const script = await house.script(`Script of ${name}`)
    await script.ask("POST", "/api/channels", { name })
    return { ...script, at: `/channels/${name}` }
  }

  /** No rule of accessibility broken, nothing wider than the screen. */
  const isSound = async (page, what) => {
    const { violations } = await new AxeBuilder({ page }).analyze()
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
    assert.deepEqual(told, [], what)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `${what} is ${overflow} px too wide`)
  }

  describe("a direct conversation", () => {
    it("begins from the list of people, and appears at once for the other one", async () => {
      const { at } = await channel("direct")
      const [ada, bob] = [await house.signedIn("Dirk", { at }), await house.signedIn("Dina", { at })]
      await sidebar(ada).getByRole("button", { name: "New message" }).click()
      const dialog = ada.getByRole("dialog", { name: "New message" })
      await dialog.getByRole("option", { name: /Dina online/ }).waitFor()
      await ada.keyboard.type("din")
      await until("only Dina is left", async () => (await dialog.getByRole("option").count()) === 1)
      await ada.keyboard.press("Enter")
      await ada.waitForURL("**/channels/@Dina")
      await ada.getByText("Only the two of you can read this.").waitFor()
      assert.equal(await heading(ada).innerText(), "Dina")
      assert.equal(await ada.title(), "Dina · Houston")
      await say(ada, "between us")
      await sidebar(ada).getByRole("link", { name: "Dina , online" }).and(ada.locator("[aria-current]")).waitFor()
      await sidebar(bob).getByRole("link", { name: /Dirk , online 1 unread/ }).click()
      await shows(bob, ["between us"])
      await say(bob, "indeed")
      await shows(ada, ["between us", "indeed"])
    })

    it("begins with somebody who is here, and with oneself", async () => {
      const { at } = await channel("here")
      const ada = await house.signedIn("Hera", { at })
      await house.signedIn("Hugo", { at })
      await ada.locator(".people summary").click()
      await ada.locator(".people").getByRole("link", { name: /Hugo/ }).click()
      await ada.waitForURL("**/channels/@Hugo")
      await sidebar(ada).getByRole("button", { name: "New message" }).click()
      await ada.getByRole("option", { name: "Notes to self" }).click()
      await ada.waitForURL("**/channels/@Hera")
      await ada.getByText("Only you can read this.").waitFor()
      await say(ada, "milk")
      await sidebar(ada).getByRole("link", { name: "Notes to self" }).waitFor()
      assert.equal(await heading(ada).innerText(), "Notes to self")
    })

    it("follows the other one's name, also across a reload, and tells when they are gone for good", async () => {
      const { at } = await channel("names")
      const ada = await house.signedIn("Nell", { at })
      const other = await house.script("Nick")
      await ada.goto("/channels/@Nick")
      await say(ada, "hello")
      await shows(ada, ["hello"])
      await other.ask("PATCH", "/api/session", { display_name: "Nikolaus" })
      await ada.waitForURL("**/channels/@Nikolaus")
      assert.equal(await heading(ada).innerText(), "Nikolaus")
      await until("the title follows", async () => (await ada.title()) === "Nikolaus · Houston")
      await sidebar(ada).getByRole("link", { name: /^Nikolaus/ }).waitFor()
      await ada.reload()
      await shows(ada, ["hello"])

      await other.ask("DELETE", "/api/session")
      const heir = await house.script("Nikolaus")
      await ada.reload()
      await ada.getByText("Only the two of you can read this.").waitFor()
      await sidebar(ada).getByRole("link", { name: /Nikolaus , signed out for good/ }).click()
      await shows(ada, ["hello"])
      await ada.getByText("Nikolaus has signed out for good.").waitFor()
      assert.ok(await box(ada).isDisabled())
      assert.match(ada.url(), /\/channels\/id:/)
      await heir.ask("DELETE", "/api/session")
    })

    it("shows who comes and goes by a lamp", async () => {
      const { at } = await channel("lamps")
      const ada = await house.signedIn("Lana", { at })
      const bob = await house.signedIn("Lars", { at })
      await ada.goto("/channels/@Lars")
      await say(ada, "there?")
      const link = sidebar(ada).getByRole("link", { name: /^Lars/ })
      await until("Lars is online", async () => /online/.test(await link.innerText()))
      await bob.context().close()
      await until("Lars is offline", async () => /offline/.test(await link.innerText()))
    })
  })

  for (const { name, ...screen } of SCREENS) {
    it(`is right on ${name}`, async () => {
      const page = await house.signedIn(`Viewer ${name}`, screen)
      const other = await house.script(`أمل الحاج ${name}`)
      const long = await house.script(`W${"m".repeat(20)}${name.slice(0, 11)}`)
      await page.goto(`/channels/@${encodeURIComponent(other.user.display_name)}`)
      await page.getByText("A private line.").waitFor()
      await shoot(page, `direct-empty-${name}`)
      await isSound(page, `an empty direct conversation on ${name}`)
      await other.ask("POST", `/api/channels/@${encodeURIComponent(`Viewer ${name}`)}/messages`, { text: "سلام" })
      await long.ask("POST", `/api/channels/@${encodeURIComponent(`Viewer ${name}`)}/messages`, { text: "hi" })
      await page.locator(".channel-link[data-calls]").waitFor({ state: "attached" })
      if (screen.viewport === PHONE) await page.getByRole("link", { name: "Channels" }).click()
      await shoot(page, `sidebar-${name}`)
      await isSound(page, `the sidebar on ${name}`)
      await page.getByRole("button", { name: "New message" }).click()
      await page.getByRole("option").first().waitFor()
      await shoot(page, `new-message-${name}`)
      await isSound(page, `the dialog on ${name}`)
      await page.keyboard.press("Escape")
      await page.context().close()
    })
  }
})
