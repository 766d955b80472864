import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { complete, completions, tokenAt } from "../../static/js/completion.js"

describe("what is being named at the cursor", () => {
  const token = (text) => tokenAt(text, text.length)

  it("begins with a sign, up to the cursor", () => {
    assert.deepEqual(token("hi @ad"), { sign: "@", start: 3, query: "ad" })
    assert.deepEqual(token("#gen"), { sign: "#", start: 0, query: "gen" })
    assert.deepEqual(token("(@"), { sign: "@", start: 1, query: "" })
    assert.deepEqual(tokenAt("@ada and @bob", 3), { sign: "@", start: 0, query: "ad" })
  })

  it("may have a space in a name of a person, not in one of a channel", () => {
    assert.equal(token("@Ada L")?.query, "Ada L")
    assert.equal(token("#gen eral"), null)
  })

  it("is nothing within a word, after a space, or on another line", () => {
    for (const text of ["", "me@home", "7#3", "@ ada", "@ada\nx", "plain"]) assert.equal(token(text), null, text)
  })
})

describe("completing", () => {
  const people = [
    { name: "Ada Lovelace", near: false },
    { name: "Bob", near: true },
    { name: "Bobby", near: false },
    { name: "Alan Ada", near: true },
    { name: "山田", near: false },
  ]
  const names = (query) => completions(people, query).map(({ name }) => name)

  it("offers who is near first, then whose name begins so", () => {
    assert.deepEqual(names("ada"), ["Alan Ada", "Ada Lovelace"])
    assert.deepEqual(names("bo"), ["Bob", "Bobby"])
    assert.deepEqual(names("山"), ["山田"])
    assert.deepEqual(names("ＬＯＶＥ"), ["Ada Lovelace"])
    assert.deepEqual(names("ov"), [])
  })

  it("has nothing to offer where a name is complete and no other goes on from it", () => {
    assert.deepEqual(names("bobby"), [])
    assert.deepEqual(names("Bob "), [])
    assert.deepEqual(names("bob"), ["Bob", "Bobby"])
    assert.deepEqual(names("ada l"), ["Ada Lovelace"])
  })

  it("puts the name in full, and the cursor after a space", () => {
    const token = tokenAt("hi @ad, you", 6)
    assert.deepEqual(complete("hi @ad, you", 6, token, "Ada L."), { text: "hi @Ada L. , you", cursor: 11 })
    assert.deepEqual(complete("@ad x", 3, tokenAt("@ad x", 3), "Ada"), { text: "@Ada x", cursor: 5 })
  })
})
