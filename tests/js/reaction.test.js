import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { tellWho, withReaction } from "../../static/js/reaction.js"

const user = (name) => ({ id: name.toLowerCase(), display_name: name })
const [ada, bob] = ["Ada", "Bob"].map(user)

describe("reactions", () => {
  const given = [{ reaction: "👍", users: [ada] }]

  it("are given once each, new ones last", () => {
    assert.deepEqual(withReaction(given, "👍", ada, true), given)
    assert.deepEqual(withReaction(given, "👍", bob, true), [{ reaction: "👍", users: [ada, bob] }])
    assert.deepEqual(withReaction(given, "🚀", bob, true), [...given, { reaction: "🚀", users: [bob] }])
  })

  it("are taken back, and gone with the last who gave them", () => {
    assert.deepEqual(withReaction([{ reaction: "👍", users: [ada, bob] }], "👍", bob, false), given)
    assert.deepEqual(withReaction(given, "👍", ada, false), [])
    assert.deepEqual(withReaction(given, "🚀", ada, false), given)
  })

  it("are told with names, many as a number", () => {
    const told = (...users) => tellWho(users)
    assert.equal(told(ada), "Ada reacted with")
    assert.equal(told(ada, bob), "Ada and Bob reacted with")
    assert.equal(told(ada, bob, user("Eve")), "Ada, Bob and Eve reacted with")
    const crowd = [..."ABCDEFGHIJ"].map(user)
    assert.equal(told(...crowd.slice(0, 9)), "A, B, C, D, E, F, G, H and 1 other reacted with")
    assert.equal(told(...crowd), "A, B, C, D, E, F, G, H and 2 others reacted with")
  })
})
