// The files that go out with the next message of each channel.

import { say } from "../lib/mounting.js"

/** By the channel's id, or its address while that is not known. @type {Map<string, File[]>} */
const files = new Map()

let channel = ""

export function attached() {
  return files.get(channel) ?? []
}

/** Whether a message has files anywhere that was not sent. */
export function isAnyAttached() {
  return [...files.values()].some((each) => each.length > 0)
}

/** @param {File[]} more */
export function attach(more) {
  if (more.length > 0) change([...attached(), ...more])
}

/** @param {File} file */
export function detach(file) {
  change(attached().filter((other) => other !== file))
}

/** Gives them away: there are none afterwards. */
export function takeAttached() {
  const taken = attached()
  if (taken.length > 0) change([])
  return taken
}

/**
 * From here on it is about the files of another channel.
 *
 * @param {string} other
 * @param {boolean} isSame whether it is the same one under another name
 */
export function attachTo(other, isSame) {
  const moved = isSame ? attached() : []
  if (isSame) files.delete(channel)
  channel = other
  change([...attached(), ...moved])
}

/** @param {File[]} now */
function change(now) {
  if (now.length > 0) files.set(channel, now)
  else files.delete(channel)
  say("attached", now)
}
