import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { badge, titled } from "../../static/js/shell/notifications.js"
import { tally, waitingIn } from "../../static/js/sidebar/destinations.js"

describe("what is unread", () => {
  const channels = [
    { id: "a", kind: "public", unread: 5, mentions: 2 },
    { id: "b", kind: "direct", unread: 3, mentions: 1 },
    { id: "c", kind: "public", unread: 1, mentions: 0 },
  ]

  it("calls when it names one or is said in private", () => {
    assert.deepEqual(tally(channels, ""), { calls: 5, rest: 4 })
  })

  it("does not count where one is looking", () => {
    assert.deepEqual(tally(channels, "b"), { calls: 2, rest: 4 })
  })

  it("is one number, wherever it is shown", () => {
    for (const [kind, unread, mentions, calls, count, unit] of [
      ["public", 0, 0, 0, 0, " unread"],
      ["public", 5, 0, 0, 5, " unread"],
      ["public", 5, 1, 1, 1, " mention"],
      ["public", 5, 2, 2, 2, " mentions"],
      ["direct", 5, 2, 5, 5, " unread"],
      ["direct", 1, 1, 1, 1, " unread"],
      ["direct", 0, 0, 0, 0, " unread"],
    ]) assert.deepEqual(waitingIn({ kind, unread, mentions }), { calls, rest: unread - calls, count, unit })
  })

  it("shows in the title as a number, or as a dot", () => {
    assert.equal(titled("#general", { calls: 3, rest: 9 }), "(3) #general · Houston")
    assert.equal(titled("#general", { calls: 0, rest: 9 }), "• #general · Houston")
    assert.equal(titled("#general", { calls: 0, rest: 0 }), "#general · Houston")
  })

  it("shows on the icon", () => {
    assert.match(badge({ calls: 12, rest: 0 }), />9\+</)
    assert.match(badge({ calls: 0, rest: 1 }), /circle/)
    assert.equal(badge({ calls: 0, rest: 0 }), "")
  })
})
