import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { newDevices, sessionName, sessionView } from "../../static/js/dialogs/devices.js"

const now = new Date(2026, 10, 24, 15, 5)
const session = { id: "s", kind: "browser", name: null, client: "Firefox on Android", last_used_at: new Date(2026, 10, 24, 9, 5).toISOString(), current: false }
const token = { ...session, kind: "token", name: "backup script", client: null }
const locale = { clock: "24", isMonthFirst: false }

describe("a session", () => {
  for (const [told, name] of [
    [session, "Firefox on Android"],
    [{ ...session, client: null }, "An unknown device"],
    [token, "backup script"],
    [{ ...token, name: "резервная копия" }, "резервная копия"],
    [{ ...token, name: "نسخ احتياطي" }, "نسخ احتياطي"],
  ]) {
    it(`is called ${name}`, () => assert.equal(sessionName(told), name))
  }

  for (const [what, told, view] of [
    ["a device", session, { aside: "Device, last used 09:05", end: "Sign out", end_name: "Sign out Firefox on Android", current: false }],
    ["a token", token, { aside: "Token, last used 09:05", end: "Revoke", end_name: "Revoke backup script" }],
    ["one that is in use", { ...session, last_used_at: new Date(now - 59_000).toISOString() }, { aside: "Device, last used just now" }],
    ["one of a clock that is ahead", { ...session, last_used_at: new Date(now.getTime() + 5_000).toISOString() }, { aside: "Device, last used just now" }],
    ["an old one", { ...token, last_used_at: new Date(2025, 0, 3, 23, 0).toISOString() }, { aside: "Token, last used 3 Jan 2025, 23:00" }],
    ["this one", { ...session, current: true }, { aside: "This device", current: true }],
  ]) {
    it(`tells of ${what}`, () => {
      const all = sessionView(told, locale, now)
      assert.deepEqual(Object.fromEntries(Object.keys(view).map((key) => [key, all[key]])), view)
    })
  }

  it("came aboard when it is a device that was not there before", () => {
    const other = { ...session, id: "new" }
    const all = [session, other, { ...token, id: "token" }, { ...session, id: "me", current: true }]
    assert.deepEqual(newDevices(all, new Set(["s"])), [other])
    assert.deepEqual(newDevices(all, new Set(["s", "new"])), [])
  })
})
