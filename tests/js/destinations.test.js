import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { everywhere, fitting, hrefOf, labelOf, peopleToWrite, shownAmong } from "../../static/js/sidebar/destinations.js"

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
  const many = Array.from({ length: 300 }, (_, n) => ({
    id: `c${n}`, kind: "public", unread: 1, lastAt: `2026-11-24T10:${String(n % 60).padStart(2, "0")}:00.000Z`,
  }))
  const ids = (channels, open) => shownAmong(channels, open).map(({ id }) => id)

  it("shows all of few", () => {
    assert.deepEqual(ids(many.slice(0, 100), "c0"), many.slice(0, 100).map(({ id }) => id))
  })

  it("shows of many the open one, direct conversations that wait, and the latest", () => {
    const old = { kind: "direct", lastAt: "2020-01-01T00:00:00.000Z" }
    const shown = ids([...many, { ...old, id: "waits", unread: 1 }, { ...old, id: "read", unread: 0 }], "c0")
    assert.equal(shown.length, 100)
    assert.deepEqual(shown.slice(0, 2), ["c0", "waits"])
    assert.ok(!shown.includes("read") && !shown.includes("c1"))
    assert.ok(shown.includes("c59") && shown.includes("c299"))
  })
})
