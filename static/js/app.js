// All behaviours of the page on which one talks: those of the shell, which stay, and those of the
// view of a channel, which come and go with it.

import { mountAttaching, mountDropping } from "./composer/attaching.js"
import { mountCompleting, mountShortening } from "./composer/completion.js"
import { mountComposer, mountReplying } from "./composer/composer.js"
import { mountSending } from "./composer/sending.js"
import { mountTyping, mountTypists } from "./composer/typing.js"
import { mountActions } from "./conversation/actions.js"
import { mountCopying } from "./conversation/copying.js"
import { mountDeleting, mountEditing, mountEditLast } from "./conversation/editing.js"
import { mountLightbox } from "./conversation/files.js"
import { mountBell, mountChannelMenu, mountDirect, mountRing, mountTopic } from "./conversation/header.js"
import { mountMessages } from "./conversation/messages.js"
import { mountCard, mountNames, mountNotices, mountPeople } from "./conversation/people.js"
import { mountPicker, mountReacting, mountReactions } from "./conversation/reactions.js"
import { mountLatest, mountLinking, mountScroll } from "./conversation/scrolling.js"
import { mountCatchingUp, mountFirstNew, mountNews, mountReading } from "./conversation/unread.js"
import { mountDevices, mountSessions } from "./dialogs/devices.js"
import { mountDialog, mountDisclosure, mountOpeners } from "./dialogs/dialog.js"
import { mountAllChannels, mountNewMessage } from "./dialogs/directory.js"
import { mountChannelSettings, mountNewChannel, mountRename } from "./dialogs/forms.js"
import { mountSaving } from "./dialogs/saving.js"
import { mountSnippet } from "./dialogs/snippet.js"
import { mountJump, mountSwitcher } from "./dialogs/switcher.js"
import { mountAll, say } from "./lib/mounting.js"
import { mountEverywhere, mountRoom } from "./net/streams.js"
import { mountEverybody } from "./net/users.js"
import { mountBanner } from "./shell/banner.js"
import { mountFlash, mountToast } from "./shell/flash.js"
import { mountKeys, mountShortcuts } from "./shell/keys.js"
import { mountNavigation, mountViews } from "./shell/navigation.js"
import { mountAnnouncer, mountNotifying, mountTab } from "./shell/notifications.js"
import { mountSession, mountSignOut } from "./shell/session.js"
import { mountSettings } from "./shell/settings.js"
import { mountChannels, mountDrawer, mountMenu } from "./sidebar/sidebar.js"

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
