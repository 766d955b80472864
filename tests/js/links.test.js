import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { leftWords } from "../../static/js/dialogs/devices.js"

describe("a link for another device", () => {
  it("tells how long it is good for", () => {
    assert.equal(leftWords(600_000), "Works once, for 10 more minutes.")
    assert.equal(leftWords(540_001), "Works once, for 10 more minutes.")
    assert.equal(leftWords(60_000), "Works once, for 1 more minute.")
    assert.equal(leftWords(59_000), "Works once, for 59 more seconds.")
    assert.equal(leftWords(1), "Works once, for 1 more second.")
    assert.equal(leftWords(0), "This link has expired.")
  })
})
