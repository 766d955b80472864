// What a direct conversation is called, and where it is. Decides only.

/**
 * @typedef {object} Direct
 * @property {string} id the channel's
 * @property {string} name `@` and what the other one is called, or was last
 */

/** @typedef {import("./everybody.js").Person} Person */

/** Notes, which nobody else reads. */
export const NOTES = "Notes to self"

/**
 * @param {Direct} direct
 * @param {Person | undefined} partner unless they have left for good, or are not known yet
 * @param {string} me
 */
export function labelOf(direct, partner, me) {
  if (partner?.id === me) return NOTES
  return partner?.display_name ?? direct.name.replace(/^@/, "")
}

/**
 * Under the partner's name while they hold it; a name that is free again leads to somebody else.
 *
 * @param {Direct} direct
 * @param {Person | undefined} partner
 */
export function hrefOf(direct, partner) {
  return partner ? hrefOfName(partner.display_name) : `/channels/id:${direct.id}`
}

/** @param {string} name */
export function hrefOfName(name) {
  return `/channels/@${encodeURIComponent(name)}`
}
