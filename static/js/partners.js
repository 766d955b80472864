// With whom a direct conversation is. The list gives only a name, and names change hands; once
// found out it is remembered, since a conversation belongs to the same two for good.

import { request } from "./api.js"
import { candidateOf } from "./directs.js"
import { everybody } from "./everybody.js"
import { recall, remember } from "./memory.js"

/** @type {Map<string, Promise<string | undefined>>} */
const asked = new Map()

/**
 * The partner's id; nothing when they have left for good.
 *
 * @param {import("./directs.js").Direct} direct
 * @param {string} me
 * @returns {Promise<string | undefined>}
 */
export async function partnerOf(direct, me) {
  const key = `partner.${me}.${direct.id}`
  const known = recall(key)
  if (known) return known
  const candidate = candidateOf(direct, everybody())
  if (!candidate) return undefined
  const question = `${direct.id} ${candidate.id}`
  const answer = asked.get(question) ?? ask(direct, candidate)
  asked.set(question, answer)
  const partner = await answer
  if (partner) remember(key, partner)
  return partner
}

/**
 * @param {import("./directs.js").Direct} direct
 * @param {import("./directs.js").Person} candidate
 */
async function ask(direct, candidate) {
  const { ok, body } = await request("GET", `/channels/@${encodeURIComponent(candidate.display_name)}`)
  return ok && body.channel.id === direct.id ? candidate.id : undefined
}
