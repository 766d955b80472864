// What the browser remembers, for all of its tabs. Where storage is refused, nothing is remembered and all
// else works.

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
