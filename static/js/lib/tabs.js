// What the tabs of one browser settle among themselves: whose turn it is.

/**
 * Waits for a turn among the tabs of this browser, and then has it until it is let go. By a lock, which
 * ends with its tab, whatever becomes of it: what is stored would stay, and another tab may see it late.
 * Without locks (plain HTTP) each tab is on its own.
 *
 * @param {string} name
 * @param {() => void} begin
 * @param {"exclusive" | "shared"} [mode] whether others may have theirs at the same time
 * @returns {() => void} lets go, whether it was its turn or not
 */
export function takeTurn(name, begin, mode = "exclusive") {
  const given = new AbortController()
  const { signal } = given
  if (!navigator.locks) begin()
  else {
    const until = new Promise((/** @type {(value?: unknown) => void} */ done) => signal.addEventListener("abort", done))
    const hold = () => {
      begin()
      return until
    }
    navigator.locks.request(`houston.${name}`, { mode, signal }, hold).catch(() => {
      // Let go before its turn came.
    })
  }
  return () => given.abort()
}

/**
 * Whether any tab has its turn.
 *
 * @param {string} name
 */
export async function isTaken(name) {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  return held.some((lock) => lock.name === `houston.${name}`)
}
