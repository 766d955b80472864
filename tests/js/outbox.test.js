import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fateOf, newId, Outbox } from "../../static/js/composer/sending.js"

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

  it("survives a reload", () => {
    const [before, kept] = outboxOf()
    before.add(draft("a"))
    const [after] = outboxOf(kept.stored)
    assert.deepEqual(after.drafts(), [draft("a")])
  })

  it("keeps what storage does not take, for as long as the page is open", () => {
    const refusing = new Outbox(() => null, () => {})
    refusing.add(draft("a"))
    refusing.add(draft("b"))
    refusing.refuse("b", "Too long.")
    assert.deepEqual(refusing.drafts(), [draft("a"), { ...draft("b"), refused: "Too long." }])
    refusing.drop("a")
    refusing.drop("b")
    assert.deepEqual(refusing.drafts(), [])
  })

  describe("in storage that is full for a while", () => {
    const tabOn = (kept) => new Outbox(() => kept.stored, (written) => {
      if (!kept.isFull || (written ?? "").length < kept.stored?.length) kept.stored = written
    })
    const ids = (outbox) => outbox.drafts().map(({ id }) => id)

    it("goes on there once there is room again", () => {
      const kept = { stored: JSON.stringify([draft("a")]), isFull: true }
      const outbox = tabOn(kept)
      outbox.add(draft("b"))
      assert.deepEqual(outbox.drafts(), [draft("a"), draft("b")])
      kept.isFull = false
      outbox.add(draft("c"))
      assert.deepEqual(JSON.parse(kept.stored), [draft("a"), draft("b"), draft("c")])
      assert.deepEqual([outbox.drafts(), outbox.unkept], [JSON.parse(kept.stored), []])
    })

    it("drops what it kept there, though the rest does not fit", () => {
      const kept = { stored: JSON.stringify([draft("a"), draft("b")]), isFull: true }
      const outbox = tabOn(kept)
      outbox.add({ ...draft("c"), text: "long ".repeat(100) })
      outbox.drop("a")
      assert.deepEqual([ids(outbox), ids(tabOn(kept))], [["b", "c"], ["b"]])
    })

    it("knows better here what it could not note there", () => {
      const kept = { stored: JSON.stringify([draft("a"), draft("b")]), isFull: true }
      const outbox = tabOn(kept)
      outbox.refuse("a", "Too long.")
      assert.deepEqual(outbox.drafts(), [{ ...draft("a"), refused: "Too long." }, draft("b")])
      assert.deepEqual(tabOn(kept).drafts(), [draft("a"), draft("b")])
    })

    it("leaves alone what another tab keeps there", () => {
      const kept = { stored: null, isFull: true }
      const [one, other] = [tabOn(kept), tabOn(kept)]
      one.add(draft("a"))
      assert.deepEqual([ids(one), ids(other)], [["a"], []])
      kept.isFull = false
      other.add(draft("b"))
      // As with every message that is heard.
      one.drop("somebody's")
      assert.deepEqual([ids(one), ids(other)], [["b", "a"], ["b", "a"]])
      other.drop("b")
      assert.deepEqual(ids(one), ["a"])
    })
  })

  it("remembers why a draft was refused, until it is to be tried again", () => {
    const [outbox] = outboxOf()
    outbox.add(draft("a"))
    outbox.refuse("a", "Too long.")
    assert.equal(outbox.draft("a")?.refused, "Too long.")
    outbox.refuse("a", undefined)
    assert.equal(outbox.draft("a")?.refused, undefined)
  })

  it("has nothing to refuse after dropping it", () => {
    const [outbox, kept] = outboxOf()
    outbox.refuse("gone", "Too long.")
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

describe("a message that was not taken", () => {
  const fate = (status, retryAfterMs = 0) => fateOf({ status, retryAfterMs })

  it("waits when the server says how long", () => {
    assert.equal(fate(429, 2_000), "waits")
    assert.equal(fate(503, 2_000), "waits")
  })

  it("goes out with the next connection when there was none", () => {
    for (const status of [0, 401, 408, 429, 500, 502]) assert.equal(fate(status), "lost", String(status))
  })

  it("needs its author when it is refused", () => {
    for (const status of [400, 403, 404, 413, 422]) assert.equal(fate(status), "refused", String(status))
  })
})
