// Every state that the page can be in, light and dark: pictures for people to look at in
// `target/screenshots`, and rules for machines.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { DESKTOP, faults, goOffline, House, listens, PHONE, press, PREVIEWING, say, shoot, site, until } from "./house.js"
import { png, slope, wav } from "./samples.js"

const SCREENS = [
  { name: "desktop", viewport: DESKTOP },
  { name: "tablet", viewport: { width: 834, height: 1112 } },
  { name: "phone", viewport: PHONE, hasTouch: true, isMobile: true },
]

const CHANNELS = 60
const CONVERSATIONS = 40
const LONGEST_NAME = "Wolfeschlegelsteinhausenbergerdo"
const LONGEST_CHANNEL = "the-channel-with-the-longest-name-that-anybody-ever-gave-to-one-"
const LONG_TEXT = "All systems are within their limits, and what follows is long enough to take some lines on every screen. ".repeat(4)
const TABLE = "| stage | thrust | burn | note |\n| :-- | --: | --: | :-- |\n| first | 7,607 kN | 162 s | nine engines, all of them tested last week |\n| second | 934 kN | 397 s | vacuum nozzle |"
const CODE = "```rust\nfn main() {\n    let countdown = (0..=10).rev().map(|second| format!(\"T minus {second}\")).collect::<Vec<_>>();\n    println!(\"{}\", countdown.join(\"\\n\"));\n}\n```"

const file = (name, type, bytes) => new File([bytes], name, { type })
const chosen = (name, mimeType, bytes) => ({ name, mimeType, buffer: Buffer.from(bytes) })

/** A server with everything on it that a state may show. */
class World {
  static async begin() {
    const world = new World()
    world.house = await House.start(PREVIEWING)
    const people = {}
    for (const name of ["Ada Lovelace", "Katherine Johnson", "Bo", "أمل الحاج", LONGEST_NAME]) people[name] = await world.house.script(name)
    const [ada, kate, bo, amal, long] = Object.values(people)
    Object.assign(world, { ada, kate, bo, amal, long })
    await world.#preview()
    await ada.ask("POST", "/api/channels", { name: "launch", topic: "Countdown, weather, go or no go." })
    for (const name of ["quiet", "waiting", "emoji", "עברית", "files", "news"]) await ada.ask("POST", "/api/channels", { name })
    await long.ask("POST", "/api/channels", { name: LONGEST_CHANNEL, topic: "A topic that says at great length what is talked about here, and by whom, and why. ".repeat(3).trim() })
    await world.#talk()
    await world.#extremes()
    await world.#crowd()
    return world
  }

  async say({ ask, token }, channel, text, files = []) {
    const path = `/api/channels/${encodeURIComponent(channel)}/messages`
    if (files.length === 0) return (await ask("POST", path, { text })).json()
    const form = new FormData()
    form.append("text", text)
    for (const each of files) form.append("file", each)
    return (await fetch(this.house.url + path, { method: "POST", headers: { Authorization: `Bearer ${token}` }, body: form })).json()
  }

  /** Hooks of somebody's own channel, in every state. */
  async hook(owner) {
    const make = async (path, hook) => (await owner.ask("POST", `/api/channels/own/${path}`, hook)).json()
    const { url } = await make("hooks", { name: "CI" })
    for (const text of ["All *green*.", " "]) await fetch(url, { method: "POST", body: text })
    await make("outgoing", { name: "Deployer", url: "https://ci.invalid/deploy", words: ["!deploy", "!rollback"] })
    await make("outgoing", { name: "Weather", url: "https://weather.invalid/told?key=secret" })
    await this.say(owner, "own", "What will it be tomorrow?")
    const { id } = await make("outgoing", { name: "Archive", url: "https://archive.invalid/" })
    await owner.ask("PATCH", `/api/channels/own/outgoing/${id}`, { paused: true })
  }

  /** Messages whose links were fetched while the server did that; the others' lead to nowhere. */
  async #preview() {
    const { house, ada, kate, amal, long } = this
    const head = (title, site, text, more = "") => `<title>${title}</title><meta property="og:site_name" content="${site}"><meta property="og:description" content="${text}">${more}`
    const picture = (path) => `<meta property="og:image" content="${path}">`
    const pages = await site({
      "/wide": head("The pad before dawn", "Launch Weekly", "Twelve pictures of the morning, and what the crew had for breakfast.", picture("/wide.png")),
      "/tall": head("A portrait of the tower", "Towers", "", picture("/tall.png")),
      "/text": head("Winds aloft, explained: why the sounding of the morning matters more than that of the evening before", "Weather Service", LONG_TEXT),
      "/rtl": head("الإطلاق اليوم", "أخبار الفضاء", "كل ما يجب معرفته عن الإطلاق.", picture("/wide.png")),
      "/bare": "<title>Release notes</title>",
      "/long": head("x".repeat(300), "y".repeat(100), "z".repeat(500)),
      "/wide.png": png(1200, 630, slope(240)), "/tall.png": png(300, 900, slope(60)),
    })
    await ada.ask("POST", "/api/channels", { name: "previews" })
    const path = "/api/channels/previews/messages"
    const rows = [[kate, "/wide", ""], [kate, "/text", "/tall", "/bare"], [amal, "/rtl"], [ada, "/wide"], [ada, "/text"], [long, "/long"], [long, "/wide"]]
    for (const [who, ...links] of rows) {
      const text = `See ${links.filter(Boolean).map((link) => pages.url + link).join(" and ")}`
      const { id } = await this.say(who, "previews", text)
      await until("its previews", async () => (await (await ada.ask("GET", `${path}/${id}`)).json()).previews.length === links.filter(Boolean).length)
    }
    const { id } = await this.say(long, "previews", `Hidden: ${pages.url}/bare`)
    await long.ask("DELETE", `${path}/${id}/previews`)
    pages.close()
    await house.crash()
    house.settings = {}
    await house.open()
  }

  async #talk() {
    const { ada, kate, bo, amal } = this
    const react = (who, { id }, reaction) => who.ask("PUT", `/api/channels/launch/messages/${id}/reactions/${encodeURIComponent(reaction)}`)
    const in_ = (who, text, files) => this.say(who, "launch", text, files)
    await in_(ada, "Good morning! The window opens at **14:02 UTC**.")
    await in_(ada, "Please check before ten:\n\n- [x] fuel\n- [ ] guidance\n- [ ] `telemetry -v`")
    const asked = await in_(kate, "Wind at 10 km is 12 m/s and falling. See https://weather.example.org/ascent?site=39A for the soundings, and #quiet for the rest.")
    for (const who of [ada, bo, amal]) await react(who, asked, "👍")
    await react(bo, asked, "🚀")
    await react(ada, asked, "go!")
    await in_(bo, `> Wind at 10 km is 12 m/s and falling.\n\nThat is well within limits, @Ada Lovelace.`)
    await in_(bo, "Numbers once more:")
    await in_(bo, TABLE)
    await in_(bo, CODE)
    const edited = await in_(kate, "Tracking is red.")
    await kate.ask("PUT", `/api/channels/launch/messages/${edited.id}`, { text: "Tracking is green." })
    const again = await in_(kate, "so is range safty")
    await kate.ask("PUT", `/api/channels/launch/messages/${again.id}`, { text: "so is range safety" })
    await in_(amal, "كل شيء جاهز للإطلاق, all systems go! 🚀")
    await in_(ada, "The pad this morning", [file("pad.png", "image/png", png(640, 400, slope(240)))])
    await in_(ada, "", [file("flight-plan.pdf", "application/pdf", "%PDF-1.7\nplan\n"), file("notes.txt", "text/plain", "Nothing to add.\n")])
    await in_(ada, "🎉")
    this.asked = asked
  }

  async #extremes() {
    const { house, ada, kate, bo, amal, long } = this
    for (let n = 0; n < 100; n += 1) await this.say([ada, kate, bo][Math.floor(n / 3) % 3], "waiting", `${n}: ${LONG_TEXT}`)
    for (const [who, text] of [[amal, "שלום לכולם, Houston!\n\n- אחת\n- שתיים\n\n> ציטוט"], [amal, "مرحبا، هذا نص طويل بما يكفي ليأخذ أكثر من سطر واحد على شاشة الهاتف، وفيه `code` و https://example.org/."], [bo, "English between them, by @أمل الحاج"], [amal, "1. ראשון\n2. שני\n\n```\nconst a = 1\n```"]]) await this.say(who, "עברית", text)
    for (const [who, text] of [[ada, "🎉"], [ada, "👩‍🚀 🚀 🌕"], [kate, "👍🏽👍🏽👍🏽"], [bo, "🇩🇪🇯🇵🇧🇷"], [bo, "❤️"], [kate, "not alone 🙂"]]) await this.say(who, "emoji", text)
    for (const text of [`@${LONGEST_NAME} in #${LONGEST_CHANNEL}`, `https://example.org/${"path/".repeat(40)} \`${"code".repeat(50)}\``, "x".repeat(400), `${"> ".repeat(4)}${"deep".repeat(60)}`]) {
      const { id } = await this.say(long, LONGEST_CHANNEL, text)
      for (const who of [long, amal]) await who.ask("PUT", `/api/channels/${LONGEST_CHANNEL}/messages/${id}/reactions/${"M".repeat(16)}`)
    }
    await this.say(ada, "files", "Two of them", [file("a.png", "image/png", png(640, 400, slope(240))), file("portrait.png", "image/png", png(300, 900, slope(60)))])
    await this.say(kate, "files", "", [file("wide.png", "image/png", png(1200, 100, slope(120))), file("dot.png", "image/png", png(8, 8, slope(20)))])
    await this.say(bo, "files", "And the rest", [
      file(`${"a rather long name of a file ".repeat(5)}.pdf`, "application/pdf", "%PDF-1.7\n"), file("beep.wav", "audio/wav", wav(16_000)),
      file("archive.tar.gz", "application/gzip", Buffer.from([31, 139, 8, 0])), file("log.txt", "text/plain", "00:00 ignition\n00:03 lift-off\n".repeat(60)),
      file("film.mp4", "video/mp4", Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1")),
    ])
    await house.script("Nobody")
  }

  async #crowd() {
    const { bo } = this
    this.many = await this.house.script("Maria Many")
    const names = Array.from({ length: CHANNELS - 9 }, (_, n) => `${["team", "project", "help", "ops"][n % 4]}-${String(n).padStart(2, "0")}`)
    for (const [n, name] of names.entries()) {
      await bo.ask("POST", "/api/channels", { name, topic: n % 3 === 0 ? "What we do here, in one line." : "" })
      await this.many.ask("PATCH", `/api/channels/${name}/mine`, { starred: n < 4 })
      const { id } = await this.say(bo, name, "hello there")
      if (n < 24) await this.many.ask("PUT", `/api/channels/${name}/read`, { message: id })
    }
    for (let n = 0; n < CONVERSATIONS; n += 1) {
      const person = await this.house.script(`Person ${String.fromCharCode(65 + (n % 26))}${n}`)
      await this.say(person, "@Maria Many", "hello, have you got a minute?")
    }
    for (const name of names.slice(2, 5)) await this.say(bo, name, "news for all")
    await this.say(bo, names[6], "@Maria Many, look")
  }
}

const box = (page) => page.getByRole("textbox", { name: /^Message/ })
const message = (page, text) => page.locator(".message", { hasText: text }).first()
const button = (page, name) => page.getByRole("button", { name, exact: true })
const menu = async (page, item) => {
  await page.locator(".channel-menu summary").click()
  if (item) await page.locator(".channel-menu").getByRole("button", { name: item }).click()
}
const outgoing = async (page) => {
  await menu(page, "Hooks…")
  await page.getByText("Outgoing", { exact: true }).click()
}
const toSidebar = async (page) => {
  if (await page.locator(".conversation__menu").first().isVisible()) await page.locator(".conversation__menu").first().click()
}
const own = async (page, item) => {
  await toSidebar(page)
  await page.locator(".sidebar__me > summary").click()
  if (item) await page.locator(".sidebar__me").getByRole("button", { name: item, exact: true }).click()
}
const isTouch = (page) => page.evaluate(() => matchMedia("(any-hover: none)").matches)
/** An action of a message: in the bar beside it, or in the sheet that a finger asks for. */
const act = async (page, text, action) => {
  // The last one is of this screen's user.
  const item = page.locator(".message", { hasText: text }).last()
  if (await isTouch(page)) {
    await press(page, item.locator(".message__text"))
    await page.getByRole("toolbar").getByText(action, { exact: true }).tap()
  } else {
    await item.hover()
    await item.getByRole("button", { name: action, exact: true }).click()
  }
}
const top = (page) => page.locator(".conversation__scroll").evaluate((it) => it.scrollTo(0, -it.scrollHeight))
const failing = (page, method = "PUT") =>
  page.route("**/messages/*", (route) => (route.request().method() === method ? route.abort() : route.fallback()))

/** @type {{name: string, at?: string, as?: "nobody" | "many" | "long", only?: string[], except?: string[], options?: object, open?: (page: import("playwright-core").Page, world: World) => Promise<unknown>}[]} */
const STATES = [
  { name: "sign-in", as: "nobody", at: "/" },
  {
    name: "sign-in-taken", as: "nobody", at: "/",
    open: async (page) => {
      await page.getByLabel("Display name").fill("Ada Lovelace")
      await page.keyboard.press("Enter")
      await page.getByRole("alert").waitFor()
    },
  },
  {
    name: "link", as: "nobody",
    open: async (page, { ada }) => page.goto((await (await ada.ask("POST", "/api/session/links")).json()).url),
  },
  { name: "lost", at: "/channels/nowhere" },
  { name: "problem", as: "nobody", at: "/problems/too-large" },
  { name: "docs", as: "nobody", at: "/api/docs" },
  { name: "welcome", at: "/channels/general" },
  { name: "channel", at: "/channels/launch" },
  { name: "previews", at: "/channels/previews" },
  { name: "previews-own", as: "long", at: "/channels/previews" },
  { name: "previews-top", at: "/channels/previews", open: top },
  { name: "channel-top", at: "/channels/launch", open: top },
  { name: "channel-compact", at: "/channels/launch", open: (page) => page.evaluate(() => (document.documentElement.dataset.density = "compact")) },
  { name: "actions", at: "/channels/launch", open: async (page) => {
    if (await isTouch(page)) {
      await press(page, message(page, "Tracking is").locator(".message__text"))
      await page.locator(".sheet[open]").waitFor()
    } else await message(page, "Wind at").hover()
  } },
  { name: "reply", at: "/channels/launch", open: async (page) => {
    await act(page, "Tracking is", "Reply")
    await page.getByRole("group", { name: "Answering" }).waitFor()
  } },
  { name: "edit", at: "/channels/launch", open: async (page) => {
    await say(page, "to be *edited*")
    await page.locator(".message[data-own][data-seq]").first().waitFor()
    await act(page, "to be edited", "Edit")
    await page.getByRole("textbox", { name: "Text of the message" }).waitFor()
  } },
  { name: "edit-refused", at: "/channels/launch", open: async (page) => {
    await act(page, "to be edited", "Edit")
    await page.getByRole("textbox", { name: "Text of the message" }).fill("")
    await button(page, "Save").click()
    await page.getByText("Not saved").waitFor()
  } },
  { name: "picker", at: "/channels/launch", open: async (page) => {
    await act(page, "Tracking is", "React")
    await until("all are there", async () => (await page.locator(".picker__grid button").count()) > 20)
  } },
  { name: "picker-none", at: "/channels/launch", open: async (page) => {
    await act(page, "Tracking is", "React")
    await page.locator(".picker").getByRole("textbox").fill("no such thing")
    await page.getByText("No emoji is called so").waitFor()
  } },
  { name: "card", at: "/channels/launch", open: async (page) => {
    await page.locator(".message__author", { hasText: "Katherine" }).first().click()
    await page.locator(".card").waitFor()
  } },
  { name: "people", at: "/channels/launch", open: (page) => page.locator(".people summary").click() },
  { name: "bell", at: "/channels/launch", open: (page) => page.locator(".bell summary").click() },
  { name: "menu", at: "/channels/launch", open: (page) => menu(page) },
  { name: "transcript", at: "/channels/launch", open: (page) => menu(page, "Save transcript") },
  { name: "script", at: "/channels/launch", open: (page) => menu(page, "Use it from a script") },
  { name: "shortcuts", at: "/channels/launch", only: ["desktop", "tablet"], open: (page) => menu(page, "Keyboard shortcuts") },
  { name: "channel-settings", at: "/channels/own", open: (page) => menu(page, "Settings…") },
  { name: "channel-settings-refused", at: "/channels/own", open: async (page) => {
    await menu(page, "Settings…")
    await page.getByLabel("to confirm").fill("another")
    await button(page, "Delete channel").click()
    await page.getByText("That is not its name").waitFor()
  } },
  { name: "hooks", at: "/channels/own", open: async (page) => {
    await menu(page, "Hooks…")
    await page.getByText("The last 2 deliveries").click()
  } },
  { name: "hooks-none", at: "/channels/quiet", open: async (page) => {
    await menu(page, "Hooks…")
    await page.getByText("There is none yet.").waitFor()
  } },
  { name: "hooks-outgoing", at: "/channels/own", open: async (page) => {
    await outgoing(page)
    await page.getByText(/^Tries again at/).waitFor()
    await page.locator("summary:visible", { hasText: /^The last .*deliver/ }).first().click()
    await button(page, "Delete Archive").click()
  } },
  { name: "hooks-refused", at: "/channels/own", open: async (page) => {
    await outgoing(page)
    await page.getByLabel("Name of a new hook").fill("Bot")
    await page.getByLabel("Address that it posts to").fill("http://127.0.0.1/")
    await button(page, "Make it").click()
    await page.getByText("The address is not public").waitFor()
  } },
  { name: "hooks-made", at: "/channels/own", open: async (page) => {
    await outgoing(page)
    await page.getByLabel("Name of a new hook").fill("Bot")
    await page.getByLabel("Address that it posts to").fill(`https://bot.invalid/${"a-rather-long-path/".repeat(6)}`)
    await button(page, "Make it").click()
    await page.getByLabel("Key of the new hook").waitFor()
  } },
  { name: "hooks-unreachable", at: "/channels/own", open: async (page) => {
    await page.route("**/outgoing", (route) => route.abort())
    await outgoing(page)
    await page.getByText("The hooks could not be loaded.").waitFor()
  } },
  { name: "own-menu", at: "/channels/launch", open: (page) => own(page) },
  { name: "own-name-taken", at: "/channels/launch", open: async (page) => {
    await own(page)
    await page.getByLabel("Display name").fill("Ada Lovelace")
    await button(page, "Change name").click()
    await page.locator('.sidebar__me [data-part="taken"]').waitFor()
  } },
  { name: "settings", at: "/channels/launch", open: (page) => own(page, "Settings") },
  { name: "device", at: "/channels/launch", open: async (page) => {
    await own(page, "Use another device")
    await page.getByText("Works once").waitFor()
  } },
  { name: "sessions", at: "/channels/launch", open: async (page) => {
    await own(page, "Devices and tokens")
    const dialog = page.getByRole("dialog", { name: "Devices and tokens" })
    await dialog.locator(".session").first().waitFor()
    await dialog.getByLabel("Token for a script").fill("backup script")
    await dialog.getByRole("button", { name: "Create" }).click()
    await dialog.getByLabel("New token").waitFor()
  } },
  { name: "switcher", as: "many", at: "/channels/launch", open: async (page) => {
    await page.keyboard.press("Control+k")
    await page.getByRole("option").first().waitFor()
  } },
  { name: "switcher-found", at: "/channels/launch", open: async (page) => {
    await page.keyboard.press("Control+k")
    await page.keyboard.type("limits")
    await page.locator(".found").first().waitFor()
  } },
  { name: "switcher-nothing", at: "/channels/launch", open: async (page) => {
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzzz nothing")
    await page.locator("#switcher").getByText(/no (message|such)|nothing/i).waitFor()
  } },
  { name: "many", as: "many", at: "/channels/launch" },
  { name: "many-sidebar", as: "many", at: "/channels/launch", only: ["phone"], open: toSidebar },
  { name: "many-sidebar-end", as: "many", at: "/channels/launch", open: async (page) => {
    await toSidebar(page)
    await page.locator(".sidebar__groups").evaluate((it) => it.scrollTo(0, it.scrollHeight))
  } },
  { name: "all-channels", as: "many", at: "/channels/launch", open: async (page) => {
    await toSidebar(page)
    await page.locator(".sidebar").getByRole("button", { name: /^All channels/ }).click()
    await page.getByRole("option").first().waitFor()
  } },
  { name: "new-channel", at: "/channels/launch", open: async (page) => {
    await toSidebar(page)
    await page.getByText("New channel").click()
    await page.getByLabel("Name", { exact: true }).fill("two words")
    await button(page, "Create channel").click()
    await page.getByText("It cannot contain a space.").waitFor()
  } },
  { name: "new-message", at: "/channels/launch", open: async (page) => {
    await toSidebar(page)
    await button(page, "New message").click()
    await page.getByRole("option").first().waitFor()
  } },
  { name: "files", at: "/channels/files" },
  { name: "files-top", at: "/channels/files", open: top },
  { name: "lightbox", at: "/channels/files", open: async (page) => {
    await page.locator('.file--image[data-name="portrait.png"]').click()
    await until("it is shown", () => page.locator(".lightbox__image").evaluate((it) => it.complete && it.naturalWidth > 0))
  } },
  { name: "lightbox-text", at: "/channels/files", open: async (page) => {
    await page.getByRole("link", { name: /log\.txt/ }).click()
    await page.getByText("00:00 ignition").first().waitFor()
  } },
  { name: "completion", at: "/channels/launch", except: ["aria-allowed-role"], open: async (page) => {
    await box(page).pressSequentially("@")
    await page.locator(".completion").first().waitFor()
  } },
  { name: "completion-emoji", at: "/channels/launch", except: ["aria-allowed-role"], open: async (page) => {
    await box(page).fill("")
    await box(page).pressSequentially(":rock")
    await page.locator(".completion").first().waitFor()
  } },
  { name: "attached", at: "/channels/launch", open: async (page) => {
    await box(page).fill("")
    await page.locator('input[type="file"]').setInputFiles([
      chosen("pad.png", "image/png", png(640, 400, slope(240))), chosen("plan.pdf", "application/pdf", "%PDF-1.7\n"),
      chosen(`${"a rather long name of a file ".repeat(4)}.pdf`, "application/pdf", "%PDF-1.7\n"),
    ])
    await page.getByRole("list", { name: "Files to send" }).getByText("plan.pdf").waitFor()
  } },
  { name: "attached-refused", at: "/channels/launch", open: async (page) => {
    await page.locator('input[type="file"]').setInputFiles(Array.from({ length: 12 }, (_, n) => chosen(`${n}.pdf`, "application/pdf", "%PDF-1.7\n")))
    await page.getByText("A message has at most 10 files.").waitFor()
  } },
  { name: "too-long", at: "/channels/quiet", open: async (page) => {
    await box(page).fill("too long ".repeat(500))
    await page.locator("[data-over]").waitFor()
  } },
  { name: "uploading", at: "/channels/quiet", open: async (page) => {
    const network = await page.context().newCDPSession(page)
    await network.send("Network.enable")
    await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 100_000 })
    await page.locator('input[type="file"]').setInputFiles([chosen("film-of-the-launch.bin", "application/octet-stream", Buffer.alloc(3_000_000)), chosen("second.bin", "application/octet-stream", Buffer.alloc(9_000))])
    await say(page, "two of them")
    await until("it is on its way", () => page.getByRole("progressbar").first().evaluate((it) => it.value > 0.1))
  } },
  { name: "pending", at: "/channels/launch", open: async (page) => {
    await page.route("**/messages/*", (route) => (route.request().method() === "PUT" ? undefined : route.fallback()))
    await say(page, "on its way")
    await say(page, "and another one, behind it")
    await page.locator('.message[data-state="pending"]').nth(1).waitFor()
    await until("the clock is there", () => page.evaluate(() => document.getAnimations().every(({ animationName }) => animationName !== "message-waiting")))
  } },
  { name: "failed", at: "/channels/launch", open: async (page) => {
    await failing(page)
    await page.route("**/events*", (route) => route.abort())
    await say(page, "lost in space")
    await page.getByText(/^Not sent/).waitFor()
  } },
  { name: "deleted", at: "/channels/launch", open: async (page) => {
    await say(page, "to be deleted")
    await page.locator(".message[data-own][data-seq]", { hasText: "to be deleted" }).waitFor()
    await act(page, "to be deleted", "Delete")
    await until("it can be undone", async () => (await page.locator(".undo__left").innerText()) !== "")
  } },
  { name: "notices", at: "/channels/launch", open: async (page, world) => {
    await listens(page)
    for (const name of ["Ann", "Ben", "Cleo"]) await world.house.signedIn(`${name} ${Math.random().toString(36).slice(2, 8)}`, { at: "/channels/launch" })
    await page.locator(".notice").getByText(/Cleo.* joined/).waitFor()
    await world.bo.ask("POST", "/api/channels/launch/typing")
    await world.long.ask("POST", "/api/channels/launch/typing")
    await page.locator("[data-typing]").waitFor()
  } },
  { name: "dropping", at: "/channels/launch", open: (page) => page.evaluate(() => {
    const given = new DataTransfer()
    given.items.add(new File(["x"], "x.txt"))
    document.querySelector(".conversation__list").dispatchEvent(new DragEvent("dragenter", { bubbles: true, cancelable: true, dataTransfer: given }))
  }) },
  { name: "offline", at: "/channels/launch", open: async (page) => {
    await goOffline(page)
    await page.getByText("You are offline.").waitFor()
    await say(page, "Do you read?")
    await page.getByText("Not sent").waitFor()
  } },
  { name: "offline-unseen", at: "/channels/launch", open: async (page) => {
    await goOffline(page)
    await page.getByText("You are offline.").waitFor()
    await toSidebar(page)
    await page.locator(".sidebar__brand").click()
    await page.locator(".pending").waitFor()
  } },
  { name: "connection-lost", at: "/channels/launch", open: async (page) => {
    await page.route("**/events*", (route) => route.abort())
    await page.evaluate(() => dispatchEvent(new Event("online")))
    await page.reload()
    await page.getByText(/Connection lost/).waitFor()
  } },
  { name: "unread", at: "/channels/news", open: async (page, world) => {
    await page.goto("/channels/launch")
    for (let n = 0; n < 30; n += 1) await world.say(world.ada, "news", `Bulletin ${n}: nothing has changed.`)
    await world.say(world.kate, "news", "@here, and you, too")
    await world.say(world.kate, "@Grace Hopper", "psst")
    await page.goto("/channels/news")
  } },
  { name: "empty", at: "/channels/quiet" },
  { name: "direct-empty", at: "/channels/@Nobody" },
  { name: "direct", at: "/channels/@Katherine Johnson", open: async (page, world) => {
    await world.say(world.kate, "@Grace Hopper", "Have you got the numbers?")
    await page.getByText("Have you got").first().waitFor()
  } },
  { name: "notes", at: "/channels/@Grace Hopper" },
  { name: "long", at: "/channels/waiting" },
  { name: "long-top", at: "/channels/waiting", open: top },
  { name: "right-to-left", at: `/channels/${encodeURIComponent("עברית")}`, open: async (page) => {
    await page.locator("html").evaluate((html) => html.setAttribute("dir", "rtl"))
  } },
  { name: "emoji", at: "/channels/emoji" },
  { name: "longest", as: "long", at: `/channels/${LONGEST_CHANNEL}`, open: top },
  { name: "longest-sidebar", as: "long", at: `/channels/${LONGEST_CHANNEL}`, only: ["phone"], open: toSidebar },
]

/** Some states alone, by their names, for whoever works on them. */
const ONLY = process.env.STATES?.split(",")
/** The screens, by their names: of all three it takes a quarter of an hour, so by default the narrowest. */
const ON = (process.env.SCREENS ?? "phone").split(",")

describe("every state", () => {
  let world
  before(async () => (world = await World.begin()))
  after(() => world.house.close())

  for (const { name: screen, ...options } of SCREENS) {
    if (!ON.includes(screen)) continue
    describe(`on ${screen}`, () => {
      let tokens
      before(async () => {
        const grace = await world.house.script("Grace Hopper")
        await grace.ask("POST", "/api/channels", { name: "own", topic: "Of Grace’s own" })
        await world.hook(grace)
        tokens = { grace: grace.token, many: world.many.token, long: world.long.token }
      })
      after(async () => {
        await world.house.ask("DELETE", "/api/channels/own", undefined, tokens.grace)
        // With the last of them the name is free again, for the next screen.
        const { sessions } = await (await world.house.ask("GET", "/api/sessions", undefined, tokens.grace)).json()
        for (const { id, current } of sessions) if (!current) await world.house.ask("DELETE", `/api/sessions/${id}`, undefined, tokens.grace)
        await world.house.ask("DELETE", "/api/session", undefined, tokens.grace)
      })

      for (const { name, as = "grace", at, only, except, open } of STATES) {
        if (only && !only.includes(screen)) continue
        if (ONLY && !ONLY.includes(name)) continue
        it(`${name} is right`, async () => {
          const page = await world.house.visit(options)
          if (as !== "nobody") await page.context().addCookies([{ name: "session", value: tokens[as], url: world.house.url, httpOnly: true, sameSite: "Lax" }])
          if (at) await page.goto(at)
          await open?.(page, world)
          const found = []
          for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme })
            await shoot(page, `gallery/${name}-${screen}-${colorScheme}`)
            // The same elements in other colours: nothing else could differ.
            const only = colorScheme === "dark" ? ["color-contrast"] : undefined
            found.push(...(await faults(page, except, only)).map((fault) => `${colorScheme}: ${fault}`))
          }
          assert.deepEqual(found, [])
        })
      }
    })
  }
})
