import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { scriptLines } from "../../static/js/dialogs/snippet.js"

describe("the lines for a script", () => {
  const origin = "http://chat.example:8000"

  it("lead to the channel, under the page's own address, and hold no token", () => {
    const lines = scriptLines(origin, { kind: "public", name: "größe", userName: "Ada" })
    assert.match(lines["sign-in"], /'http:\/\/chat\.example:8000\/api\/session'/)
    assert.match(lines.send, /'http:\/\/chat\.example:8000\/api\/channels\/gr%C3%B6%C3%9Fe\/messages'/)
    assert.match(lines.listen, /-Nb robot\.cookies \\\n {2}'http:\/\/chat\.example:8000\/api\/channels\/gr%C3%B6%C3%9Fe\/events'/)
    assert.doesNotMatch(Object.values(lines).join(), /token|Bearer/i)
  })

  it("lead from a direct conversation to whoever reads them, whatever that name is", () => {
    const { send } = scriptLines(origin, { kind: "direct", name: "@Bob", userName: "O'Neil; rm -rf" })
    assert.match(send, /channels\/@O%27Neil%3B%20rm%20-rf\/messages'/)
  })
})
