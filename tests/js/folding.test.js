import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fold, noticeWords } from "../../static/js/conversation/people.js"

describe("join and leave notices", () => {
  const joined = (name) => ({ kind: "joined", id: name, display_name: name })
  const left = (name) => ({ kind: "left", id: name, display_name: name })
  const told = (...moves) => noticeWords(moves.reduce(fold, [])).replaceAll(/[\u2068\u2069]/g, "")

  it("name a few and count the rest", () => {
    assert.equal(told(joined("Ada")), "Ada joined")
    assert.equal(told(joined("Ada"), joined("Bob")), "Ada and Bob joined")
    assert.equal(told(joined("Ada"), joined("Bob"), joined("Eve")), "Ada, Bob and Eve joined")
    assert.equal(told(...["A", "B", "C", "D"].map(joined)), "A and 3 others joined")
    assert.equal(told(...["A", "B", "C", "D", "E"].map(left)), "A and 4 others left")
    assert.equal(told(...["Ada", "B", "C", "D"].map(joined), left("Bob")), "Ada and 3 others joined, Bob left")
  })

  it("keep names in their own direction", () => {
    assert.equal(noticeWords([joined("غريس")]), "\u2068غريس\u2069 joined")
  })

  it("cancel out", () => {
    assert.equal(told(joined("Ada"), left("Ada")), "")
    assert.equal(told(left("Ada"), joined("Ada")), "")
    assert.equal(told(joined("Ada"), joined("Bob"), left("Ada")), "Bob joined")
    assert.equal(told(left("Ada"), joined("Bob")), "Bob joined, Ada left")
  })

  it("tell the same thing twice only once", () => {
    assert.equal(told(joined("Ada"), joined("Ada")), "Ada joined")
  })
})
