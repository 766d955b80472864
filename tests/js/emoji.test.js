import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { isEmojiAlone } from "../../static/js/conversation/emoji.js"

describe("emoji alone", () => {
  it("are one to three, however many code points each of them has", () => {
    for (const text of ["👍", "🚀🎉", "👩🏽‍🚀 ❤️ 🏳️‍🌈", "🇺🇦", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]) assert.equal(isEmojiAlone(text), true, text)
  })

  it("are not text, nor a crowd, nor nothing", () => {
    for (const text of ["", " ", "x", "👍 ok", "1", "#", "©", "*👍*", ":)", "👍👍👍👍"]) assert.equal(isEmojiAlone(text), false, text)
  })
})
