// The clock where the reader is: the server is told its zone, and a new day begins at midnight there.

import { untilMidnight } from "./local-time.js"

const COOKIE_S = 365 * 24 * 60 * 60

/** A tab that slept wakes up late, and a clock is set. */
const LATEST_LOOK_MS = 60 * 60 * 1000

/**
 * Follows the clock.
 *
 * @param {HTMLElement} list with the zone that its times are drawn in
 * @param {{onZone: () => void, onDay: () => void}} acts when they must be drawn anew: all, or the days
 * @param {AbortSignal} [signal] ends it
 */
export function followClock(list, { onZone, onDay }, signal) {
  let midnight = 0

  const look = () => {
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
    remember(zone)
    if (list.dataset.zone !== zone) {
      list.dataset.zone = zone
      onZone()
    }
    clearTimeout(midnight)
    midnight = setTimeout(pass, Math.min(untilMidnight(new Date()), LATEST_LOOK_MS))
  }
  const pass = () => {
    onDay()
    look()
  }

  document.addEventListener("visibilitychange", () => document.hidden || pass(), { signal })
  signal?.addEventListener("abort", () => clearTimeout(midnight))
  look()
}

/**
 * The server draws the next page in this zone.
 *
 * @param {string} zone as the IANA names it
 */
function remember(zone) {
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `zone=${zone}; Path=/; Max-Age=${COOKIE_S}; SameSite=Lax${secure}`
}
