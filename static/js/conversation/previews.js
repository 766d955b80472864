// Previews of links: what is shown of them below a message, and hiding those of one's own.

import { draw, MessageList, showReason } from "./message-list.js"
import { here } from "../lib/page.js"
import { channelPath, request } from "../net/api.js"

/**
 * @typedef {object} Preview what a page says of itself
 * @property {string} url the link to it
 * @property {string} site
 * @property {string} title
 * @property {string} description may be empty
 * @property {{url: string, width: number, height: number}} [picture] on this server
 */

/**
 * Hides the previews of a message for everybody, or lets it have some again, as its author asks.
 *
 * @param {HTMLElement} element
 * @param {import("../lib/mounting.js").Life} life
 */
export function mountPreviews(element, { hear }) {
  const list = new MessageList(element)
  /** @param {string} method @param {string} id */
  const change = async (method, id) => {
    const { ok, why } = await request(method, `${channelPath(here().channel)}/messages/${id}/previews`)
    const item = list.byId(id)
    if (!ok && item) draw(() => showReason(item, why))
  }
  hear("hide-previews", ({ id }) => change("DELETE", id))
  hear("show-previews", ({ id }) => change("PUT", id))
}

/**
 * The part of a message's view that shows previews.
 *
 * @param {{previews: Preview[], previews_hidden?: boolean}} message
 * @param {boolean} isOwn whether the reader wrote it
 */
export function previewsView({ previews, previews_hidden: isHidden = false }, isOwn) {
  return {
    previews: previews.map(previewView),
    has_previews: previews.length > 0 || (isHidden && isOwn),
    previews_action: isHidden ? "show-previews" : "hide-previews",
    previews_words: `${isHidden ? "Show" : "Hide"} preview${previews.length > 1 ? "s" : ""}`,
  }
}

/** @param {Preview} preview */
function previewView({ url, site, title, description, picture }) {
  const template = picture ? "preview-picture" : "preview"
  const { url: src, width, height } = picture ?? {}
  return { template, key: src ?? url, url, site, title, description, src, width, height }
}
