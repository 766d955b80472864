import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { callsAmong, newsAmong, notificationWords, rings, SILENT, withCall } from "../../static/js/shell/notifications.js"

describe("a channel's bell", () => {
  const before = { unread: 1, mentions: 1, lastAt: "2026-11-24T10:00:00.000Z" }
  const said = { unread: 2, mentions: 1, lastAt: "2026-11-24T10:00:01.000Z" }
  const named = { ...said, mentions: 2 }

  it("rings for what it is set to", () => {
    const heard = (bell) => [rings(bell, before, said), rings(bell, before, named)]
    assert.deepEqual(heard("everything"), [true, true])
    assert.deepEqual(heard("mentions"), [false, true])
    assert.deepEqual(heard("nothing"), [false, false])
  })

  it("does not ring for what was read or deleted", () => {
    assert.equal(rings("everything", before, before), false)
    assert.equal(rings("everything", said, { ...named, lastAt: before.lastAt }), false)
    assert.equal(rings("everything", before, { ...said, unread: 0 }), false)
    assert.equal(rings("everything", before, SILENT), false)
    assert.equal(rings("everything", SILENT, before), true)
  })
})

describe("a call of everybody who is here", () => {
  const HTML = '<p><span data-here="">@here</span> lunch</p>'
  const at = (seconds) => new Date(Date.UTC(2026, 10, 24, 10, 0, seconds)).toISOString()
  const said = (seq, id, seconds, html = HTML) => ({ seq, author: { id, display_name: id }, text: "@here lunch", html, sent_at: at(seconds) })
  const called = (messages, calledAt) => callsAmong(messages, "ada", calledAt).map(({ seq }) => seq)

  it("is told once a minute for each author, and not to the author", () => {
    assert.deepEqual(called([said(1, "bob", 0), said(2, "bob", 30), said(3, "eve", 40), said(4, "bob", 59)]), [1, 3])
    assert.deepEqual(called([said(1, "bob", 0), said(2, "bob", 30), said(3, "bob", 60), said(4, "bob", 119), said(5, "bob", 121)]), [1, 3, 5])
    assert.deepEqual(called([said(1, "ada", 0)]), [])
  })

  it("is none where it is only written down, or quoted", () => {
    for (const html of [
      "<p>@here</p>",
      "<p><code>@here</code></p>",
      "<blockquote><p>@here lunch</p></blockquote>",
      '<pre><code>&lt;span data-here=""&gt;</code></pre>',
      '<p>data-here="" <a href="https://a.example/data-here=">x</a></p>',
    ]) assert.deepEqual(called([said(1, "bob", 0, html)]), [], html)
  })

  it("counts those that were told in other channels", () => {
    const told = withCall({ eve: Date.parse(at(-120)) }, said(1, "bob", 0))
    assert.deepEqual(Object.keys(told), ["bob"])
    assert.deepEqual(called([said(7, "bob", 20), said(8, "bob", 70)], told), [8])
    assert.deepEqual(called([said(7, "eve", 20)], told), [7])
  })

  it("rings like a mention, once", () => {
    const messages = [said(1, "bob", 0), said(2, "bob", 5, "<p>so?</p>")]
    const calls = callsAmong(messages, "ada")
    assert.equal(newsAmong(messages, "mentions", "ada", 0, calls)?.seq, 1)
    assert.equal(newsAmong(messages, "mentions", "ada", 1, calls), undefined)
    assert.equal(newsAmong(messages, "mentions", "ada", 0), undefined)
    assert.equal(newsAmong(messages, "everything", "ada", 0, calls)?.seq, 2)
  })
})

describe("a notification", () => {
  const message = (seq, id) => ({ seq, author: { id, display_name: id }, text: `number ${seq}` })
  const said = (seq, html) => ({ ...message(seq, "bob"), html })

  it("is of the newest message, once, and never of one's own", () => {
    const messages = [message(1, "ada"), message(2, "bob")]
    assert.equal(newsAmong(messages, "everything", "ada", 0)?.seq, 2)
    assert.equal(newsAmong(messages, "everything", "ada", 2), undefined)
    assert.equal(newsAmong(messages, "everything", "bob", 0), undefined)
    assert.equal(newsAmong([], "everything", "ada", 0), undefined)
  })

  it("is of the last message that names the reader where only mentions ring", () => {
    const messages = [said(1, '<p>hey <a href="/channels/%40Ada" data-user="ada" rel="nofollow">@ADA</a></p>'), said(2, "<p>hey</p>")]
    assert.equal(newsAmong(messages, "mentions", "ada", 0)?.seq, 1)
    assert.equal(newsAmong(messages, "mentions", "ada", 1), undefined)
  })

  it("is of nobody whose name only looks like the reader's, or is only written down", () => {
    for (const html of [
      '<p><a href="/channels/%40adam" data-user="adam" rel="nofollow">@adam</a></p>',
      '<p><a href="/channels/%40bob" data-user="bob">@bob</a> data-user="ada"</p>',
      "<pre><code>mail @ada</code></pre>",
      '<pre><code>&lt;a href="/channels/%40Ada" data-user="ada"&gt;</code></pre>',
    ]) assert.equal(newsAmong([said(1, html)], "mentions", "ada", 0), undefined, html)
  })

  it("says who, where and what, not at length", () => {
    const hi = message(1, "Ada")
    assert.deepEqual(notificationWords(hi, { name: "general", kind: "public" }), { title: "Ada in #general", body: "number 1" })
    assert.equal(notificationWords(hi, { name: "@Ada", kind: "direct" }).title, "Ada")
    assert.equal(notificationWords({ ...hi, text: "" }, { name: "@Ada", kind: "direct" }).body, "A file")
    assert.equal([...notificationWords({ ...hi, text: "🚀".repeat(999) }, { name: "x", kind: "public" }).body].length, 241)
  })
})
