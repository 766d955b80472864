// Whom the page is for, as far as what a message shows depends on them.

import { find, here } from "./page.js"

/** @typedef {{me: string, host: string, copy: string, locale: import("../conversation/local-time.js").Locale}} Reader */

/** @returns {Reader} */
export function reader() {
  const { clock, monthFirst } = find(document, ".shell").dataset
  const copy = find(document, "template#copy").innerHTML.trim()
  const locale = { clock: clock === "12" ? /** @type {const} */ ("12") : /** @type {const} */ ("24"), isMonthFirst: monthFirst !== undefined }
  return { me: here().user, host: location.host, copy, locale }
}
