import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { answerOf, waitMs } from "../../static/js/net/api.js"

describe("reconnecting", () => {
  it("waits longer after each failure, up to half a minute", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 50].map((failures) => waitMs(failures, 0))
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it("leaves up to half of it to chance", () => {
    assert.equal(waitMs(3, 0.5), 3_000)
    assert.equal(waitMs(3, 1), 2_000)
  })
})

describe("a refusal", () => {
  it("is told in words for people where its detail is for programs", () => {
    const told = answerOf(503, { type: "/problems/storage-unavailable", detail: "See `Retry-After`." })
    assert.equal(told.why, "The server cannot keep anything at the moment.")
    assert.equal(answerOf(422, { type: "/problems/invalid-text", detail: "Too long." }).why, "Too long.")
    assert.equal(answerOf(502, null).why, "The server answered 502.")
  })
})
