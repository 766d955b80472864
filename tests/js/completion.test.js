import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { closedAt, complete, completions, tokenAt } from "../../static/js/composer/completion.js"
import { folded } from "../../static/js/lib/choosing.js"

/** What names somebody and what does not: the server's tests read the same table. */
const NAMES = JSON.parse(readFileSync(new URL("../text/names.json", import.meta.url), "utf8"))

/** Who and what there is: these users, and one channel. */
const known = (users) => (sign, name) =>
  (sign === "#" ? ["general"] : users).some((each) => folded(each) === folded(name))

describe("what is being named at the cursor, by the table", () => {
  for (const { kind, users, typed, query } of NAMES.filter(({ typed }) => typed !== undefined)) {
    it(`${kind}: ${typed}`, () => assert.equal(tokenAt(typed, typed.length, known(users))?.query ?? null, query))
  }
})

describe("what is being named at the cursor", () => {
  const token = (text) => tokenAt(text, text.length)

  it("begins with a sign, up to the cursor", () => {
    assert.deepEqual(token("hi @ad"), { sign: "@", start: 3, query: "ad" })
    assert.deepEqual(token("#gen"), { sign: "#", start: 0, query: "gen" })
    assert.deepEqual(token("(@"), { sign: "@", start: 1, query: "" })
    assert.deepEqual(tokenAt("@ada and @bob", 3), { sign: "@", start: 0, query: "ad" })
  })

  it("may have a space in a name of a person, not in one of a channel", () => {
    assert.equal(token("@Ada L")?.query, "Ada L")
    assert.equal(token("#gen eral"), null)
  })

  it("is nothing within a word, after a space, or on another line", () => {
    for (const text of ["", "me@home", "7#3", "@ ada", "@ada\nx", "plain"]) assert.equal(token(text), null, text)
  })

  it("is nothing within a word of a script that is written with spaces, whatever its marks", () => {
    for (const text of ["naïve@b", "q\u0308\u0323@b", "γειά@b", "გამარჯობა@b", "नमस्ते@b", "வணக்கம்@b", "ሰላም@b", "٣@b", "𝟕@b", "①@b"]) {
      assert.equal(token(text), null, text)
    }
  })

  it("begins after scripts without spaces, emoji and signs", () => {
    for (const text of ["コーヒー@b", "々@b", "㊗@b", "ﾄﾞ@b", "ที่นี่@b", "ສະບາຍດີ@b", "សួស្តី@b", "မင်္ဂလာပါ@b", "7️⃣@b", "©️@b", "👩🏽‍🚀@b", "🇺🇦@b", "…@b", "。@b"]) {
      assert.equal(token(text)?.query, "b", text)
    }
  })

  it("begins after the name of somebody or of a channel, and after no other", () => {
    const isName = known(["Tom", "Ада", "Zoë K"])
    for (const text of ["@Tom@N", "@tom＃N", "＠Ада@N", "@Zoe\u0308 K@N", "#general@N", "@Tom@Ада@N"]) {
      assert.equal(tokenAt(text, text.length, isName)?.query, "N", text)
    }
    for (const text of ["@Tomas@N", "@To@N", "#generals@N", "x@Tom@N", "@Ada@N"]) assert.equal(tokenAt(text, text.length, isName), null, text)
  })

  it("is the beginning of a shortcode from two characters on", () => {
    assert.deepEqual(token("hi :ta"), { sign: ":", start: 3, query: "ta" })
    for (const [text, query] of [["(:smi", "smi"], ["🎉:ta", "ta"], ["お疲れ様:ta", "ta"], [":+1", "+1"], ["@Ada :TAD", "TAD"], ["**:ro", "ro"]]) {
      assert.equal(token(text)?.query, query, text)
      assert.equal(token(text)?.sign, ":", text)
    }
    for (const text of ["10:30", "https://a", "note:ok", "é:ta", "std::ve", ":", ":)", ":D", ":t", ": ta", ":ta da", ":tä", "я:ta", "3\u0301:ta"]) {
      assert.equal(token(text), null, text)
    }
  })

  it("is a whole shortcode once it is closed", () => {
    const closed = (text) => closedAt(text, text.length)
    assert.deepEqual(closed("so :tada:"), { sign: ":", start: 3, query: "tada" })
    assert.equal(closed(":x:")?.query, "x")
    assert.equal(closed("終わり:+1:")?.query, "+1")
    for (const text of ["10:30:", "a:tada:", "::tada:", ":tada", ":ta da:", "::", ":"]) assert.equal(closed(text), null, text)
  })

  it("is nothing in code", () => {
    for (const text of ["`:tada", "so ``x :tada", "```\n:tada", "```rust\nlet x\n:tada", "~~~\n:tada"]) assert.equal(token(text), null, text)
    for (const text of ["`x` :tada", "`x\n:tada", "```\nx\n```\n:tada"]) assert.equal(token(text)?.query, "tada", text)
  })
})

describe("completing", () => {
  const people = [
    { name: "Ada Lovelace", near: false },
    { name: "Bob", near: true },
    { name: "Bobby", near: false },
    { name: "Alan Ada", near: true },
    { name: "山田", near: false },
  ]
  const names = (query) => completions(people, query).map(({ name }) => name)

  it("offers who is near first, then whose name begins so", () => {
    assert.deepEqual(names("ada"), ["Alan Ada", "Ada Lovelace"])
    assert.deepEqual(names("bo"), ["Bob", "Bobby"])
    assert.deepEqual(names("山"), ["山田"])
    assert.deepEqual(names("ＬＯＶＥ"), ["Ada Lovelace"])
    assert.deepEqual(names("ov"), [])
  })

  it("has nothing to offer where a name is complete and no other goes on from it", () => {
    assert.deepEqual(names("bobby"), [])
    assert.deepEqual(names("Bob "), [])
    assert.deepEqual(names("bob"), ["Bob", "Bobby"])
    assert.deepEqual(names("ada l"), ["Ada Lovelace"])
  })

  /** The text after completing, with the cursor. */
  const completed = (text, cursor, chosen) => {
    const { start, end, words } = complete(text, cursor, tokenAt(text, cursor), chosen)
    return `${text.slice(0, start)}${words}|${text.slice(end)}`
  }

  it("puts the name in full, and one space after it", () => {
    assert.equal(completed("hi @ad, you", 6, "Ada L."), "hi @Ada L. |, you")
    assert.equal(completed("@ad x", 3, "Ada"), "@Ada |x")
    assert.equal(completed("＃ge", 3, "general"), "＃general |")
  })

  it("puts an emoji in the place of its shortcode", () => {
    assert.equal(completed("so :tad!", 7, "🎉"), "so 🎉|!")
    assert.equal(completed(":tad x", 4, "🎉"), "🎉| x")
  })
})
