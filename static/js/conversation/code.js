// Where code is while a text is being written. Decides only.

/**
 * Whether what follows is code: behind back-ticks on its line, or in a block.
 *
 * @param {string} before
 */
export function isInCode(before) {
  const lines = before.split("\n")
  const fences = lines.filter((line) => /^ {0,3}(```|~~~)/.test(line)).length
  const ticks = lines.at(-1)?.match(/`+/g)?.length ?? 0
  return fences % 2 === 1 || ticks % 2 === 1
}
