import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { keptWords, sinceWords } from "../../static/js/conversation/kept.js"

describe("what is kept", () => {
  const now = new Date(2026, 10, 24, 15, 0)
  const since = new Date(2026, 10, 24, 14, 2).toISOString()

  it("is counted, with when it begins", () => {
    assert.match(keptWords({ count: 87, kept: 100, since }, now), /^87 of 100 kept, since \D*0?2:02\D*$|^87 of 100 kept, since 14:02$/)
    assert.equal(keptWords({ count: 0, kept: 100, since: undefined }, now), "0 of 100 kept")
  })

  it("says that the oldest goes when there is no more room", () => {
    assert.match(keptWords({ count: 100, kept: 100, since }, now), /^100 of 100 kept, since .*\. The oldest goes next\.$/)
  })

  it("names the day when it is not today, and the year when it is not this one", () => {
    assert.doesNotMatch(sinceWords(new Date(2026, 10, 24, 0, 1), now), /24/)
    assert.match(sinceWords(new Date(2026, 10, 23, 23, 59), now), /23/)
    assert.doesNotMatch(sinceWords(new Date(2026, 10, 23, 23, 59), now), /2026/)
    assert.match(sinceWords(new Date(2025, 10, 24, 14, 0), now), /2025/)
  })
})
