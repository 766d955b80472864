import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { quote } from "../../static/js/composer/composer.js"

describe("a quotation", () => {
  const of = (text, author = "Ada") => quote({ author, link: "https://x/#m", text }).split("\n")

  it("begins with a link to what it quotes", () => {
    assert.deepEqual(of("hello"), ["> [Ada](https://x/#m) wrote:", "> hello"])
  })

  it("takes a name as it is", () => {
    assert.equal(of("x", "[*A*_`](b)\\")[0], "> [\\[\\*A\\*\\_\\`\\](b)\\\\](https://x/#m) wrote:")
    assert.equal(of("x", "Ada L.-O.")[0], "> [Ada L.-O.](https://x/#m) wrote:")
  })

  it("is short, and says when there was more", () => {
    assert.deepEqual(of("1\n\n2\n3\n4").slice(1), ["> 1", "> 2", "> 3…"])
    assert.deepEqual(of("1\n2\n3").slice(1), ["> 1", "> 2", "> 3"])
    assert.equal([...of("🚀".repeat(201))[1]].length, 2 + 200 + 1)
  })

  it("leaves out what was quoted itself, unless there is nothing else", () => {
    assert.deepEqual(of("> old\n> older\n\nnew").slice(1), ["> new"])
    assert.deepEqual(of("> old").slice(1), ["> > old"])
  })

  it("of a message without text is its first line alone", () => {
    assert.equal(of("").length, 1)
  })
})
