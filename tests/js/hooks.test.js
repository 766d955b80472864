import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { hookView } from "../../static/js/dialogs/hooks.js"

const now = new Date(2026, 10, 24, 15, 5)
const at = new Date(2026, 10, 24, 9, 5).toISOString()
const locale = { clock: "24", isMonthFirst: false }
const hook = { id: "h", name: "CI", url: "http://chat.example/hooks/secret", created_by: { display_name: "Ada" }, created_at: at, deliveries: [] }
const outgoing = { ...hook, url: "https://bot.example/", words: [], paused_since: null, problem: null, retry_at: null, waiting: 0 }
const fine = { at, status: 200, problem: null, bytes: 40 }

describe("a hook", () => {
  for (const [what, told, view] of [
    ["of one's own", hook, { key: "h", name: "CI", aside: "Made 09:05 by Ada", deliveries: [], told: "", outgoing: false, pauses: false, go_on: "", asked: false }],
    ["of somebody else", { ...hook, url: null }, { line: null }],
    ["of somebody who has left", { ...hook, created_by: null }, { aside: "Made 09:05 by somebody who has left" }],
    ["in another script", { ...hook, name: "構建", created_by: { display_name: "أمل" } }, { name: "構建", aside: "Made 09:05 by أمل" }],
    ["of last year", { ...hook, created_at: new Date(2025, 0, 3, 23, 0).toISOString() }, { aside: "Made 3 Jan 2025, 23:00 by Ada" }],
    ["with a delivery", { ...hook, deliveries: [fine] }, { summary: "The last delivery", deliveries: [{ template: "delivery", key: "0", words: "09:05 · 200 · 40 bytes" }] }],
    ["with deliveries", { ...hook, deliveries: [{ ...fine, status: 400, problem: "No text." }, fine] }, { summary: "The last 2 deliveries", deliveries: [{ template: "delivery", key: "0", words: "09:05 · 400 · 40 bytes · No text." }, { template: "delivery", key: "1", words: "09:05 · 200 · 40 bytes" }] }],
    ["with an attempt of another day that had no answer", { ...hook, deliveries: [{ ...fine, at: new Date(2026, 10, 23, 23, 0).toISOString(), status: null, problem: "No answer in time." }] }, { deliveries: [{ template: "delivery", key: "0", words: "23 Nov, 23:00 · 40 bytes · No answer in time." }] }],
    ["that posts", outgoing, { line: outgoing.url, outgoing: true, lamp: "online", told: "Active · every message", pauses: true, go_on: "" }],
    ["that posts some", { ...outgoing, words: ["!go", "ci"], waiting: 2 }, { told: "Active · what begins with !go, ci · 2 waiting" }],
    ["that is tried again", { ...outgoing, retry_at: at, waiting: 1 }, { lamp: "", told: "Tries again at 09:05 · every message · 1 waiting", pauses: true, go_on: "Try now" }],
    ["that is paused", { ...outgoing, paused_since: at }, { lamp: "gone", told: "Paused since 09:05 · every message", pauses: false, go_on: "Resume" }],
    ["that was paused for a reason", { ...outgoing, paused_since: at, problem: "No answer in time." }, { told: "Paused since 09:05 · every message · No answer in time." }],
  ]) {
    it(`tells of one ${what}`, () => {
      const all = hookView(told, locale, now)
      for (const [key, value] of Object.entries(view)) assert.deepEqual(all[key], value, key)
    })
  }

  it("is asked for once more before it is deleted", () => {
    assert.equal(hookView(hook, locale, now, "h").asked, true)
    assert.equal(hookView(hook, locale, now, "another").asked, false)
  })

  it("has a line that posts to it", () => {
    assert.match(hookView(hook, locale, now).line, /^curl http:\/\/chat\.example\/hooks\/secret -H 'Content-Type: application\/json' -d '\{"text": /)
  })
})
