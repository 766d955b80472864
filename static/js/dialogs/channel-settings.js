// The settings of the channel that is open, for whoever may change them: the server draws no others.

import { folded } from "../lib/choosing.js"
import { say } from "../lib/mounting.js"
import { here } from "../lib/page.js"
import { answerOf, channelPath, request } from "../net/api.js"
import { go } from "../shell/navigation.js"
import { askWith } from "../sidebar/form.js"

/** @param {HTMLDialogElement} dialog @param {import("../lib/mounting.js").Life} life */
export function mountChannelSettings(dialog, { hear, on }) {
  const { channel, name } = here()
  const path = channelPath(channel)
  const topic = /** @type {HTMLFormElement | null} */ (dialog.querySelector('[data-part="topic-form"]'))
  const end = /** @type {HTMLFormElement | null} */ (dialog.querySelector('[data-part="delete-form"]'))

  if (topic) {
    const field = /** @type {HTMLInputElement} */ (topic.elements.namedItem("topic"))
    askWith(topic, on, (fields) => request("PATCH", path, fields), () => {
      dialog.close()
      say("tell", { text: "The topic is set." })
    })
    hear("channel-updated", (told) => {
      if (document.activeElement !== field) field.value = told.topic
    })
  }
  if (end) {
    const refused = answerOf(422, { detail: `That is not its name: type ${name} to delete it.` })
    const ask = async (/** @type {Record<string, any>} */ { confirmed }) =>
      folded(confirmed.trim().replace(/^#/, "")) === name ? request("DELETE", path) : refused
    askWith(end, on, ask, () => {
      go("/channels/general")
      say("tell", { text: `#${name} is deleted.` })
    })
  }
}
