// The HTML that the server answers, by the rules of the standard.

import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { FileSystemConfigLoader, HtmlValidate } from "html-validate"
import { House } from "./house.js"

/** What people say: each construct that a message's HTML can hold. */
const TEXTS = [
  "# Title\n\n## and *another* **one**\n\ntext with `code`, ~~strikes~~ and https://example.org/?a=1&b=2",
  "- a\n- b\n  1. c\n  2. d\n\n> a quote\n> > of a quote\n\n---\n\n```js\nlet it = be < 1 && true\n```",
  "<b onclick='x'>not HTML</b> & so on\nin two lines",
  "[a link](https://example.org/ \"with a title\") ![no image](https://example.org/x.png)",
  "كل شيء جاهز للإطلاق 🚀",
  "@Vera Long see #general",
  "| left | right |\n|:-----|------:|\n| `a` | @here :tada: |",
  "- [x] done\n- [ ] to do\n  1. [ ] within",
]

const FILES = {
  "plan \"B\" <1>.pdf": ["application/pdf", Buffer.from("%PDF-1.7\n")],
  "sound.wav": ["audio/wav", Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1")],
  "film.mp4": ["video/mp4", Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1")],
  "dot.gif": ["image/gif", Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")],
}

/** Where the rules are looked for: `.htmlvalidate.mjs` beside this file. */
const CONFIGURED = import.meta.filename

const TEMPLATE = /<template[^>]*>(.*?)<\/template>/gs

/** In a template, what a script fills in is empty, and items have no list around them. */
const FILLED_IN = {
  "attribute-allowed-values": "off",
  "attribute-empty-style": "off",
  "element-permitted-parent": "off",
  "text-content": "off",
  "wcag/h30": "off",
}

describe("the HTML of the pages", () => {
  const validator = new HtmlValidate(new FileSystemConfigLoader())
  let house
  let vera
  let other
  before(async () => {
    house = await House.start()
    vera = await house.script("Vera Long")
    other = await house.script("أمل & <Co>")
    await vera.ask("POST", "/api/channels", { name: "valid", topic: "All's \"well\" & <fine>" })
    await vera.ask("POST", "/api/channels", { name: "leer" })
  })
  after(() => house.close())

  /** A page as its reader gets it. */
  const page = async (path, { reader, status = 200, ...options } = {}) => {
    const headers = { Accept: "text/html", ...(reader && { Cookie: `session=${reader.token}` }) }
    const answer = await fetch(new URL(path, house.url), { headers, ...options })
    assert.equal(answer.status, status, path)
    return answer.text()
  }
  const isValid = async (html) => {
    const templates = [...html.matchAll(TEMPLATE)].map(([, inside]) => inside).join("\n")
    await obeys(html.replaceAll(TEMPLATE, ""), {})
    await obeys(templates, FILLED_IN)
  }
  const obeys = async (html, rules) => {
    const { results } = await validator.validateString(html, CONFIGURED, { rules })
    const lines = html.split("\n")
    const told = results.flatMap(({ messages }) =>
      messages.map(({ ruleId, line, message }) => `${ruleId}: ${message} in: ${lines[line - 1].trim()}`),
    )
    assert.deepEqual(told, [])
  }

  it("is valid on the way in, and when a name is refused", async () => {
    await isValid(await page("/"))
    const body = new URLSearchParams({ display_name: "@\"no\" <name>", next: "/" })
    await isValid(await page("/sign-in", { method: "POST", body, status: 422 }))
  })

  it("is valid in a channel with messages of every kind", async () => {
    const path = "/api/channels/valid/messages"
    for (const who of [vera, other]) for (const text of TEXTS) await who.ask("POST", path, { text })
    const form = new FormData()
    for (const [name, [type, bytes]] of Object.entries(FILES)) form.append("file", new File([bytes], name, { type }))
    const headers = { Authorization: `Bearer ${other.token}` }
    const sent = await fetch(house.url + path, { method: "POST", headers, body: form })
    assert.equal(sent.status, 201)
    const { id, attachments } = await sent.json()
    assert.equal(attachments.length, Object.keys(FILES).length)
    for (const who of [vera, other]) {
      for (const reaction of ["👍", "\"<b>&"]) await who.ask("PUT", `${path}/${id}/reactions/${encodeURIComponent(reaction)}`)
    }
    await other.ask("PUT", `${path}/${id}`, { text: "edited" })
    for (const reader of [vera, other]) await isValid(await page("/channels/valid", { reader }))
  })

  it("is valid in a channel without messages", async () => {
    await isValid(await page("/channels/leer", { reader: other }))
  })

  it("is valid between two, alone, and when the other one is gone", async () => {
    await isValid(await page(`/channels/@${encodeURIComponent(other.user.display_name)}`, { reader: vera }))
    const guest = await house.script("Gast")
    await guest.ask("POST", "/api/channels/@Vera Long/messages", { text: "psst" })
    await isValid(await page("/channels/@Gast", { reader: vera }))
    await isValid(await page("/channels/@Vera%20Long", { reader: vera }))
    await guest.ask("DELETE", "/api/session")
    const { channels } = await (await vera.ask("GET", "/api/channels")).json()
    const { id } = channels.find(({ name }) => name === "@Gast")
    await isValid(await page(`/channels/id:${id}`, { reader: vera }))
  })

  it("is valid where a link lets another device in", async () => {
    const { url } = await (await vera.ask("POST", "/api/session/links")).json()
    await isValid(await page(url))
    await isValid(await page(url, { reader: other }))
  })

  it("is valid where something is wrong, and where that is explained", async () => {
    await isValid(await page("/channels/nowhere", { reader: vera, status: 404 }))
    await isValid(await page("/no/such/page", { status: 404 }))
    await isValid(await page("/problems/no-such-channel"))
  })

  it("is valid where the API is described", async () => {
    await isValid(await page("/api/docs"))
  })
})
