import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nextChannel } from "../../static/js/sidebar/destinations.js"

describe("the next channel", () => {
  const channels = [["a", 0], ["b", 2], ["c", 0], ["d", 1]].map(([id, unread]) => ({ id, unread }))
  const next = (open, step, unreadOnly = false) => nextChannel(channels, open, step, unreadOnly)?.id

  it("is the one below or above, around the ends", () => {
    assert.equal(next("a", 1), "b")
    assert.equal(next("b", -1), "a")
    assert.equal(next("d", 1), "a")
    assert.equal(next("a", -1), "d")
  })

  it("is the next unread one, if that is asked for, and never the one that is open", () => {
    assert.equal(next("b", 1, true), "d")
    assert.equal(next("c", -1, true), "b")
    assert.equal(next("d", 1, true), "b")
    assert.equal(nextChannel([{ id: "a", unread: 3 }], "a", 1, true), undefined)
  })

  it("begins at an end, from a conversation that is not in the list yet", () => {
    assert.equal(next("new", 1), "a")
    assert.equal(next("new", -1), "d")
  })
})
