import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { keptWords } from "../../static/js/conversation/header.js"

describe("what is kept", () => {
  const now = new Date(2026, 10, 24, 15, 0)
  const since = new Date(2026, 10, 24, 14, 2).toISOString()
  /** @type {any} */
  const locale = { clock: "24", isMonthFirst: false }

  it("is counted, with when it begins", () => {
    assert.equal(keptWords({ count: 87, kept: 100, since }, locale, now), "87 of 100 kept, since 14:02")
    assert.equal(keptWords({ count: 87, kept: 100, since }, { ...locale, clock: "12" }, now), "87 of 100 kept, since 2:02 PM")
    assert.equal(keptWords({ count: 0, kept: 100, since: undefined }, locale, now), "0 of 100 kept")
  })

  it("says that the oldest goes when there is no more room", () => {
    assert.equal(keptWords({ count: 100, kept: 100, since }, locale, now), "100 of 100 kept, since 14:02. The oldest goes next.")
  })
})
