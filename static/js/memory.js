// What the browser remembers. Where storage is refused, nothing is remembered and all else works.

const PREFIX = "houston."

/** @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key)
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
    if (value) localStorage.setItem(PREFIX + key, value)
    else localStorage.removeItem(PREFIX + key)
  } catch {
    // Full or refused: the page works without.
  }
}
