import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { caughtUpWords, lostNothing } from "../../static/js/conversation/unread.js"

describe("after a gap", () => {
  it("nothing was lost while anything that was seen is kept, or where there is room left", () => {
    assert.ok(lostNothing(["a", "b"], ["b", "c", "d"], 3))
    assert.ok(!lostNothing(["a", "b"], ["c", "d", "e"], 3))
    assert.ok(lostNothing([], ["c", "d"], 3))
    assert.ok(!lostNothing([], ["c", "d", "e"], 3))
  })

  it("what is new and what is lost is said, and nothing when there is neither", () => {
    assert.equal(caughtUpWords({ fresh: 7, complete: true }), "Caught up: 7 new, 0 lost.")
    assert.equal(caughtUpWords({ fresh: 0, complete: true }), "")
    assert.equal(caughtUpWords({ fresh: 100, complete: false }), "Caught up: 100 new. Older ones may be gone.")
    assert.equal(caughtUpWords({ fresh: 0, complete: false }), "Caught up. Older messages may be gone.")
  })
})
