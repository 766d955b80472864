import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"

const SCRIPTS = new URL("../../static/js/", import.meta.url)
const LAYOUT = new URL("../../templates/layout.html.tera", import.meta.url)

/** Every module that this one needs, itself included. */
function needed(file, known = new Set()) {
  if (known.has(file)) return known
  known.add(file)
  const source = readFileSync(new URL(file, SCRIPTS), "utf8")
  for (const [, imported] of source.matchAll(/from "\.\/([\w-]+\.js)"/g)) needed(imported, known)
  return known
}

describe("the modules", () => {
  it("are all announced by the layout, so that they load at once", () => {
    const [, list] = readFileSync(LAYOUT, "utf8").match(/for module in \[([^\]]*)\]/)
    const announced = [...list.matchAll(/"([\w-]+)"/g)].map(([, name]) => `${name}.js`)
    const imported = [...needed("app.js")].filter((file) => file !== "app.js")
    assert.deepEqual(announced.toSorted(), imported.toSorted())
  })

  it("are small enough to be read in one go", () => {
    for (const file of needed("app.js")) {
      const lines = readFileSync(new URL(file, SCRIPTS), "utf8").split("\n").length
      assert.ok(lines <= 150, `${file} has ${lines} lines`)
    }
  })
})
