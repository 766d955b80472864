import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { markedPieces, wordsIn } from "../../static/js/lib/choosing.js"

describe("marking what was searched for", () => {
  const marked = (text, typed) =>
    markedPieces(text, wordsIn(typed)).map((piece) => (piece.marked ? `[${piece.text}]` : piece.text)).join("")

  it("marks every word, whatever its case", () => {
    assert.equal(marked("Go for launch, go!", "GO"), "[Go] for launch, [go]!")
    assert.equal(marked("go golf", "go golf"), "[go] [golf]")
    assert.equal(marked("Alle Größen", "größe"), "Alle [Größe]n")
  })

  it("marks what stands for a word, however it is written", () => {
    for (const [text, typed, shown] of [
      ["ein Café", "cafe\u0301", "ein [Café]"],
      ["CAFE\u0301s", "café", "[CAFE\u0301]s"],
      ["viê\u0323t nam", "việt", "[viê\u0323t] nam"],
      ["sehr ＦＵＬＬ!", "full", "sehr [ＦＵＬＬ]!"],
      ["half full", "ＦＵＬＬ", "half [full]"],
      ["Hauptstraße 7", "strasse", "Haupt[straße] 7"],
      ["Hauptstrasse 7", "Straße", "Haupt[strasse] 7"],
      ["STRAẞE", "straße", "[STRAẞE]"],
      ["heiß", "s", "hei[ß]"],
      ["oﬃce ﬁle", "fi", "o[ﬃ]ce [ﬁ]le"],
      ["in İstanbul", "istanbul", "in [İstanbul]"],
      ["ISPARTA", "ısparta", "[ISPARTA]"],
      ["η οδός, ο ΟΔΟΣ", "οδος", "η οδός, ο [ΟΔΟΣ]"],
      ["ｶﾞｲﾄﾞ", "ガ", "[ｶﾞ]ｲﾄﾞ"],
      ["東京都庁", "京都", "東[京都]庁"],
      ["\u1112\u1161\u11AB\u1100\u1173\u11AF과", "한글", "[\u1112\u1161\u11AB\u1100\u1173\u11AF]과"],
      ["한글", "\u1112\u1161\u11AB", "[한]글"],
      ["می\u200Cخواهم", "میخواهم", "[می\u200Cخواهم]"],
      ["co\u00ADoperate", "cooperate", "[co\u00ADoperate]"],
      ["so ❤\uFE0F", "❤", "so [❤\uFE0F]"],
      ["so ❤", "❤\uFE0F", "so [❤]"],
      ["𞤀𞤣 x", "𞤢𞤣", "[𞤀𞤣] x"],
      ["🚀 go", "go", "🚀 [go]"],
      ["かな", "カナ", "かな"],
      ["が", "か", "が"],
      ["two　words", "two　words", "[two] [words]"],
      ["plain", "\u200B", "plain"],
    ]) {
      assert.equal(marked(text, typed), shown)
    }
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
