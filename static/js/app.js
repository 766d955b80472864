// Mounts each behaviour on the elements that ask for it: `data-mount="name"`.

import { mountAnnouncer } from "./announcer.js"
import { mountBanner } from "./banner.js"
import { mountChannels } from "./channels.js"
import { mountComposer } from "./composer.js"
import { mountFlash } from "./flash.js"
import { mountLatest, mountScroll } from "./scroll.js"
import { mountLost } from "./lost.js"
import { mountMe } from "./me.js"
import { mountMessages } from "./messages.js"
import { mountNewChannel } from "./new-channel.js"
import { mountPeople } from "./people.js"
import { mountRoom } from "./room.js"
import { mountScene } from "./scene.js"
import { mountSignIn } from "./sign-in.js"

/** In the order in which they listen: the room, which speaks, comes last. */
const MOUNTS = {
  flash: mountFlash,
  lost: mountLost,
  scene: mountScene,
  "sign-in": mountSignIn,
  announcer: mountAnnouncer,
  scroll: mountScroll,
  latest: mountLatest,
  messages: mountMessages,
  composer: mountComposer,
  people: mountPeople,
  channels: mountChannels,
  "new-channel": mountNewChannel,
  me: mountMe,
  banner: mountBanner,
  room: mountRoom,
}

for (const [name, mount] of Object.entries(MOUNTS)) {
  for (const element of document.querySelectorAll(`[data-mount~="${name}"]`)) mount(element)
}
