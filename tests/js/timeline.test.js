import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { continues, placeOf, sameDay } from "../../static/js/conversation/message-list.js"

describe("the timeline", () => {
  const at = (author, sentAt) => ({ author, sentAt })

  it("joins one author's messages of five minutes into a run", () => {
    const first = at("ada", "2026-11-24T10:00:00.000Z")
    assert.equal(continues(null, first), false)
    assert.equal(continues(first, at("ada", "2026-11-24T10:04:59.999Z")), true)
    assert.equal(continues(first, at("ada", "2026-11-24T10:05:00.000Z")), false)
    assert.equal(continues(first, at("bob", "2026-11-24T10:00:01.000Z")), false)
  })

  it("knows where a day ends for the reader", () => {
    const evening = new Date(2026, 10, 24, 23, 59).toISOString()
    const night = new Date(2026, 10, 25, 0, 1).toISOString()
    assert.equal(sameDay(at("ada", evening), at("ada", night)), false)
    assert.equal(continues(at("ada", evening), at("ada", night)), false)
    assert.equal(sameDay(null, at("ada", night)), false)
  })

  it("places a message by its seq, whenever it arrives", () => {
    assert.equal(placeOf([], 5), 0)
    assert.equal(placeOf([1, 3, 9], 5), 2)
    assert.equal(placeOf([1, 3, 9], 10), 3)
    assert.equal(placeOf([1, 3, 9], 0), 0)
  })
})
