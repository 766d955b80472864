import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileView, kindWords, sizeWords } from "../../static/js/conversation/files.js"
import { untilMidnight } from "../../static/js/conversation/local-time.js"
import { messageView, namesReader, pendingView, readable } from "../../static/js/conversation/message-view.js"
import { hueOf, initials } from "../../static/js/conversation/people.js"
import { previewsView } from "../../static/js/conversation/previews.js"
import { reactionView, tellWho } from "../../static/js/conversation/reactions.js"
import { isEmojiAlone } from "../../static/js/lib/emoji.js"

/** The tables that hold the server to the same. */
const table = (name) => JSON.parse(readFileSync(new URL(`../rendering/${name}.json`, import.meta.url), "utf8"))

const LOCAL_TIME = new URL("../../static/js/conversation/local-time.js", import.meta.url)

const READER = { me: "0a1b", host: "chat.example:8000", copy: "{copy}", locale: { clock: "24", isMonthFirst: false } }

describe("what scripts write as the server does", () => {
  const words = table("words")

  it("is a name's letters, and a hue", () => {
    for (const [name, expected] of words.initials) assert.equal(initials(name), expected, name)
    for (const [id, expected] of words.hues) assert.equal(hueOf(id), expected, id)
  })

  it("is a file's size and kind", () => {
    for (const [bytes, expected] of words.sizes) assert.equal(sizeWords(bytes), expected)
    for (const [name, mediaType, expected] of words.kinds) assert.equal(kindWords(name, mediaType), expected, name)
  })

  it("is who reacted, and which messages are emoji alone", () => {
    for (const [names, expected] of words.who) assert.equal(tellWho(names.map((name) => ({ id: name, display_name: name }))), expected)
    for (const [html, expected] of words.emoji) assert.equal(isEmojiAlone(html), expected, html)
  })

  it("is a text made ready for its reader", () => {
    for (const row of table("prose")) {
      const ready = readable(row.html, READER)
      assert.equal(ready, row.readable)
      assert.equal(namesReader(ready), row.names_reader, row.html)
    }
  })

  it("is local time, in every zone", () => {
    const zones = new Set(words.times.map(({ zone }) => zone))
    // A process has one zone.
    const code = `
      const { briefWords, clockWords, dayView, fullWords } = await import(${JSON.stringify(LOCAL_TIME.href)})
      const rows = JSON.parse(process.argv[1]).map(({ clock, is_month_first, now, at }) => {
        const [time, locale] = [new Date(at), { clock, isMonthFirst: is_month_first }]
        return { clock_words: clockWords(time, locale), full_words: fullWords(time, locale), brief_words: briefWords(time, locale, new Date(now)), ...dayView(time, locale, new Date(now)) }
      })
      console.log(JSON.stringify(rows))`
    for (const TZ of zones) {
      const rows = words.times.filter(({ zone }) => zone === TZ)
      const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code, JSON.stringify(rows)], { env: { ...process.env, TZ }, encoding: "utf8" })
      const expected = rows.map(({ clock_words, full_words, brief_words, day, day_words }) => ({ clock_words, full_words, brief_words, date: day, day: day_words }))
      assert.deepEqual(JSON.parse(stdout || `"${stderr}"`), expected, TZ)
    }
  })
})

describe("views", () => {
  const user = (id) => ({ id, display_name: `Name of ${id}` })
  const message = {
    id: "m1", seq: 7, author: user("0a1c"), text: "@Ada", html: '<p><a href="/channels/%40Ada" data-user="0a1b">@Ada</a></p>',
    sent_at: "2026-11-24T10:00:00.000Z", edited_at: null, attachments: [], reactions: [], previews: [],
  }

  it("say whose a message is, and whom it names", () => {
    const others = messageView(message, READER)
    assert.deepEqual([others.is_own, others.is_mention, others.edited_words, others.state], [false, true, null, null])
    const own = messageView({ ...message, author: user("0a1b"), edited_at: message.sent_at }, READER)
    assert.deepEqual([own.is_own, own.is_mention], [true, false])
    assert.match(own.edited_words, /^Edited Tuesday, 24 November 2026, /)
  })

  it("of messages under way show the text as it was written", () => {
    const draft = { id: "m2", text: "a <b> & c", sentAt: message.sent_at, author: user("0a1b"), files: [{ name: "x", size: 2048 }] }
    const view = pendingView(draft, READER)
    assert.deepEqual([view.html, view.is_plain, view.seq, view.state], ["a &lt;b&gt; &amp; c", true, null, "pending"])
    assert.deepEqual(view.files.map(({ template, size_words, cancel }) => [template, size_words, cancel]), [["upload", "2 KiB", "Do not send x"]])
  })

  it("of previews are known again by their link, or their picture, and only their author hides them", () => {
    const bare = { url: "https://a.example/", site: "a.example", title: "A", description: "" }
    const pictured = { ...bare, picture: { url: "/api/previews/p1", width: 3, height: 2 } }
    const { previews, ...rest } = previewsView({ previews: [bare, pictured] }, true)
    assert.deepEqual(rest, { has_previews: true, previews_action: "hide-previews", previews_words: "Hide previews" })
    assert.deepEqual(previews.map(({ template, key, src, width, title }) => [template, key, src, width, title]), [
      ["preview", "https://a.example/", undefined, undefined, "A"],
      ["preview-picture", "/api/previews/p1", "/api/previews/p1", 3, "A"],
    ])
    for (const [isOwn, shown] of [[true, true], [false, false]]) {
      const hidden = previewsView({ previews: [], previews_hidden: true }, isOwn)
      assert.deepEqual(hidden, { previews: [], has_previews: shown, previews_action: "show-previews", previews_words: "Show preview" })
      assert.equal(previewsView({ previews: [] }, isOwn).has_previews, false)
    }
  })

  it("of files are drawn by their kind", () => {
    const file = { id: "f", name: "x.bin", size: 1, url: "/x" }
    for (const [media_type, width, template, about, look = null] of [
      ["image/png", 3, "file-image", undefined],
      ["image/svg+xml", undefined, "file-card", "BIN · 1 byte"],
      ["video/webm", undefined, "file-video", undefined],
      ["audio/ogg", undefined, "file-audio", undefined],
      ["text/html", undefined, "file-card", "BIN · 1 byte"],
      ["application/pdf", undefined, "file-card", "BIN · 1 byte", "pdf"],
      ["text/plain", undefined, "file-card", "BIN · 1 byte", "text"],
      ["application/octet-stream", undefined, "file-card", "BIN · 1 byte"],
    ]) {
      const view = fileView({ ...file, media_type, width })
      assert.deepEqual([view.template, view.about, view.key, view.look], [template, about, "f", look])
    }
  })

  it("of reactions say who gave them, and whether the reader did", () => {
    const given = { reaction: "👍", users: [{ ...user("0a1c"), bot: false }, user("0a1b")] }
    const view = reactionView(given, "0a1b")
    assert.deepEqual([view.pressed, view.count, view.title], ["true", 2, "Name of 0a1c and Name of 0a1b reacted with 👍"])
    assert.deepEqual(JSON.parse(view.users), [user("0a1c"), user("0a1b")])
    assert.equal(reactionView(given, "0").pressed, "false")
  })
})

describe("midnight", () => {
  it("is awaited for as long as the day has, where clocks are changed, too", () => {
    assert.equal(untilMidnight(new Date(2026, 10, 24, 23, 59, 59, 999)), 1)
    assert.equal(untilMidnight(new Date(2026, 10, 24)), 24 * 60 * 60 * 1000)
    assert.equal(untilMidnight(new Date(2026, 11, 31, 23)), 60 * 60 * 1000)
  })
})
