import assert from "node:assert/strict"
import { afterEach, beforeEach, describe, it } from "node:test"
import { Listing } from "../../static/js/net/api.js"

describe("a list that is asked for while things happen", () => {
  const { fetch } = globalThis
  /** Answers to what was asked, when the test gives them. */
  let asked
  let shown
  let listing
  beforeEach(() => {
    asked = []
    shown = []
    globalThis.fetch = () => new Promise((answer) => asked.push((body, status) => answer(Response.json(body, { status }))))
    listing = new Listing("/things", (body, heard) => shown.push([body, ...heard]))
  })
  afterEach(() => (globalThis.fetch = fetch))

  it("is taken though something is heard during each request, which is newer", async () => {
    listing.heard("before")
    for (const answer of ["first", "second"]) {
      const read = listing.read()
      listing.heard(`during the ${answer}`)
      asked.shift()(answer)
      assert.equal(await read, true)
    }
    assert.deepEqual(shown, [["first", "during the first"], ["second", "during the second"]])
    assert.equal(asked.length, 0)
  })

  it("is asked for once at a time, and once more for all who asked meanwhile", async () => {
    const reads = [listing.read(), listing.read(), listing.read()]
    assert.equal(asked.length, 1)
    asked[0]("too early for the others")
    while (asked.length < 2) await new Promise((next) => setImmediate(next))
    asked[1]("for all")
    assert.deepEqual(await Promise.all(reads), [true, true, true])
    assert.deepEqual(shown, [["too early for the others"], ["for all"]])
    assert.equal(asked.length, 2)
  })

  it("is stale without an answer, and when more happened than was heard", async () => {
    const read = listing.read()
    asked[0](null, 503)
    assert.equal(await read, false)
    assert.deepEqual([shown, listing.stale], [[], true])
    const again = listing.read()
    assert.equal(listing.stale, false)
    listing.stale = true
    asked[1]("late")
    assert.equal(await again, true)
    assert.equal(listing.stale, true)
  })
})
