import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { markedPieces, wordsIn } from "../../static/js/marking.js"

describe("marking what was searched for", () => {
  const marked = (text, typed) =>
    markedPieces(text, wordsIn(typed)).map((piece) => (piece.marked ? `[${piece.text}]` : piece.text)).join("")

  it("marks every word, whatever its case", () => {
    assert.equal(marked("Go for launch, go!", "GO"), "[Go] for launch, [go]!")
    assert.equal(marked("go golf", "go golf"), "[go] [golf]")
    assert.equal(marked("Alle Größen", "größe"), "Alle [Größe]n")
  })

  it("takes signs literally", () => {
    assert.equal(marked("a.b axb (c)", "a.b (c)"), "[a.b] axb [(c)]")
    assert.equal(marked("1-2/3 {x}", "1-2/3 {x}"), "[1-2/3] [{x}]")
  })

  it("begins shortly before the first word, and puts all on one line", () => {
    const long = `${"word ".repeat(40)}needle`
    const shown = marked(long, "needle")
    assert.match(shown, /^…word .*\[needle\]$/)
    assert.ok(shown.length < 80)
    assert.equal(marked("one\n\ntwo", "two"), "one [two]")
  })

  it("shows the text where no word is found in it", () => {
    assert.equal(marked("plain", "other"), "plain")
    assert.equal(marked("plain", ""), "plain")
  })
})
