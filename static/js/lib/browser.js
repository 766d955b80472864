// What this browser keeps for all of its tabs: what it remembers, the cookies that the server reads as it
// draws a page, and whose turn it is. Where storage is refused, nothing is remembered and all else works.

const KEY_PREFIX = "houston."

/** What is remembered under this key. @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(KEY_PREFIX + key)
  } catch {
    return null
  }
}

/**
 * Remembers something under this key.
 *
 * @param {string} key
 * @param {string | null} value nothing, to forget
 */
export function remember(key, value) {
  try {
    if (value) localStorage.setItem(KEY_PREFIX + key, value)
    else localStorage.removeItem(KEY_PREFIX + key)
  } catch {
    // Full or refused: whoever needs it keeps it otherwise.
  }
}

/**
 * What the keys that begin like this go on with.
 *
 * @param {string} beginning
 */
export function remembered(beginning) {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(KEY_PREFIX + beginning))
    return keys.map((key) => key.slice(KEY_PREFIX.length + beginning.length))
  } catch {
    return []
  }
}

/**
 * Forgets everything whose key begins like this.
 *
 * @param {string} beginning
 */
export function forget(beginning) {
  for (const rest of remembered(beginning)) remember(beginning + rest, null)
}

/**
 * Remembers everything whose key begins like this under another beginning.
 *
 * @param {string} beginning
 * @param {string} other
 */
export function move(beginning, other) {
  for (const rest of remembered(beginning)) {
    if (recall(other + rest) === null) remember(other + rest, recall(beginning + rest))
    remember(beginning + rest, null)
  }
}

/**
 * When another tab remembers something else under this key.
 *
 * @param {string} key
 * @param {() => void} act
 */
export function onRemembered(key, act) {
  addEventListener("storage", (event) => event.key === KEY_PREFIX + key && act())
}

const YEAR_S = 365 * 24 * 60 * 60

/** The value of this cookie; nothing where there is none. @param {string} name */
export function cookie(name) {
  const own = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))
  return own?.slice(name.length + 1) ?? ""
}

/**
 * Sets a cookie, for a year.
 *
 * @param {string} name
 * @param {string} value nothing, to forget
 */
export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? YEAR_S : 0}; SameSite=Lax${secure}`
}

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
