import assert from "node:assert/strict"
import { test } from "node:test"
import { admit, shares, shownAs } from "../../static/js/conversation/files.js"

test("an image without dimensions is a card", () => {
  assert.equal(shownAs({ media_type: "image/png", width: 3 }), "image")
  assert.equal(shownAs({ media_type: "image/svg+xml" }), "card")
  assert.equal(shownAs({ media_type: "audio/mpeg" }), "audio")
  assert.equal(shownAs({ media_type: "text/html" }), "card")
})

test("what is too large or too many is refused, and the rest is taken", () => {
  const limits = { maxBytes: 1024, maxFiles: 2 }
  const file = (name, size) => ({ name, size })
  const { taken, refused } = admit([file("a", 1), file("b", 2000), file("c", 1024), file("d", 1)], 0, limits)
  assert.deepEqual(taken.map(({ name }) => name), ["a", "c"])
  assert.deepEqual(refused, ["“b” has 2 KiB: a file has at most 1 KiB.", "A message has at most 2 files."])
  assert.deepEqual(admit([file("a", 1)], 2, limits).taken, [])
})

test("each file has its share of what went out", () => {
  assert.deepEqual(shares([100, 300], 0.5), [1, 1 / 3])
  assert.deepEqual(shares([0, 10], 0), [0, 0])
  assert.deepEqual(shares([0, 10], 1), [1, 1])
})
