// The clock where the reader is: the server is told its zone, and a new day begins at midnight there.

import { untilMidnight } from "./local-time.js"
import { setCookie } from "../lib/browser.js"
import { reader } from "../lib/page.js"

/** A tab that slept wakes up late, and a clock is set. */
const LATEST_LOOK_MS = 60 * 60 * 1000

/** The clock that a list's times are drawn by; the server draws them by the present one. @type {WeakMap<Element, string>} */
const clocks = new WeakMap()

/**
 * Follows the clock.
 *
 * @param {HTMLElement} list with the zone that its times are drawn in
 * @param {{onTimes: () => void, onDay: () => void}} acts when they must be drawn anew: all, or the days
 * @param {AbortSignal} [signal] ends it
 */
export function followClock(list, { onTimes, onDay }, signal) {
  let midnight = 0

  const look = () => {
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
    const { clock } = reader().locale
    const isOther = list.dataset.zone !== zone || (clocks.get(list) ?? clock) !== clock
    setCookie("zone", zone)
    list.dataset.zone = zone
    clocks.set(list, clock)
    if (isOther) onTimes()
    clearTimeout(midnight)
    midnight = setTimeout(pass, Math.min(untilMidnight(new Date()), LATEST_LOOK_MS))
  }
  const pass = () => {
    onDay()
    look()
  }

  document.addEventListener("clock", look, { signal })
  document.addEventListener("visibilitychange", () => document.hidden || pass(), { signal })
  signal?.addEventListener("abort", () => clearTimeout(midnight))
  look()
}
