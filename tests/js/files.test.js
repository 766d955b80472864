import assert from "node:assert/strict"
import { test } from "node:test"
import { admit, isNamesOf, shares, shownAs } from "../../static/js/conversation/files.js"

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

test("a text that only names the files beside it is told from one that says something", () => {
  for (const [text, ...names] of [
    ["plan.pdf", "plan.pdf"],
    ["", "image.png"],
    [" \r\n", "image.png"],
    ["one.txt\rtwo.txt", "one.txt", "two.txt"],
    ["one.txt\r\ntwo.txt\r\n", "one.txt", "two.txt"],
    ["two.txt", "one.txt", "two.txt"],
    ["Uebersicht U\u0308.pdf", "Uebersicht \u00dc.pdf"],
    ["\u00dcbersicht.pdf", "U\u0308bersicht.pdf"],
    ["報告 final", "報告 final.docx"],
    ["תוכנית.pdf", "תוכנית.pdf"],
    ["archive.tar", "archive.tar.gz"],
    [".bashrc", ".bashrc"],
    ["in/out.txt", "in:out.txt"],
    ["/home/ada/plan.pdf", "plan.pdf"],
    ["C:\\Users\\Ada\\plan.pdf", "plan.pdf"],
    ["file:///home/ada/Mein%20Pl%C3%A4n.pdf", "Mein Plän.pdf"],
    ["file:///home/ada/100%.pdf", "100%.pdf"],
    ["photos", "photos"],
  ]) {
    assert.ok(isNamesOf(text, names), `${JSON.stringify(text)} names ${names}`)
  }
  for (const [text, ...names] of [
    ["Revenue\t2026\r\nAda\t42\r\n", "image.png"],
    ["A paragraph of a letter.", "image.png"],
    ["see plan.pdf", "plan.pdf"],
    ["plan.pdf\nand a word on it", "plan.pdf"],
    ["plan", "planning.pdf"],
    ["https://example.org/", "image.png"],
    ["売上\t42", "image.png"],
    ["=SUM(A1:A3)", "image.png"],
    ["pdf", "plan.pdf"],
    ["Plan.PDF", "plan.pdf"],
  ]) {
    assert.ok(!isNamesOf(text, names), `${JSON.stringify(text)} is more than ${names}`)
  }
})

test("each file has its share of what went out", () => {
  assert.deepEqual(shares([100, 300], 0.5), [1, 1 / 3])
  assert.deepEqual(shares([0, 10], 0), [0, 0])
  assert.deepEqual(shares([0, 10], 1), [1, 1])
})
