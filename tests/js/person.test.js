import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { cardView, personView } from "../../static/js/conversation/people.js"

describe("somebody's card", () => {
  const ada = { id: "1", display_name: "Ada Lovelace", online: true, bot: false }

  for (const [what, named, person, isKnown, shown] of [
    ["who is online", { id: "1", name: "Ada" }, ada, true, { name: "Ada Lovelace", initials: "AL", presence: "online", words: "Online", is_bot: false, write: "Message", href: "/channels/@Ada%20Lovelace" }],
    ["who is not", { id: "1", name: "Ada" }, { ...ada, online: false }, true, { presence: "offline", words: "Not online" }],
    ["a program", { id: "1", name: "CI", bot: false }, { ...ada, bot: true }, true, { is_bot: true }],
    ["oneself", { id: "me", name: "李小龍" }, { ...ada, id: "me", display_name: "李小龍" }, true, { is_me: true, presence: "", words: "This is you.", write: "Notes to self" }],
    ["who has left for good", { id: "2", name: "أمل" }, undefined, true, { name: "أمل", presence: "", words: "Signed out for good.", href: "" }],
    ["a program that has left", { id: "2", name: "CI", bot: true }, undefined, true, { is_bot: true, href: "" }],
    ["who is not known yet", { id: "2", name: "Ελένη" }, undefined, false, { words: "", href: "/channels/@%CE%95%CE%BB%CE%AD%CE%BD%CE%B7" }],
  ]) {
    it(`tells of ${what}`, () => {
      const view = cardView(named, person, isKnown, "me")
      assert.deepEqual(Object.fromEntries(Object.keys(shown).map((key) => [key, view[key]])), shown)
    })
  }

  it("marks programs in the list of who is here, too", () => {
    assert.equal(personView({ id: "1", display_name: "CI", bot: true }, "me").is_bot, true)
    assert.equal(personView({ id: "1", display_name: "Ada" }, "me").is_bot, false)
  })
})
