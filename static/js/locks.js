// What only one tab of a browser does at a time. Without locks (plain HTTP) each tab does it.

/**
 * @param {string} name
 * @param {() => Promise<void>} act
 */
export async function alone(name, act) {
  if (!navigator.locks) return act()
  await navigator.locks.request(`houston.${name}`, act)
}

/**
 * Waits for its turn, and then has it until it is let go.
 *
 * @param {string} name
 * @param {() => void} begin
 * @returns {() => void} lets go, whether it was its turn or not
 */
export function takeTurn(name, begin) {
  const given = new AbortController()
  const until = new Promise((/** @type {(value?: unknown) => void} */ done) => given.signal.addEventListener("abort", done))
  alone(name, async () => {
    if (given.signal.aborted) return
    begin()
    await until
  })
  return () => given.abort()
}
