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
import { mountPreviews } from "./conversation/previews.js"
import { mountPicker, mountReacting, mountReactions } from "./conversation/reactions.js"
import { mountLatest, mountLinking, mountScroll } from "./conversation/scrolling.js"
import { mountCatchingUp, mountFirstNew, mountNews, mountReading } from "./conversation/unread.js"
import { mountDevices, mountSessions } from "./dialogs/devices.js"
import { mountDialog, mountDisclosure, mountOpeners } from "./dialogs/dialog.js"
import { mountAllChannels, mountNewMessage } from "./dialogs/directory.js"
import { mountChannelSettings, mountNewChannel, mountRename } from "./dialogs/forms.js"
import { mountHooks } from "./dialogs/hooks.js"
import { mountSaving } from "./dialogs/saving.js"
import { mountSnippet } from "./dialogs/snippet.js"
import { mountJump, mountSwitcher } from "./dialogs/switcher.js"
import { mountAll, say } from "./lib/mounting.js"
import { mountEverywhere, mountRoom } from "./net/streams.js"
import { mountEverybody } from "./net/users.js"
import { mountBanner, mountToast } from "./shell/banner.js"
import { mountFlash } from "./shell/flash.js"
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
  mountDisclosure,
  mountDialog,
  mountSnippet,
  mountMenu,
  mountLatest,
  mountFirstNew,
  mountRing,
  mountScroll,
  mountCatchingUp,
  mountMessages,
  mountNotices,
  mountActions,
  mountReactions,
  mountReacting,
  mountPreviews,
  mountEditing,
  mountDeleting,
  mountCopying,
  mountNews,
  mountReading,
  mountTopic,
  mountBell,
  mountChannelMenu,
  mountChannelSettings,
  mountHooks,
  mountTypists,
  mountPeople,
  mountDirect,
  mountLinking,
  mountRoom,
}

/**
 * What stays while one goes from channel to channel.
 *
 * @type {Record<string, Mount>}
 */
const SHELL = {
  mountSession,
  mountSettings,
  mountFlash,
  mountSignOut,
  mountDisclosure,
  mountDialog,
  mountOpeners,
  mountDrawer,
  mountAnnouncer,
  mountToast,
  mountSaving,
  mountPicker,
  mountTab,
  mountNotifying,
  mountSwitcher,
  mountJump,
  mountKeys,
  mountShortcuts,
  mountCard,
  mountNavigation,
  mountSnippet,
  mountDevices,
  mountSessions,
  mountCompleting,
  mountShortening,
  mountTyping,
  mountEverybody,
  mountNames,
  mountBanner,
  mountAttaching,
  mountDropping,
  mountLightbox,
  mountComposer,
  mountReplying,
  mountEditLast,
  mountSending,
  mountViews: (stage, life) => mountViews(stage, life, VIEW),
  mountChannels,
  mountNewChannel,
  mountAllChannels,
  mountNewMessage,
  mountRename,
  mountEverywhere,
}

mountAll(SHELL, document, new AbortController().signal)
say("began")
