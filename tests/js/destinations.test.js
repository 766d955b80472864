import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { afterActivity, channelsFitting, everywhere, fitting, hrefOf, labelOf, peopleToWrite, shownAmong } from "../../static/js/sidebar/destinations.js"

const people = [
  { id: "1", display_name: "Ada", online: false },
  { id: "2", display_name: "Bob", online: true },
  { id: "3", display_name: "Me", online: true },
]

describe("where one can go", () => {
  const channel = (label, rest = {}) => ({ kind: "public", label, href: `/channels/${label}`, unread: 0, lastAt: "", ...rest })
  const channels = [
    channel("general", { lastAt: "2026-11-24T10:00:00.000Z" }),
    channel("launch", { unread: 2, lastAt: "2026-11-23T10:00:00.000Z" }),
    channel("Bob", { kind: "direct", user: "2", href: "/channels/@Bob" }),
    channel("Gone", { kind: "direct", user: "9", href: "/channels/id:7" }),
  ]
  const labels = (typed) => fitting(everywhere(channels, people, "3"), typed).map(({ label }) => label)

  it("is what is unread first, then what is recent, then everybody else", () => {
    assert.deepEqual(labels(""), ["launch", "general", "Bob", "Gone", "Notes to self", "Ada"])
  })

  it("is found by its beginning, by a word, or by a part", () => {
    assert.deepEqual(labels("#gen"), ["general"])
    assert.deepEqual(labels("self"), ["Notes to self"])
    assert.deepEqual(labels("o"), ["Bob", "Gone", "Notes to self"])
    assert.deepEqual(labels("nothing"), [])
  })

  it("is everybody, with oneself first and then who is online", () => {
    assert.deepEqual(peopleToWrite(people, "3").map(({ label }) => label), ["Notes to self", "Bob", "Ada"])
  })

  it("is the same person before and after a conversation begins", () => {
    const idOfBob = (known) => everywhere(known, people, "3").find(({ label }) => label === "Bob").id
    assert.equal(idOfBob(channels), idOfBob([]))
  })

  it("tells who is there", () => {
    const presences = everywhere(channels, people, "3").map(({ presence }) => presence)
    assert.deepEqual(presences, ["", "", "online", "gone", "notes", "offline"])
  })
})

describe("a direct conversation", () => {
  const direct = { id: "7", name: "@Bob" }

  it("is called after the other one as they are called now", () => {
    assert.equal(labelOf(direct, people[0], "3"), "Ada")
    assert.equal(labelOf(direct, undefined, "3"), "Bob")
    assert.equal(labelOf(direct, people[2], "3"), "Notes to self")
  })

  it("is found under a name only while the partner holds it", () => {
    assert.equal(hrefOf(direct, { ...people[1], display_name: "Bob ?#" }), "/channels/@Bob%20%3F%23")
    assert.equal(hrefOf(direct, undefined), "/channels/id:7")
  })
})

describe("the sidebar", () => {
  const BLANK = { kind: "public", lastAt: "", unread: 0, mentions: 0, starred: false, hidden: false, visited: false }
  const channel = (name, rest = {}) => ({ ...BLANK, id: name, name, ...rest })
  const direct = (name, rest = {}) => channel(name, { kind: "direct", lastAt: "2026-11-24T10:00:00.000Z", ...rest })
  const silent = (count) => Array.from({ length: count }, (_, n) => channel(`x${String(n).padStart(3, "0")}`))
  const names = (channels, open = "") => shownAmong(channels, open).map(({ name }) => name)

  it("shows all of few channels, and of many those that one has been to", () => {
    assert.equal(names(silent(30)).length, 30)
    assert.deepEqual(names(silent(31)), [])
    assert.deepEqual(names(silent(31), "x004"), ["x004"])
  })

  // As tests/spec/sidebar.rs has it for the server.
  for (const [why, one, isShown] of [
    ["nothing", channel("c"), false],
    ["somebody else's message", channel("c", { unread: 1 }), false],
    ["been there", channel("c", { visited: true }), true],
    ["a mention", channel("c", { unread: 1, mentions: 1 }), true],
    ["a star", channel("c", { starred: true }), true],
    ["a bell", channel("c", { bell: "everything" }), false],
    ["a star, hidden", channel("c", { starred: true, hidden: true }), false],
    ["been there, hidden", channel("c", { visited: true, hidden: true }), false],
    ["a conversation", direct("@c"), true],
    ["a conversation without a message", direct("@c", { lastAt: "" }), true],
    ["a conversation, hidden", direct("@c", { hidden: true }), false],
    ["a conversation, hidden, starred", direct("@c", { hidden: true, starred: true }), false],
  ]) {
    it(`${isShown ? "shows" : "leaves out"} among many: ${why}`, () => {
      assert.deepEqual(names([...silent(40), one]), isShown ? [one.name] : [])
      assert.deepEqual(names([...silent(40), one], one.id), [one.name], "open, it is always shown")
    })
  }

  it("has starred ones first, then public ones by name, then the latest conversations", () => {
    const at = (minute) => ({ lastAt: `2026-11-24T10:0${minute}:00.000Z` })
    const channels = [
      direct("@bob", at(1)), channel("zulu", at(9)), direct("@cy", at(2)), channel("alpha"), direct("@new", { lastAt: "" }),
      channel("mike", { starred: true }), direct("@dee", { starred: true, ...at(1) }), channel("echo", { starred: true }), direct("@eve", { starred: true, ...at(3) }),
    ]
    assert.deepEqual(names(channels), ["echo", "mike", "@eve", "@dee", "alpha", "zulu", "@new", "@cy", "@bob"])
  })

  it("shows of too many the open one, starred ones, those that call, and the latest", () => {
    const many = Array.from({ length: 300 }, (_, n) => direct(`@${n}`, { unread: 0, lastAt: `2026-11-24T10:${String(n % 60).padStart(2, "0")}:00.000Z` }))
    const old = { lastAt: "2020-01-01T00:00:00.000Z" }
    const shown = names([...many, direct("@waits", { unread: 1, ...old }), direct("@read", old), direct("@star", { starred: true, ...old })], "@0")
    assert.equal(shown.length, 100)
    for (const name of ["@0", "@waits", "@star", "@59", "@299"]) assert.ok(shown.includes(name), name)
    for (const name of ["@read", "@1", "@60"]) assert.ok(!shown.includes(name), name)
  })

  it("learns from what happens that a hidden one calls, and that one has been somewhere", () => {
    const [before, after] = ["2026-11-24T10:00:00.000Z", "2026-11-24T10:01:00.000Z"]
    for (const [what, was, told, hidden, visited] of [
      ["said in public", { hidden: true }, { unread: 1, mentions: 0, lastAt: after }, true, false],
      ["named in public", { hidden: true }, { unread: 1, mentions: 1, lastAt: after }, false, false],
      ["named before, said now", { hidden: true, unread: 1, mentions: 1 }, { unread: 2, mentions: 1, lastAt: after }, true, false],
      ["said in a conversation", { hidden: true, kind: "direct" }, { unread: 1, mentions: 0, lastAt: after }, false, false],
      ["read in a conversation", { hidden: true, kind: "direct", unread: 1 }, { unread: 0, mentions: 0, lastAt: before }, true, true],
      ["deleted in a conversation", { hidden: true, kind: "direct", unread: 1 }, { unread: 0, mentions: 0, lastAt: "" }, true, false],
      ["read on another device", {}, { unread: 0, mentions: 0, lastAt: before }, false, true],
    ]) {
      const now = afterActivity(channel("c", { lastAt: before, ...was }), told)
      assert.deepEqual([now.hidden, now.visited, now.unread], [hidden, visited, told.unread], what)
    }
  })
})

describe("all channels", () => {
  const channels = [["general", "", "1"], ["ops", "Launch control", "3"], ["launch", "", "2"], ["pre-launch", "", null], ["relaunch", "", "4"], ["équipe", "", "1"]]
  const found = (typed) => channelsFitting(channels.map(([name, topic, last_message_at]) => ({ name, topic, last_message_at })), typed).map(({ name }) => name)

  it("are found by name, then by topic, and the latest come first", () => {
    assert.deepEqual(found(""), ["relaunch", "ops", "launch", "general", "équipe", "pre-launch"])
    assert.deepEqual(found("LAUNCH"), ["launch", "pre-launch", "relaunch", "ops"])
    assert.deepEqual(found("control"), ["ops"])
    assert.deepEqual(found("équ"), ["équipe"])
    assert.deepEqual(found("nothing"), [])
  })
})
