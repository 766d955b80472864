// Local time as the reader writes it. Decides only. The server writes the same strings, to the byte
// (src/pages/locale.rs): so by a small rule instead of what each browser makes of a language.

/**
 * @typedef {object} Locale how the reader writes times; the server says so on the page
 * @property {"12" | "24"} clock the hours that it counts to
 * @property {boolean} isMonthFirst in dates
 */

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
]

/**
 * A time of day in hours and minutes: `09:05`, `9:05 AM`.
 *
 * @param {Date} time
 * @param {Locale} locale
 */
export function clockWords(time, locale) {
  return clockOf(time, locale, two(time.getMinutes()))
}

/**
 * A date with a time of day to the second.
 *
 * @param {Date} time
 * @param {Locale} locale
 */
export function fullWords(time, locale) {
  const clock = clockOf(time, locale, `${two(time.getMinutes())}:${two(time.getSeconds())}`)
  return `${dateWords(time, locale)}, ${clock}`
}

/**
 * A time of day, with its date where that is not today's, and the year where it is not this one.
 *
 * @param {Date} time
 * @param {Locale} locale
 * @param {Date} now
 */
export function briefWords(time, locale, now) {
  const clock = clockWords(time, locale)
  if (dateOf(time) === dateOf(now)) return clock
  const [month, day] = [MONTHS[time.getMonth()].slice(0, 3), time.getDate()]
  const year = time.getFullYear() === now.getFullYear() ? "" : `${locale.isMonthFirst ? "," : ""} ${time.getFullYear()}`
  return `${locale.isMonthFirst ? `${month} ${day}` : `${day} ${month}`}${year}, ${clock}`
}

/**
 * The day that it is at this time, as a view: its date, and what people call it.
 *
 * @param {Date} time
 * @param {Locale} locale
 * @param {Date} now
 */
export function dayView(time, locale, now) {
  const date = dateOf(time)
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (date === dateOf(now)) return { date, day: "Today" }
  if (date === dateOf(yesterday)) return { date, day: "Yesterday" }
  return { date, day: dateWords(time, locale) }
}

/**
 * The local date: `2026-11-24`.
 *
 * @param {Date} time
 */
export function dateOf(time) {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}

/**
 * How long it is to the next local midnight, in milliseconds.
 *
 * @param {Date} now
 */
export function untilMidnight(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime()
}

/** @param {Date} time @param {Locale} locale @param {string} rest after the hours */
function clockOf(time, { clock }, rest) {
  const hours = time.getHours()
  return clock === "24" ? `${two(hours)}:${rest}` : `${hours % 12 || 12}:${rest} ${hours < 12 ? "AM" : "PM"}`
}

/** @param {Date} time @param {Locale} locale */
function dateWords(time, { isMonthFirst }) {
  const [weekday, month, day] = [WEEKDAYS[time.getDay()], MONTHS[time.getMonth()], time.getDate()]
  return `${weekday}, ${isMonthFirst ? `${month} ${day},` : `${day} ${month}`} ${time.getFullYear()}`
}

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0")
