import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { charsLeft, MAX_CHARS } from "../../static/js/limit.js"

describe("the length of a message", () => {
  it("is counted in code points, trimmed, as the server does", () => {
    assert.equal(charsLeft(""), MAX_CHARS)
    assert.equal(charsLeft("  🚀🚀 \n"), MAX_CHARS - 2)
    assert.equal(charsLeft("x".repeat(MAX_CHARS + 3)), -3)
  })
})
