import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { charsLeft, limitWords, MAX_CHARS } from "../../static/js/composer/writing.js"

describe("the length of a message", () => {
  it("is counted in code points, trimmed, as the server does", () => {
    assert.equal(charsLeft(""), MAX_CHARS)
    assert.equal(charsLeft("  🚀🚀 \n"), MAX_CHARS - 2)
    assert.equal(charsLeft("x".repeat(MAX_CHARS + 3)), -3)
  })

  it("is told to the writer near the limit and past it", () => {
    assert.equal(limitWords(200), "")
    assert.equal(limitWords(199), "199 characters left.")
    assert.match(limitWords(-1), /^1 character too many/)
    assert.match(limitWords(-2), /^2 characters too many/)
  })
})
