import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { messageAt, messageIn, permalink } from "../../static/js/lib/addresses.js"

describe("a message's address", () => {
  const origin = "https://chat.example"
  const open = { origin, channel: "c1", name: "größe" }
  const direct = { origin, channel: "c2", name: "@Ada L." }

  it("names the channel; a direct conversation by its id, which is the same for both", () => {
    assert.equal(permalink(open, "m_1"), "https://chat.example/channels/gr%C3%B6%C3%9Fe#message-m_1")
    assert.equal(permalink(direct, "m_1"), "https://chat.example/channels/id:c2#message-m_1")
  })

  it("is known again in its own channel, however that is called", () => {
    for (const place of [open, direct]) assert.equal(messageAt(permalink(place, "m"), place), "m")
    assert.equal(messageAt("/channels/id:c1#message-m", open), "m")
    assert.equal(messageAt("https://chat.example/channels/id%3Ac1#message-m", open), "m")
    assert.equal(messageAt("/channels/%40Ada%20L.#message-m", direct), "m")
  })

  it("is nobody else's", () => {
    for (const href of [
      "https://other.example/channels/gr%C3%B6%C3%9Fe#message-m",
      "/channels/general#message-m",
      "/channels/gr%C3%B6%C3%9Fe",
      "/channels/gr%C3%B6%C3%9Fe#text",
      "mailto:ada@example.org",
      "http://[",
      "",
    ]) assert.equal(messageAt(href, open), null, href)
  })

  it("is told apart from the page's other anchors", () => {
    assert.equal(messageIn("#message-m"), "m")
    for (const hash of ["", "#", "#channels", "#text"]) assert.equal(messageIn(hash), null, hash)
  })
})
