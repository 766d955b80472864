//! The engine: the actions that people can take. Knows the domain and the ports; knows no HTTP.
//!
//! Each action is the same three steps: check the rules against the present state, append one
//! entry to the log, wait until this node's own follower has applied it. When the state has changed
//! in between (somebody else was faster), the action starts again from the rules.

pub mod blobs;
pub mod bounds;
mod channels;
mod commit;
mod draft;
mod erasures;
pub mod fetch;
pub mod files;
mod follower;
mod hooks;
pub mod latest;
pub mod limits;
mod links;
mod listen;
pub mod log;
mod messages;
mod name_locks;
mod nodes;
pub mod operator;
mod outgoing;
mod ping_clock;
mod preferences;
pub mod presence;
pub mod previews;
mod publish;
mod reactions;
mod read_markers;
mod reader;
mod resume;
pub mod ring;
pub mod room;
mod search;
mod sessions;
mod sidebar;
mod start;
pub mod statistics;
mod users;
mod wake_queue;
mod weak_map;
pub mod whisper;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::blobs::Blobs;
use self::bounds::Bounds;
pub use self::channels::{ChannelList, ChannelPermissions};
pub use self::draft::MessageDraft;
use self::fetch::Fetch;
use self::files::{FileLimits, Uploads};
pub use self::hooks::{ListedHook, NewOutgoing};
use self::limits::{Limits, TooSoon};
use self::links::Links;
pub use self::links::NewLink;
pub use self::listen::{CatchUp, Listener};
use self::log::Log;
pub use self::messages::{History, Put};
use self::name_locks::NameLocks;
use self::nodes::Node;
pub use self::outgoing::QueueStatus;
use self::outgoing::Queues;
use self::ping_clock::PingClock;
use self::presence::{PendingDeparture, Presence};
use self::previews::PreviewFetches;
use self::reactions::ReactionLocks;
use self::read_markers::PendingMarkers;
use self::reader::Reader;
pub use self::resume::Resume;
use self::room::Room;
use self::search::SearchLocks;
use self::sessions::SessionUses;
pub use self::sessions::{ListedSession, NewToken};
pub use self::sidebar::{Sidebar, SidebarChannel};
use self::statistics::{Counters, Flow};
pub use self::users::{Device, SignedIn, SignedInAs, UserPresence};
use self::weak_map::WeakMap;
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Epoch, OpId, Seq, SessionId, Start, UserId};
use crate::domain::state::State;
use crate::domain::user::{Account, Session};
use crate::wire::channel::ChannelSnapshot;

/// The reason for which an action was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The session is not, or no longer, live.
    #[error("sign in first")]
    SignInRequired,
    /// The message or channel belongs to somebody else.
    #[error("that belongs to somebody else")]
    NotYours,
    /// The action is not allowed, to anybody or to this user.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no such channel for this user.
    #[error("there is no such channel")]
    NoSuchChannel,
    /// No user has that display name.
    #[error("nobody here is called that")]
    NoSuchUser,
    /// The channel keeps no such message.
    #[error("there is no such message")]
    NoSuchMessage,
    /// No message that this user can read has such a file.
    #[error("there is no such file")]
    NoSuchAttachment,
    /// The user has no such session.
    #[error("you have no such session")]
    NoSuchSession,
    /// The channel has no such hook, or the address is none's.
    #[error("there is no such hook")]
    NoSuchHook,
    /// An address that hooks must not post to; why.
    #[error("{0}")]
    BadAddress(String),
    /// The words of an outgoing hook are too many, or one is too long.
    #[error("a hook has at most 20 words of 64 characters")]
    BadWords,
    /// The one-time link does not exist, or can be used no longer.
    #[error("there is no such link")]
    NoSuchLink,
    /// The message has neither text nor files.
    #[error("a message needs some text or a file")]
    EmptyMessage,
    /// The content is larger than what fits.
    #[error("{0}")]
    TooLarge(&'static str),
    /// The upload ended early.
    #[error("the upload ended early")]
    CutOff,
    /// An equal display name is held by another user.
    #[error("somebody here is already called that")]
    DisplayNameTaken,
    /// Another user holds a display name that looks like this one.
    #[error("that looks like a name that is taken: somebody could mistake you for each other")]
    LooksLikeTakenName,
    /// A channel of that name exists.
    #[error("there is already a channel of that name")]
    ChannelExists,
    /// The session belongs to a user of another name.
    #[error("you are already signed in under another name")]
    AlreadySignedIn,
    /// The user or the address did too much in too short a time.
    #[error("too many at once: wait a moment")]
    SlowDown {
        /// Time after which to try again.
        retry_after: Duration,
    },
    /// There are as many of these as the [bounds](bounds::Bounds) allow: `channels`, `sessions of
    /// yours`.
    #[error("there can be no more {0} on this server")]
    LimitReached(&'static str),
    /// Others were faster each time, or there are as many streams as there can be. It may work
    /// later.
    #[error("the server is too busy at the moment")]
    TooBusy,
    /// The server is about to end, and takes no new streams.
    #[error("the server is stopping: come back in a moment")]
    Stopping,
    /// Something failed that never should. The cause is in the log of the process.
    #[error("something went wrong on this side")]
    Defect,
    /// The log cannot be written now, and nothing was stored.
    #[error("nothing can be stored at the moment")]
    StorageUnavailable,
    /// The log has not said whether the entry is stored.
    #[error(
        "it may be stored or not: send it again, under the same id if it has one, and it is never \
         there twice"
    )]
    OutcomeUnknown,
    /// The entry is stored, but its result is unknown: this node has stopped following the log, or
    /// is cut off from it.
    #[error("it was stored, but cannot be shown now")]
    FollowerStopped,
}

impl From<TooSoon> for EngineError {
    fn from(TooSoon(retry_after): TooSoon) -> Self {
        Self::SlowDown { retry_after }
    }
}

/// A reason for which the server is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impediment {
    /// The server is about to end.
    #[error("stopping: it ends as soon as what is under way is done")]
    Stopping,
    /// Entries are stored and not applied any more.
    #[error("stuck: what is stored takes no effect any more; start it again, the log says why")]
    FollowerStopped,
    /// Entries cannot be stored.
    #[error(
        "storage: nothing can be stored; is the disk full, or was the data directory moved? It goes \
         on by itself once that is mended"
    )]
    LogNotWritable,
    /// Entries cannot be stored in the log that several nodes share.
    #[error(
        "storage: the NATS servers store nothing; does a majority of them run, and have they room? It \
         goes on by itself once that is mended"
    )]
    SharedLogNotWritable,
}

/// The reason for which the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log ended before it was read.
    #[error("the log cannot be read")]
    LogEnded,
    /// Each time that the log was read, entries were erased meanwhile.
    #[error("the log changes while it is read")]
    LogChanging,
    /// `general` could not be created.
    #[error("the first channel cannot be stored: the lines of the log before this one say why")]
    General(EngineError),
}

/// The chat: every action that people can take, and the state that they act on. Clones are the same
/// chat.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

impl Deref for Engine {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of an [`Engine`].
pub struct Parts {
    log: Arc<dyn Log>,
    core: Arc<Core>,
    limits: Option<Limits>,
    bounds: Bounds,
    file_limits: FileLimits,
    uploads: Uploads,
    /// Number of bytes that are being uploaded, or have been and are not in the state yet.
    uploading: Arc<AtomicU64>,
    links: Links,
    counters: Counters,
    name_locks: NameLocks,
    reaction_locks: ReactionLocks,
    search_locks: SearchLocks,
    /// Held while something bounded is created: two at once would exceed the bound.
    creation_lock: tokio::sync::Mutex<()>,
    /// The way to other servers, once it is set.
    fetch: OnceLock<Arc<dyn Fetch>>,
    outgoing: Queues,
    previews: Arc<PreviewFetches>,
}

/// The parts that requests, the follower and the listeners share.
struct Core {
    blobs: Arc<dyn Blobs>,
    epoch: Epoch,
    starts: Vec<Start>,
    live: RwLock<Live>,
    /// The rooms of channels that have listeners.
    rooms: WeakMap<ChannelId, Room>,
    /// The rooms of users with a stream of everything: for events that concern one user alone.
    user_rooms: WeakMap<UserId, Room>,
    /// The room of the streams of everything: for events that concern everybody.
    lobby: Arc<Room>,
    /// The last applied entry; closed once nothing is applied any more.
    applied: watch::Receiver<Seq>,
    /// The requests that wait for the outcome of an entry, by its op. `None` once nothing is
    /// applied any more.
    waiting: Mutex<Option<HashMap<OpId, Vec<oneshot::Sender<Outcome>>>>>,
    presence: Presence,
    /// The way to other nodes, once there is one.
    node: OnceLock<Node>,
    pending_markers: PendingMarkers,
    /// The tokens that end the streams of a session when it is signed out.
    session_ends: Mutex<HashMap<SessionId, CancellationToken>>,
    session_uses: SessionUses,
    /// The token that ends every stream.
    end: CancellationToken,
    /// The clock of pings.
    pings: PingClock,
    /// Number of entries that could not be read.
    unreadable: AtomicU64,
    /// Counters of what happens on the way to and from the log.
    flow: Flow,
    /// The queue of users whose last stream in a place ended.
    departures: mpsc::UnboundedSender<PendingDeparture>,
}

/// The state behind its lock. Events go to the rooms under the same lock, so that its holder sees
/// the state and the rooms at the same entry.
struct Live {
    state: State,
}

/// The outcome of an entry.
enum Outcome {
    /// It was applied, with these events.
    Applied(Vec<Event>),
    /// It was decided on a state that had changed by then, and changed nothing.
    Refused,
}

impl Engine {
    /// Reads the log and begins to follow it, and removes the files that it does not know. Must be
    /// called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the log cannot be read, or holds what this version does not know.
    pub async fn start(
        log: Arc<dyn Log>,
        blobs: Arc<dyn Blobs>,
        limits: Option<Limits>,
        file_limits: FileLimits,
        bounds: Bounds,
    ) -> Result<Self, StartError> {
        let core = start::start(&log, blobs, &bounds).await?;
        let engine = Self(Arc::new(Parts {
            log,
            core,
            limits,
            bounds,
            file_limits,
            uploads: Uploads::default(),
            uploading: Arc::default(),
            links: Links::default(),
            counters: Counters::default(),
            name_locks: NameLocks::default(),
            reaction_locks: ReactionLocks::default(),
            search_locks: SearchLocks::default(),
            creation_lock: tokio::sync::Mutex::default(),
            fetch: OnceLock::new(),
            outgoing: Queues::default(),
            previews: Arc::default(),
        }));
        engine.remove_unknown_files().await;
        engine.ensure_general().await?;
        engine.store_all_shown_again().await;
        Ok(engine)
    }

    /// Opens the way to other servers; without it, outgoing hooks are refused, and links have no previews.
    /// Only the first call counts.
    pub fn set_fetch(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.fetch.set(fetch);
    }

    /// The reasons for which changes do not take effect at present, or should not be sent here; none
    /// when all is well.
    #[must_use]
    pub fn impediments(&self) -> Vec<Impediment> {
        let not_writable = if self.has_other_nodes() {
            Impediment::SharedLogNotWritable
        } else {
            Impediment::LogNotWritable
        };
        let checks = [
            (self.core.end.is_cancelled(), Impediment::Stopping),
            (self.core.waiting.lock().is_none(), Impediment::FollowerStopped),
            (!self.log.is_writable(), not_writable),
        ];
        checks.into_iter().filter_map(|(is_so, impediment)| is_so.then_some(impediment)).collect()
    }

    /// The token that ends every stream when it is cancelled, at once and for good.
    #[must_use]
    pub fn stream_end(&self) -> CancellationToken {
        self.core.end.clone()
    }

    /// Removes files that no message has: a crash may have left some.
    async fn remove_unknown_files(&self) {
        if self.core.unreadable.load(Ordering::Relaxed) > 0 {
            ::log::warn!("No files are removed: some may belong to what cannot be read.");
            return;
        }
        let known = self.core.live.read().state.attachment_ids().cloned().collect();
        if let Err(error) = self.core.blobs.retain(known).await {
            ::log::warn!("Files that nobody needs cannot be removed: {error}.");
        }
    }
}

impl Core {
    /// Waits until this entry is applied; `None` when nothing is applied any more.
    async fn applied(&self, seq: Seq) -> Option<()> {
        self.applied.clone().wait_for(|last| *last >= seq).await.ok().map(drop)
    }

    /// A receiver of the outcome of this op's entry; `None` when nothing is applied any more.
    fn expect_outcome(&self, op: OpId) -> Option<oneshot::Receiver<Outcome>> {
        let (sender, outcome) = oneshot::channel();
        self.waiting.lock().as_mut()?.entry(op).or_default().push(sender);
        Some(outcome)
    }

    /// Gives up a receiver whose entry was not appended.
    fn forget_outcome(&self, op: OpId, outcome: oneshot::Receiver<Outcome>) {
        drop(outcome);
        let mut waiting = self.waiting.lock();
        let Some(waiting) = waiting.as_mut() else { return };
        if let Some(senders) = waiting.get_mut(&op) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(&op);
            }
        }
    }
}

impl Live {
    /// The account that a session belongs to, while the session is live.
    fn account(&self, session: &Session) -> Result<&Account, EngineError> {
        let account = self.state.account(&session.user.id);
        let live = account.filter(|account| account.sessions.contains_key(&session.id));
        live.ok_or(EngineError::SignInRequired)
    }

    /// The channel of this name, if there is one for this user.
    fn find(&self, named: &ChannelRef, session: &Session) -> Result<Arc<Channel>, EngineError> {
        let found = self.state.find(named, &session.user.id).map(std::borrow::Cow::into_owned);
        found.ok_or(match named {
            ChannelRef::With(_) | ChannelRef::Nobody => EngineError::NoSuchUser,
            ChannelRef::Named(_) | ChannelRef::Id(_) | ChannelRef::Nothing => {
                EngineError::NoSuchChannel
            }
        })
    }

    /// A channel with all that is needed to show it to this reader.
    fn snapshot(&self, channel: &Arc<Channel>, reader: &Reader) -> ChannelSnapshot {
        let creator = channel.creator().and_then(|creator| self.state.account(creator));
        ChannelSnapshot {
            channel: channel.clone(),
            conversation: self.state.conversation(&channel.id).cloned().unwrap_or_default(),
            creator: creator.map(|account| account.person.clone()),
            read: reader.positions.of(&channel.id),
            preferences: reader.preferences.of(&channel.id),
        }
    }
}
