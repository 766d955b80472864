import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { hasReacted, isSameReaction, quickReactions, tellWho, withReaction } from "../../static/js/conversation/reactions.js"
import { isEmoji } from "../../static/js/lib/emoji.js"

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

  it("are the same however they are written, and stay as they were first", () => {
    for (const [one, other] of [
      ["❤\uFE0F", "❤"],
      ["1\uFE0F\u20E3", "1\u20E3"],
      ["🏳\uFE0F\u200D🌈", "🏳\u200D🌈"],
      ["é", "e\u0301"],
      ["が", "か\u3099"],
      ["가", "\u1100\u1161"],
    ]) {
      const first = [{ reaction: one, users: [ada] }]
      assert.ok(isSameReaction(one, other))
      assert.ok(hasReacted(first, other, ada))
      assert.deepEqual(withReaction(first, other, bob, true), [{ reaction: one, users: [ada, bob] }])
      assert.deepEqual(withReaction(first, other, ada, true), first)
      assert.deepEqual(withReaction(first, other, ada, false), [])
    }
    for (const [one, other] of [["👍🏻", "👍🏿"], ["👍", "👍🏿"], ["☺", "☺\uFE0E"], ["e", "é"], ["ok", "OK"]]) assert.ok(!isSameReaction(one, other))
  })

  it("of both forms, from before they were one, are given in their own and taken back in each", () => {
    const both = [{ reaction: "❤\uFE0F", users: [ada] }, { reaction: "❤", users: [ada, bob] }]
    const eve = user("Eve")
    assert.deepEqual(withReaction(both, "❤\uFE0F", bob, true), both)
    assert.deepEqual(withReaction(both, "❤", eve, true), [both[0], { reaction: "❤", users: [ada, bob, eve] }])
    assert.deepEqual(withReaction(both, "❤", ada, false), [{ reaction: "❤", users: [bob] }])
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

describe("the reactions at hand", () => {
  const usual = ["👍", "❤️", "😂", "🎉", "👀", "✅"]

  it("are six: those given last, latest first, then the usual ones", () => {
    for (const [used, given, expected] of [
      [[], undefined, usual],
      [[], "🚀", ["🚀", "👍", "❤️", "😂", "🎉", "👀"]],
      [["🚀"], "🎉", ["🎉", "🚀", "👍", "❤️", "😂", "👀"]],
      [["🚀", "🎉"], "🚀", ["🚀", "🎉", "👍", "❤️", "😂", "👀"]],
      [["1", "2", "3", "4", "5", "6"], "7", ["7", "1", "2", "3", "4", "5"]],
      // As the server compares them.
      [[], "❤", ["❤", "👍", "😂", "🎉", "👀", "✅"]],
      [[""].filter(Boolean), undefined, usual],
    ]) assert.deepEqual(quickReactions(used, given), expected)
  })

  it("are emoji alone, of any kind", () => {
    for (const emoji of ["👍", "❤️", "👍🏽", "👩‍💻", "🇩🇪", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🐦‍🔥", "✅"]) assert.ok(isEmoji(emoji), emoji)
    for (const word of ["", "ok", "1", "👍👍", "👍!", "ありがとう", "🏽", "✓", " 👍", "كل"]) assert.ok(!isEmoji(word), word)
  })
})
