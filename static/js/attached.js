// The files that go out with the next message.

import { say } from "./bus.js"

/** @type {File[]} */
let files = []

export function attached() {
  return files
}

/** @param {File[]} more */
export function attach(more) {
  if (more.length > 0) change([...files, ...more])
}

/** @param {File} file */
export function detach(file) {
  change(files.filter((other) => other !== file))
}

/** Gives them away: there are none afterwards. */
export function takeAttached() {
  const taken = files
  if (taken.length > 0) change([])
  return taken
}

/** @param {File[]} now */
function change(now) {
  files = now
  say("attached", files)
}
