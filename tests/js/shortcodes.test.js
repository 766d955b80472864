import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { emojiFor, emojiOf } from "../../static/js/lib/emoji.js"

const KNOWN = [
  ["😄", ["smile", "grinning_face_with_smiling_eyes"]],
  ["😃", ["smiley", "grinning_face_with_big_eyes"]],
  ["😍", ["heart_eyes", "smiling_face_with_heart_eyes"]],
  ["💘", ["cupid", "heart_with_arrow"]],
  ["❤️", ["heart", "red_heart"]],
  ["👍", ["+1", "thumbsup", "thumbs_up"]],
  ["📧", ["e-mail", "e_mail"]],
  ["🚱", ["non-potable_water", "non_potable_water"]],
  ["🤷‍♀️", ["woman_shrugging"]],
  ["🎉", ["tada", "party_popper"]],
]

const found = (query) => emojiFor(KNOWN, query).map(({ emoji }) => emoji)

describe("the emoji of a shortcode", () => {
  it("is found by any of its names, in any case", () => {
    for (const [shortcode, emoji] of [
      ["tada", "🎉"], ["TADA", "🎉"], ["party_popper", "🎉"], ["+1", "👍"], ["e-mail", "📧"], ["woman-shrugging", "🤷‍♀️"],
    ]) assert.equal(emojiOf(KNOWN, shortcode), emoji, shortcode)
    for (const none of ["", "tad", "30", "tada_", "__proto__", "constructor"]) assert.equal(emojiOf(KNOWN, none), undefined, none)
  })
})

describe("the emoji that a shortcode's beginning may mean", () => {
  it("are the one that is called so, then by their beginning, a word's, and what is in them", () => {
    assert.deepEqual(found("heart"), ["❤️", "😍", "💘"])
    assert.deepEqual(found("smil"), ["😄", "😃", "😍"])
    assert.deepEqual(found("popp"), ["🎉"])
    assert.deepEqual(found("table"), ["🚱"])
    assert.deepEqual(found("Heart"), found("heart"))
    assert.deepEqual(found("zz"), [])
  })

  it("come each once, by the name that fits best, with the others beside it", () => {
    assert.deepEqual(emojiFor(KNOWN, "thumbs"), [{ emoji: "👍", name: "thumbsup", others: ["+1", "thumbs_up"] }])
    assert.deepEqual(emojiFor(KNOWN, "grin").map(({ name }) => name), ["grinning_face_with_big_eyes", "grinning_face_with_smiling_eyes"])
  })

  it("are none for a face of signs", () => {
    for (const query of ["-p", "-m", "+"]) assert.deepEqual(found(query).filter((emoji) => emoji !== "👍"), [], query)
    assert.deepEqual(found("+1"), ["👍"])
  })

  it("are no more than can be looked over", () => {
    const many = Array.from({ length: 20 }, (_, n) => [String(n), [`same_${n}`]])
    assert.equal(emojiFor(many, "same").length, 8)
    assert.equal(emojiFor(many, "same", 15).length, 15)
  })
})
