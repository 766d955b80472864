// Whether the bytes of a chosen file can still be had. A file may be moved, removed or written to
// after it was chosen, and a browser then fails to send it as if there were no connection.

/**
 * A cheap look at the end of the file. Firefox does not see by it that a file has grown.
 *
 * @param {File} file
 */
export async function isReadable(file) {
  const end = file.size > 0 ? file.slice(-1) : file
  return (await bytesOf(end)) === Math.min(file.size, 1)
}

/**
 * Reads all of it, into memory.
 *
 * @param {File} file
 */
export async function isUnchanged(file) {
  return (await bytesOf(file)) === file.size
}

/**
 * Those that are not so.
 *
 * @param {File[]} files
 * @param {(file: File) => Promise<boolean>} [isSo]
 */
export async function unreadable(files, isSo = isReadable) {
  const all = await Promise.all(files.map(async (file) => ((await isSo(file)) ? [] : [file])))
  return all.flat()
}

/** @param {Blob} blob @returns {Promise<number>} -1 where it cannot be read */
async function bytesOf(blob) {
  try {
    return (await blob.arrayBuffer()).byteLength
  } catch {
    return -1
  }
}
