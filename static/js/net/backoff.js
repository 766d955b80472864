// How long to wait before the next attempt to connect.

const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/**
 * Doubles with each failed attempt, up to 30 s; up to half of it at random, so that a server that
 * comes back is not met by all at once.
 *
 * @param {number} failures attempts that failed so far, 1 or more
 * @param {number} chance from 0 up to 1
 */
export function waitMs(failures, chance) {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
  return Math.round(full * (1 - chance / 2))
}
