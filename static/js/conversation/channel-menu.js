// The menu of the channel that is open: what the user wants of it.

import { say } from "../lib/mounting.js"
import { here, part } from "../lib/page.js"
import { want } from "../net/api.js"
import { go } from "../shell/navigation.js"

/** @param {HTMLDetailsElement} menu @param {import("../lib/mounting.js").Life} life */
export function mountChannelMenu(menu, { hear, on }) {
  const { channel, kind } = here()
  const [star, hide] = [part(menu, "star"), part(menu, "hide")]
  const leave = menu.querySelector('[data-part="leave"]')
  const untilThen = kind === "direct" ? "until something is said" : "until it names you"

  const isStarred = () => star.textContent === "Unstar"
  const isHidden = () => hide.textContent !== "Hide"
  /** @param {{starred: boolean, hidden: boolean}} mine */
  const draw = ({ starred, hidden }) => {
    star.textContent = starred ? "Unstar" : "Star"
    hide.textContent = hidden ? "Show in the sidebar" : "Hide"
  }
  /** @param {Partial<import("../net/api.js").Mine>} change @param {string} told once it is done */
  const ask = async (change, told) => {
    menu.open = false
    menu.querySelector("summary")?.focus()
    const { ok, body, why } = await want(channel, change)
    if (ok) draw(body.mine)
    say("tell", { text: ok ? told : why })
    return ok
  }

  on(star, "click", () => ask({ starred: !isStarred() }, isStarred() ? "No longer starred." : "Starred: it comes first."))
  on(hide, "click", () => ask({ hidden: !isHidden() }, isHidden() ? "It is in the sidebar again." : `Hidden, once you go elsewhere, ${untilThen}.`))
  if (leave) {
    on(leave, "click", async () => {
      say("read-all")
      if (await ask({ hidden: true, starred: false }, `You have left, ${untilThen}.`)) go("/channels/general")
    })
  }
  hear("channels", (/** @type {import("../sidebar/destinations.js").Known[]} */ known) => {
    const now = known.find(({ id }) => id === channel)
    if (now) draw(now)
  })
}
