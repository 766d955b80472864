import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"

const SCRIPTS = new URL("../../static/js/", import.meta.url)
const TEMPLATES = new URL("../../templates/", import.meta.url)

/** Which template announces what which module needs. */
const ENTRIES = { "app.js": "channel.html.tera", "entrance.js": "layout.html.tera" }

/** Every module that this one needs, itself included. */
function needed(file, known = new Set()) {
  if (known.has(file)) return known
  known.add(file)
  const source = readFileSync(new URL(file, SCRIPTS), "utf8")
  for (const [, imported] of source.matchAll(/from "\.\/([\w-]+\.js)"/g)) needed(imported, known)
  return known
}

describe("the modules", () => {
  it("are all announced, so that they load at once", () => {
    for (const [entry, template] of Object.entries(ENTRIES)) {
      const [, list] = readFileSync(new URL(template, TEMPLATES), "utf8").match(/for module in \[([^\]]*)\]/)
      const announced = [...list.matchAll(/"([\w-]+)"/g)].map(([, name]) => `${name}.js`)
      assert.deepEqual(announced.toSorted(), [...needed(entry)].toSorted(), entry)
    }
  })

  it("are small enough to be read in one go", () => {
    for (const file of needed("app.js")) {
      const lines = readFileSync(new URL(file, SCRIPTS), "utf8").split("\n").length
      assert.ok(lines <= 150, `${file} has ${lines} lines`)
    }
  })
})
