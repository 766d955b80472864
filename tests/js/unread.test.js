import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { firstUnread } from "../../static/js/conversation/unread.js"

describe("the first unread message", () => {
  const [own, other] = [true, false]

  it("is counted back over the messages of others", () => {
    assert.equal(firstUnread([other, other, other], 1), 2)
    assert.equal(firstUnread([other, own, other, own], 2), 0)
    assert.equal(firstUnread([other, own, own], 1), 0)
  })

  it("is the first that is kept, where more were unread", () => {
    assert.equal(firstUnread([own, other, other], 9), 1)
  })

  it("is none where all is read, or one's own", () => {
    assert.equal(firstUnread([other], 0), -1)
    assert.equal(firstUnread([own], 3), -1)
    assert.equal(firstUnread([], 3), -1)
    assert.equal(firstUnread([other], NaN), -1)
  })
})
