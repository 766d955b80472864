import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fileName, transcriptHtml, transcriptJson, transcriptText } from "../../static/js/dialogs/saving.js"

describe("a transcript", () => {
  const at = (hour, minute) => new Date(2026, 10, 24, hour, minute)
  const ada = { id: "1", display_name: "Ada <b>" }
  const message = {
    id: "a", seq: 1, author: ada, text: "One & *two*\n\nthree", html: "<p>One &amp; <em>two</em></p><p>three</p>",
    sent_at: at(14, 2).toISOString(), edited_at: at(14, 3).toISOString(),
    attachments: [{ id: "f", name: 'a"b.txt', media_type: "text/plain", size: 1024, url: "/api/attachments/f/a%22b.txt" }],
    reactions: [{ reaction: "👍", users: [ada, { id: "2", display_name: "Bob" }] }],
  }
  const transcript = { title: "#general", origin: "http://chat.example", savedAt: at(9, 5), messages: [message] }

  it("is called after its channel and the day", () => {
    assert.equal(fileName(transcript, "txt"), "general-2026-11-24.txt")
    assert.equal(fileName({ ...transcript, title: "../a/b:c" }, "html"), "-a-b-c-2026-11-24.html")
    assert.equal(fileName({ ...transcript, title: "..." }, "json"), "conversation-2026-11-24.json")
    assert.equal(fileName({ ...transcript, title: "أمل الحاج" }, "txt"), "أمل الحاج-2026-11-24.txt")
  })

  it("reads as text, with files and reactions", () => {
    assert.equal(transcriptText(transcript), [
      "#general at http://chat.example",
      "1 message, saved 2026-11-24 09:05",
      "",
      "2026-11-24 14:02 Ada <b> (edited)",
      "  One & *two*",
      "",
      "  three",
      '  [a"b.txt, 1 KiB: http://chat.example/api/attachments/f/a%22b.txt]',
      "  👍 Ada <b>, Bob",
      "",
    ].join("\n"))
  })

  it("is a page that lets nobody write into it but by the server's own rendering", () => {
    const html = transcriptHtml({ ...transcript, title: "</title><script>" })
    assert.match(html, /<p>One &amp; <em>two<\/em><\/p>/)
    assert.match(html, /Ada &lt;b&gt;/)
    assert.match(html, /a&quot;b\.txt/)
    assert.doesNotMatch(html, /<script|Ada <b>/)
    assert.match(html, /default-src 'none'/)
    assert.match(html, /<base href="http:\/\/chat\.example\/">/)
  })

  it("is the API's own messages as JSON", () => {
    assert.deepEqual(JSON.parse(transcriptJson(transcript)).messages, [message])
  })
})
