// The page's decisions, apart from its drawing.

import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { waitMs } from "../../static/js/backoff.js"
import { fold, tell } from "../../static/js/folding.js"
import { charsLeft, MAX_CHARS } from "../../static/js/limit.js"
import { newId, Outbox } from "../../static/js/outbox.js"
import { continues, dayName, placeOf, sameDay } from "../../static/js/timeline.js"

describe("reconnecting", () => {
  it("waits longer after each failure, up to half a minute", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 50].map((failures) => waitMs(failures, 0))
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it("leaves up to half of it to chance", () => {
    assert.equal(waitMs(3, 0.5), 3_000)
    assert.equal(waitMs(3, 1), 2_000)
  })
})

describe("join and leave notices", () => {
  const joined = (name) => ({ kind: "joined", id: name, display_name: name })
  const left = (name) => ({ kind: "left", id: name, display_name: name })
  const told = (...moves) => tell(moves.reduce(fold, []))

  it("name a few and count the rest", () => {
    assert.equal(told(joined("Ada")), "Ada joined.")
    assert.equal(told(joined("Ada"), joined("Bob")), "Ada and Bob joined.")
    assert.equal(told(joined("Ada"), joined("Bob"), joined("Eve")), "Ada, Bob and Eve joined.")
    assert.equal(told(...["A", "B", "C", "D"].map(joined)), "A, B, C and 1 other joined.")
    assert.equal(told(...["A", "B", "C", "D", "E"].map(left)), "A, B, C and 2 others left.")
  })

  it("cancel out", () => {
    assert.equal(told(joined("Ada"), left("Ada")), "")
    assert.equal(told(joined("Ada"), joined("Bob"), left("Ada")), "Bob joined.")
    assert.equal(told(left("Ada"), joined("Bob")), "Bob joined. Ada left.")
  })
})

describe("the length of a message", () => {
  it("is counted in code points, trimmed, as the server does", () => {
    assert.equal(charsLeft(""), MAX_CHARS)
    assert.equal(charsLeft("  🚀🚀 \n"), MAX_CHARS - 2)
    assert.equal(charsLeft("x".repeat(MAX_CHARS + 3)), -3)
  })
})

describe("the outbox", () => {
  const outboxOf = (stored = null) => {
    const kept = { stored }
    return [new Outbox(() => kept.stored, (written) => (kept.stored = written)), kept]
  }
  const draft = (id) => ({ id, text: `text of ${id}`, sentAt: "2026-11-24T10:00:00.000Z" })

  it("keeps drafts in order, each once, until they are dropped", () => {
    const [outbox, kept] = outboxOf()
    outbox.add(draft("a"))
    outbox.add(draft("b"))
    outbox.add(draft("b"))
    assert.deepEqual(outbox.drafts().map(({ id }) => id), ["a", "b"])
    assert.deepEqual(outbox.draft("a"), draft("a"))
    outbox.drop("a")
    outbox.drop("b")
    assert.equal(kept.stored, null)
  })

  it("survives what somebody else wrote there", () => {
    for (const stored of ["", "{", "7", "{}", "null"]) {
      assert.deepEqual(outboxOf(stored)[0].drafts(), [], stored)
    }
  })

  it("makes ids that the server takes", () => {
    const ids = new Set(Array.from({ length: 1_000 }, newId))
    assert.equal(ids.size, 1_000)
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{22}$/)
  })
})

describe("the timeline", () => {
  const at = (author, sentAt) => ({ author, sentAt })

  it("joins one author's messages of five minutes into a run", () => {
    const first = at("ada", "2026-11-24T10:00:00.000Z")
    assert.equal(continues(null, first), false)
    assert.equal(continues(first, at("ada", "2026-11-24T10:04:59.999Z")), true)
    assert.equal(continues(first, at("ada", "2026-11-24T10:05:00.000Z")), false)
    assert.equal(continues(first, at("bob", "2026-11-24T10:00:01.000Z")), false)
  })

  it("knows where a day ends for the reader", () => {
    const evening = new Date(2026, 10, 24, 23, 59).toISOString()
    const night = new Date(2026, 10, 25, 0, 1).toISOString()
    assert.equal(sameDay(at("ada", evening), at("ada", night)), false)
    assert.equal(continues(at("ada", evening), at("ada", night)), false)
    assert.equal(sameDay(null, at("ada", night)), false)
  })

  it("names days as people do", () => {
    const now = new Date(2026, 10, 24, 12)
    assert.equal(dayName(new Date(2026, 10, 24, 0, 1).toISOString(), now), "Today")
    assert.equal(dayName(new Date(2026, 10, 23, 23, 59).toISOString(), now), "Yesterday")
    assert.match(dayName(new Date(2026, 10, 1).toISOString(), now), /2026/)
  })

  it("places a message by its seq, whenever it arrives", () => {
    assert.equal(placeOf([], 5), 0)
    assert.equal(placeOf([1, 3, 9], 5), 2)
    assert.equal(placeOf([1, 3, 9], 10), 3)
    assert.equal(placeOf([1, 3, 9], 0), 0)
  })
})
