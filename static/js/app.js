// All behaviours of the page on which one talks: those of the shell, which stay, and those of the
// view of a channel, which come and go with it.

import { mountActions } from "./conversation/actions.js"
import { mountAllChannels } from "./dialogs/all-channels.js"
import { mountAnnouncer } from "./shell/announcer.js"
import { mountAttaching } from "./composer/attaching.js"
import { mountBanner } from "./shell/banner.js"
import { mountBell } from "./conversation/bell.js"
import { mountCard } from "./shell/card.js"
import { mountCatchingUp } from "./conversation/catching-up.js"
import { mountChannelMenu } from "./conversation/channel-menu.js"
import { mountChannels } from "./sidebar/channels.js"
import { mountCompleting } from "./composer/completing.js"
import { mountComposer } from "./composer/composer.js"
import { mountCopying } from "./conversation/copying.js"
import { mountDeleting } from "./conversation/deleting.js"
import { mountDevices } from "./dialogs/devices.js"
import { mountDialog, mountOpeners } from "./dialogs/dialog.js"
import { mountDirect } from "./conversation/direct.js"
import { mountDisclosure } from "./lib/disclosure.js"
import { mountDrawer, mountMenu } from "./shell/drawer.js"
import { mountDropping } from "./composer/dropping.js"
import { mountEditing, mountEditLast } from "./conversation/editing.js"
import { mountEverywhere } from "./net/everywhere.js"
import { mountEverybody } from "./net/everybody.js"
import { mountFlash } from "./shell/flash.js"
import { mountNewChannel, mountRename } from "./sidebar/form.js"
import { mountKeys, mountShortcuts } from "./shell/keys.js"
import { mountLatest, mountScroll } from "./conversation/scroll.js"
import { mountLightbox } from "./conversation/lightbox.js"
import { mountLinking } from "./conversation/linking.js"
import { mountMessages } from "./conversation/messages.js"
import { say } from "./lib/bus.js"
import { mountAll } from "./lib/mounting.js"
import { mountNames } from "./shell/names.js"
import { mountFirstNew, mountNews } from "./conversation/news.js"
import { mountNewMessage } from "./dialogs/new-message.js"
import { mountNavigation } from "./shell/navigation.js"
import { mountNotices } from "./conversation/notices.js"
import { mountNotifying } from "./shell/notifying.js"
import { mountPeople } from "./conversation/people.js"
import { mountPicker } from "./conversation/picker.js"
import { mountReacting } from "./conversation/reacting.js"
import { mountReactions } from "./conversation/reactions.js"
import { mountReading } from "./conversation/reading.js"
import { mountReplying } from "./composer/replying.js"
import { mountRing } from "./conversation/ring.js"
import { mountRoom } from "./net/room.js"
import { mountSaving } from "./dialogs/saving.js"
import { mountSending } from "./composer/sending.js"
import { mountSession } from "./shell/session.js"
import { mountSessions } from "./dialogs/sessions.js"
import { mountSettings } from "./shell/settings.js"
import { mountChannelSettings } from "./dialogs/channel-settings.js"
import { mountShortening } from "./composer/shortening.js"
import { mountSignOut } from "./shell/sign-out.js"
import { mountSnippet } from "./dialogs/snippet.js"
import { mountToast } from "./shell/toast.js"
import { mountJump, mountSwitcher } from "./dialogs/switcher.js"
import { mountTab } from "./shell/tab.js"
import { mountTopic } from "./conversation/topic.js"
import { mountViews } from "./shell/views.js"
import { mountTyping, mountTypists } from "./composer/typing.js"

/** @typedef {import("./lib/mounting.js").Mount} Mount */

/**
 * What a view does, in the order in which it listens: who draws before who tells, and the room,
 * which speaks, last.
 *
 * @type {Record<string, Mount>}
 */
const VIEW = {
  disclosure: mountDisclosure,
  dialog: mountDialog,
  snippet: mountSnippet,
  menu: mountMenu,
  latest: mountLatest,
  "first-new": mountFirstNew,
  ring: mountRing,
  scroll: mountScroll,
  "catching-up": mountCatchingUp,
  messages: mountMessages,
  notices: mountNotices,
  actions: mountActions,
  reactions: mountReactions,
  reacting: mountReacting,
  editing: mountEditing,
  deleting: mountDeleting,
  copying: mountCopying,
  news: mountNews,
  reading: mountReading,
  topic: mountTopic,
  bell: mountBell,
  "channel-menu": mountChannelMenu,
  "channel-settings": mountChannelSettings,
  typists: mountTypists,
  people: mountPeople,
  direct: mountDirect,
  linking: mountLinking,
  room: mountRoom,
}

/**
 * What stays while one goes from channel to channel.
 *
 * @type {Record<string, Mount>}
 */
const SHELL = {
  session: mountSession,
  settings: mountSettings,
  flash: mountFlash,
  "sign-out": mountSignOut,
  disclosure: mountDisclosure,
  dialog: mountDialog,
  openers: mountOpeners,
  drawer: mountDrawer,
  announcer: mountAnnouncer,
  toast: mountToast,
  saving: mountSaving,
  picker: mountPicker,
  tab: mountTab,
  notifying: mountNotifying,
  switcher: mountSwitcher,
  jump: mountJump,
  keys: mountKeys,
  shortcuts: mountShortcuts,
  card: mountCard,
  navigation: mountNavigation,
  snippet: mountSnippet,
  devices: mountDevices,
  sessions: mountSessions,
  completing: mountCompleting,
  shortening: mountShortening,
  typing: mountTyping,
  everybody: mountEverybody,
  names: mountNames,
  banner: mountBanner,
  attaching: mountAttaching,
  dropping: mountDropping,
  lightbox: mountLightbox,
  composer: mountComposer,
  replying: mountReplying,
  "edit-last": mountEditLast,
  sending: mountSending,
  views: (stage, life) => mountViews(stage, life, VIEW),
  channels: mountChannels,
  "new-channel": mountNewChannel,
  "all-channels": mountAllChannels,
  "new-message": mountNewMessage,
  rename: mountRename,
  everywhere: mountEverywhere,
}

mountAll(SHELL, document, new AbortController().signal)
say("began")
