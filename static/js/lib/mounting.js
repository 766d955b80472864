// The behaviours of the page: each is mounted on the elements that ask for it, `data-mount="name"`, and
// what it listens to and waits for is part of its life, and ends with it: a view that goes leaves
// nothing behind. What behaviours say to each other are events on the document: those of the server come
// down, actions go up, and all of them are listed here.

/** @typedef {import("../net/api.js").Message} Message */
/** @typedef {import("../net/api.js").Channel} Channel */
/** @typedef {import("../net/api.js").User} User */

/**
 * @typedef {object} Life what a behaviour does for as long as it is mounted
 * @property {AbortSignal} signal of its end
 * @property {<Name extends keyof Events>(name: Name, act: (detail: Events[Name]) => void) => void} hear what is said on the page
 * @property {<E extends Event = any>(target: EventTarget, type: string, act: (event: E) => void, options?: AddEventListenerOptions) => void} on
 * @property {(act: () => void, ms: number) => number} later like `setTimeout`
 * @property {(act: () => void, ms: number) => number} every like `setInterval`
 * @property {(act: () => void) => void} atEnd
 */

/** @typedef {(element: any, life: Life) => void} Mount */

/**
 * Mounts each of these behaviours on the elements that ask for it by its name: `mountFirstNew` where
 * `data-mount` has `first-new`.
 *
 * @param {Record<string, Mount>} mounts in the order in which they listen
 * @param {ParentNode} root
 * @param {AbortSignal} signal ends all of them
 */
export function mountAll(mounts, root, signal) {
  const life = lifeUntil(signal)
  const view = root instanceof Element ? root.closest(".view") : null
  for (const [name, mount] of Object.entries(mounts)) {
    const asks = `[data-mount~="${name.replace("mount", "").replace(/\B[A-Z]/g, "-$&").toLowerCase()}"]`
    if (root instanceof Element && root.matches(asks)) mount(root, life)
    for (const element of root.querySelectorAll(asks)) {
      // What is in a view lives as long as the view.
      if (element.closest(".view") === view) mount(element, life)
    }
  }
}

/**
 * The life of behaviours that ends with this signal.
 *
 * @param {AbortSignal} signal
 * @returns {Life}
 */
function lifeUntil(signal) {
  /** @type {Life["on"]} */
  const on = (target, type, act, options) => target.addEventListener(type, /** @type {any} */ (act), { ...options, signal })
  /** @type {Life["atEnd"]} */
  const atEnd = (act) => signal.addEventListener("abort", act, { once: true })
  const timers = new Set()
  atEnd(() => timers.forEach(clearTimeout))
  return {
    signal,
    on,
    atEnd,
    // Forms and fields speak of their own, too: a form that is reset is not the stream's `reset`.
    hear: (name, act) => on(document, name, (event) => event instanceof CustomEvent && act(event.detail)),
    later: (act, ms) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        act()
      }, ms)
      timers.add(timer)
      return timer
    },
    every: (act, ms) => {
      const timer = setInterval(act, ms)
      timers.add(timer)
      return timer
    },
  }
}

/**
 * Says something to whoever hears it.
 *
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {[Events[Name]] extends [void] ? [] : [detail: Events[Name]]} told
 */
export function say(name, ...told) {
  const [detail] = told
  document.dispatchEvent(new CustomEvent(name, { detail }))
}

/** @typedef {{id: string}} OfMessage a message by its id */
/** @typedef {{isBack: boolean, wait?: (shown: Promise<void>) => void}} Went whether by the browser's way back or on; what is waited for until the view is there */
/** @typedef {{user: User, online: number}} Move who came or went, and how many are there now */

/**
 * Of the view that is open. Whatever is mounted in it hears them while it is open.
 *
 * @typedef {object} OfView
 * @property {Went} went the address is another one
 * @property {void} opened another view is in place: `here()` tells which
 * @property {void} entered and it does what it does
 * @property {void} titled it is called otherwise now
 * @property {{why: string}} no-channel there is none at this address
 * @property {void} departed the other one of a direct conversation has signed out for good
 * @property {import("../net/streams.js").State} connection of the open channel's stream
 * @property {void} connect-now without waiting any longer
 * @property {void} drawing the conversation is about to change
 * @property {Drawn} drawn it has changed
 * @property {{following: boolean, missed: number}} missed whether its end is in view, and how many came while it is not
 * @property {{item: Element}} look-at what must come into view
 * @property {void} to-latest the end must
 * @property {{shown: boolean}} news-above whether the first new message lies unseen above
 * @property {void} to-news it must come into view
 * @property {void} read-all nothing is new any more
 * @property {void} marked-unread the reader wants something to stay unread
 * @property {boolean} catching-up whether what was missed is coming
 *
 * @typedef {object} Drawn
 * @property {Message | null} message what was told, if it was one
 * @property {boolean} isNew
 * @property {boolean} own
 * @property {boolean} isReset whether all that is stored comes again
 */

/**
 * What the server says on the open channel's stream.
 *
 * @typedef {object} OfChannel
 * @property {Message} message
 * @property {Message} message-updated
 * @property {OfMessage} message-deleted
 * @property {Message} message-restored
 * @property {{reason: string}} reset
 * @property {Move} joined
 * @property {Move} left
 * @property {{online: number}} presence where many are, only how many
 * @property {{user: User}} typing
 * @property {Channel} channel-updated
 * @property {{name?: string}} channel-deleted
 */

/**
 * What the server says on the stream of everything, and what is known of that.
 *
 * @typedef {object} OfEverything
 * @property {import("../net/streams.js").State} everywhere-connection
 * @property {Channel} everywhere-channel-created
 * @property {Channel} everywhere-channel-updated
 * @property {{name: string}} everywhere-channel-deleted
 * @property {{channel: string, channel_id: string, unread: number, mentions: number, last_message_at: string | null}} everywhere-activity
 * @property {{user: User}} everywhere-online
 * @property {{user: User}} everywhere-offline
 * @property {{online: number}} everywhere-presence
 * @property {{user: User}} everywhere-renamed
 * @property {{reason: string}} everywhere-reset
 * @property {boolean} leads whether this tab has the stream, for all tabs
 * @property {import("../sidebar/destinations.js").Known[]} channels all that the user can see, in the sidebar's order
 * @property {import("../sidebar/destinations.js").Known[]} listed those of them that the sidebar lists
 * @property {void} channels-stale they may have changed unheard of
 * @property {number} unread-elsewhere in how many others something is unread
 * @property {void} everybody who there is has changed
 * @property {User} renamed
 * @property {void} who-am-i it is time to ask
 */

/**
 * What is asked of a message, by its toolbar and what stands in it.
 *
 * @typedef {object} OfActions
 * @property {OfMessage} react
 * @property {OfMessage} reply
 * @property {OfMessage} edit
 * @property {{from: HTMLElement}} edit-last one's own last message; where the focus goes afterwards
 * @property {OfMessage} copy-link
 * @property {OfMessage} copy-text
 * @property {OfMessage} mark-unread
 * @property {OfMessage} delete
 * @property {OfMessage} undo
 * @property {OfMessage} retry
 * @property {OfMessage} discard
 * @property {OfMessage} dismiss
 * @property {OfMessage} hide-previews for everybody
 * @property {OfMessage} show-previews again
 * @property {{id: string, at: number}} cancel-file one of its files is not to be sent
 */

/**
 * What is written, and what becomes of it.
 *
 * @typedef {object} OfWriting
 * @property {boolean} writable whether one can write in the open view
 * @property {import("../composer/composer.js").Answered | null} answering what the next message answers
 * @property {File[]} attached what goes with it
 * @property {import("../composer/attaching.js").Brought} dropped
 * @property {File[]} unreadable
 * @property {{channel: string, text: string, files: File[]}} send
 * @property {import("../composer/sending.js").Draft & {channel: string, author: User}} sending it is on its way
 * @property {{id: string, sent: number}} progress of its files, from 0 to 1
 * @property {{channel: string, message: Message}} sent it is stored
 * @property {{id: string, why: string, retries: boolean}} not-sent
 * @property {OfMessage} discarded
 * @property {{words: string}} left-over what was written into a message that is gone
 * @property {void} emoji the list of emoji is there
 */

/**
 * Of the page around it.
 *
 * @typedef {object} OfShell
 * @property {void} began all is mounted
 * @property {{text: string}} tell a word in passing
 * @property {void} jump the switcher is wanted
 * @property {void} shortcuts
 * @property {void} clock the reader writes times otherwise now
 * @property {void} permission whether this device notifies has changed
 */

/** @typedef {OfView & OfChannel & OfEverything & OfActions & OfWriting & OfShell} Events */
