import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { typingWords } from "../../static/js/composer/typing.js"

describe("who is typing", () => {
  const told = (...names) => typingWords(names).map((piece) => piece.name ?? piece.words).join("")

  it("is told by name, up to two", () => {
    assert.equal(told(), "")
    assert.equal(told("Ada"), "Ada is typing…")
    assert.equal(told("Ada", "Bob"), "Ada and Bob are typing…")
    assert.equal(told("Ada", "Bob", "Eve"), "Several people are typing…")
  })
})
