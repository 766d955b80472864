// All behaviours of a channel's page.

import { mountActions } from "./actions.js"
import { mountAnnouncer } from "./announcer.js"
import { mountAttaching } from "./attaching.js"
import { mountBanner } from "./banner.js"
import { mountBell } from "./bell.js"
import { mountCatchingUp } from "./catching-up.js"
import { mountChannels } from "./channels.js"
import { mountCompleting } from "./completing.js"
import { mountComposer } from "./composer.js"
import { mountCopying } from "./copying.js"
import { mountDeleting } from "./deleting.js"
import { mountDevices } from "./devices.js"
import { mountDialog } from "./dialog.js"
import { mountDirect } from "./direct.js"
import { mountDisclosure } from "./disclosure.js"
import { mountDrawer, mountMenu } from "./drawer.js"
import { mountDropping } from "./dropping.js"
import { mountEditing, mountEditLast } from "./editing.js"
import { mountEverywhere } from "./everywhere.js"
import { mountEverybody } from "./everybody.js"
import { mountFlash } from "./flash.js"
import { mountNewChannel, mountRename } from "./form.js"
import { mountKeys, mountShortcuts } from "./keys.js"
import { mountLatest, mountScroll } from "./scroll.js"
import { mountLightbox } from "./lightbox.js"
import { mountLinking } from "./linking.js"
import { mountMessages } from "./messages.js"
import { mountAll } from "./mounting.js"
import { mountNames } from "./names.js"
import { mountFirstNew, mountNews } from "./news.js"
import { mountNewMessage } from "./new-message.js"
import { mountNotices } from "./notices.js"
import { mountNotifying } from "./notifying.js"
import { mountPeople } from "./people.js"
import { mountPicker } from "./picker.js"
import { mountReacting } from "./reacting.js"
import { mountReactions } from "./reactions.js"
import { mountReading } from "./reading.js"
import { mountReplying } from "./replying.js"
import { mountRing } from "./ring.js"
import { mountRoom } from "./room.js"
import { mountSaving } from "./saving.js"
import { mountSending } from "./sending.js"
import { mountSession } from "./session.js"
import { mountShortening } from "./shortening.js"
import { mountSignOut } from "./sign-out.js"
import { mountSnippet } from "./snippet.js"
import { mountToast } from "./toast.js"
import { mountJump, mountSwitcher } from "./switcher.js"
import { mountTab } from "./tab.js"
import { mountTopic } from "./topic.js"
import { mountTyping, mountTypists } from "./typing.js"

/**
 * In the order in which they listen: who draws before who sends, and the room, which speaks, last.
 *
 * @type {Record<string, (element: any) => void>}
 */
const MOUNTS = {
  session: mountSession,
  flash: mountFlash,
  "sign-out": mountSignOut,
  disclosure: mountDisclosure,
  dialog: mountDialog,
  menu: mountMenu,
  drawer: mountDrawer,
  announcer: mountAnnouncer,
  toast: mountToast,
  latest: mountLatest,
  "first-new": mountFirstNew,
  ring: mountRing,
  saving: mountSaving,
  scroll: mountScroll,
  "catching-up": mountCatchingUp,
  messages: mountMessages,
  notices: mountNotices,
  actions: mountActions,
  reactions: mountReactions,
  reacting: mountReacting,
  picker: mountPicker,
  editing: mountEditing,
  deleting: mountDeleting,
  copying: mountCopying,
  news: mountNews,
  reading: mountReading,
  topic: mountTopic,
  tab: mountTab,
  bell: mountBell,
  notifying: mountNotifying,
  switcher: mountSwitcher,
  jump: mountJump,
  keys: mountKeys,
  shortcuts: mountShortcuts,
  snippet: mountSnippet,
  devices: mountDevices,
  typists: mountTypists,
  people: mountPeople,
  completing: mountCompleting,
  shortening: mountShortening,
  typing: mountTyping,
  everybody: mountEverybody,
  channels: mountChannels,
  direct: mountDirect,
  "new-channel": mountNewChannel,
  "new-message": mountNewMessage,
  rename: mountRename,
  names: mountNames,
  banner: mountBanner,
  attaching: mountAttaching,
  dropping: mountDropping,
  lightbox: mountLightbox,
  composer: mountComposer,
  replying: mountReplying,
  "edit-last": mountEditLast,
  linking: mountLinking,
  sending: mountSending,
  everywhere: mountEverywhere,
  room: mountRoom,
}

mountAll(MOUNTS)
