// What the browser remembers. Where storage is refused, nothing is remembered and all else works.

const KEY_PREFIX = "houston."

/** @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(KEY_PREFIX + key)
  } catch {
    return null
  }
}

/**
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
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(KEY_PREFIX + beginning))
    for (const key of keys) localStorage.removeItem(key)
  } catch {
    // Refused: nothing was remembered either.
  }
}

/**
 * Remembers everything whose key begins like this under another beginning.
 *
 * @param {string} beginning
 * @param {string} other
 */
export function move(beginning, other) {
  try {
    for (const key of Object.keys(localStorage).filter((each) => each.startsWith(KEY_PREFIX + beginning))) {
      const to = key.slice(KEY_PREFIX.length).replace(beginning, other)
      if (recall(to) === null) remember(to, localStorage.getItem(key))
      localStorage.removeItem(key)
    }
  } catch {
    // Refused: nothing was remembered either.
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
