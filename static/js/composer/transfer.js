// The files that a drop or a paste brings.

import { isNamesOf } from "../conversation/files.js"

/** @typedef {{files: File[], folders: string[]}} Brought folders are told by their names: they cannot be sent */

/**
 * Sorts what is dropped or pasted. A browser has it only while it tells of that.
 *
 * @param {DataTransfer} transfer
 * @returns {Brought}
 */
export function broughtBy(transfer) {
  const files = []
  const folders = []
  for (const item of transfer.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null
    const file = item.getAsFile()
    if (entry?.isDirectory) folders.push(entry.name)
    else if (file) files.push(file)
  }
  return { files, folders }
}

/**
 * The files of a paste, or nothing where its text is meant: an office program's text comes with a
 * picture of itself, and a file manager's file with its name.
 *
 * @param {DataTransfer} transfer
 * @returns {Brought | null}
 */
export function pastedBy(transfer) {
  const brought = broughtBy(transfer)
  const names = [...brought.files.map(({ name }) => name), ...brought.folders]
  return names.length > 0 && isNamesOf(transfer.getData("text/plain"), names) ? brought : null
}
