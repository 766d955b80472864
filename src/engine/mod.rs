//! What people can do. Knows the domain and the ports; knows no HTTP.
//!
//! Each action is the same three steps: check the rules against the present state, append one
//! entry to the log, wait until this node's own follower has applied it. When the state has moved
//! on in between (somebody else was faster), the action starts again from the rules.

mod attendance;
pub mod blobs;
mod channels;
pub mod files;
mod follower;
mod held;
pub mod limits;
mod links;
mod listen;
pub mod log;
mod markers;
mod messages;
mod people;
pub mod presence;
mod reactions;
mod resume;
pub mod room;
mod said;
mod search;
pub mod tally;
mod turns;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::attendance::Leaving;
use self::blobs::Blobs;
use self::files::{FileLimits, Uploads};
use self::held::Held;
use self::limits::{Limits, TooSoon};
use self::links::Links;
pub use self::links::NewLink;
pub use self::listen::Listener;
use self::log::{AppendError, Draft, Expect, Log};
use self::markers::Markers;
pub use self::messages::Put;
pub use self::people::{SignedIn, SignedInAs};
use self::presence::Presence;
use self::reactions::Reacting;
pub use self::resume::From;
use self::room::Room;
pub use self::said::Said;
use self::tally::Counts;
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::entry::{ChannelRecord, Key, RecordError, encode};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, OpId, Seq, SessionId, UserId};
use crate::domain::names::{ChannelName, Topic};
use crate::domain::state::State;
use crate::domain::user::{Account, Session};

/// How often an action is decided again because somebody else was faster, before it is given up.
const MAX_DECISIONS: usize = 32;

/// Why an action was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The session is not, or no longer, live.
    #[error("sign in first")]
    SignInRequired,
    /// It is somebody else's.
    #[error("that belongs to somebody else")]
    NotYours,
    /// Nobody may do that, or not this user.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no such channel for this user.
    #[error("there is no such channel")]
    NoSuchChannel,
    /// Nobody is called that.
    #[error("nobody here is called that")]
    NoSuchUser,
    /// The channel keeps no such message.
    #[error("there is no such message")]
    NoSuchMessage,
    /// No message that this user can read has such a file.
    #[error("there is no such file")]
    NoSuchAttachment,
    /// The link signs nobody in, or no longer.
    #[error("there is no such link")]
    NoSuchLink,
    /// Neither text nor files.
    #[error("a message needs some text or a file")]
    EmptyMessage,
    /// More than fits.
    #[error("{0}")]
    TooLarge(&'static str),
    /// What was being sent ended early.
    #[error("the upload ended early")]
    CutOff,
    /// Somebody holds an equal name.
    #[error("somebody here is already called that")]
    DisplayNameTaken,
    /// There is a channel of that name.
    #[error("there is already a channel of that name")]
    ChannelExists,
    /// The session belongs to a user of another name.
    #[error("you are already signed in under another name")]
    AlreadySignedIn,
    /// Too much in too short a time.
    #[error("too many at once: wait a moment")]
    SlowDown {
        /// When to try again.
        retry_after: Duration,
    },
    /// Nothing can be stored now. It was not stored.
    #[error("nothing can be stored at the moment")]
    StorageUnavailable,
    /// It is stored, but what it did cannot be told: this node has stopped to follow the log.
    #[error("it was stored, but cannot be shown now")]
    Unfollowed,
}

impl std::convert::From<TooSoon> for EngineError {
    fn from(TooSoon(retry_after): TooSoon) -> Self {
        Self::SlowDown { retry_after }
    }
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log holds what this version cannot read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The log ended before it was read.
    #[error("the log cannot be read")]
    LogEnded,
    /// `general` could not be created.
    #[error("the first channel cannot be created: {0}")]
    General(EngineError),
}

/// The chat. Cheap to share; everything that changes is behind it.
pub struct Engine {
    log: Arc<dyn Log>,
    core: Arc<Core>,
    limits: Option<Limits>,
    file_limits: FileLimits,
    uploads: Uploads,
    /// How many bytes are being uploaded, or have been and are not in the state yet.
    uploading: Arc<AtomicU64>,
    links: Links,
    counts: Counts,
    reacting: Reacting,
}

/// What requests, the follower and the listeners share.
struct Core {
    blobs: Arc<dyn Blobs>,
    live: RwLock<Live>,
    /// The last applied entry, for those who wait for one; closed once nothing is applied any more.
    applied: watch::Receiver<Seq>,
    /// Who waits for what an entry does, by its op. `None` once nothing is applied any more.
    waiting: Mutex<Option<HashMap<OpId, Vec<oneshot::Sender<Outcome>>>>>,
    presence: Presence,
    lobby: Arc<Room>,
    /// Ends the streams of a session when it is signed out.
    sessions: Mutex<HashMap<SessionId, CancellationToken>>,
    /// Ends every stream.
    over: CancellationToken,
    /// How many listeners there were.
    listeners: AtomicU32,
    /// Who leaves, for when their grace is over.
    leavings: mpsc::UnboundedSender<Leaving>,
}

/// The state and the rooms, which change together: whoever holds the lock sees both at the same
/// entry.
struct Live {
    state: State,
    /// Those in which somebody listens.
    rooms: Held<ChannelId, Room>,
    /// Those of users who listen to what happens everywhere.
    markers: Held<UserId, Markers>,
}

/// What became of an entry.
enum Outcome {
    Applied(Vec<Event>),
    Refused,
}

/// What became of an attempt to change something.
enum Attempt {
    /// It is done, and this is what it did.
    Done(Vec<Event>),
    /// What it was decided on is no longer true: decide again.
    Again,
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
    ) -> Result<Self, StartError> {
        let core = follower::start(&log, blobs).await?;
        let (uploads, uploading, links) = (Uploads::default(), Arc::default(), Links::default());
        let engine = Self {
            log,
            core,
            limits,
            file_limits,
            uploads,
            uploading,
            links,
            counts: Counts::default(),
            reacting: Reacting::default(),
        };
        engine.remove_unknown_files().await;
        engine.ensure_general().await?;
        Ok(engine)
    }

    /// Whether entries are still applied. When not, nothing can change any more.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.core.waiting.lock().is_some()
    }

    /// Cancelled, it ends every stream, at once and for good.
    #[must_use]
    pub fn stream_ender(&self) -> CancellationToken {
        self.core.over.clone()
    }

    /// A crash may have left files whose message was never stored, or is gone.
    async fn remove_unknown_files(&self) {
        let known = self.core.live.read().state.attachment_ids().cloned().collect();
        if let Err(error) = self.core.blobs.retain(known).await {
            ::log::warn!("Files that nobody needs cannot be removed: {error}.");
        }
    }

    async fn ensure_general(&self) -> Result<(), StartError> {
        let name = ChannelName::general();
        if self.core.live.read().state.channel_named(&name).is_some() {
            return Ok(());
        }
        let key = Key::Channel(name.hash());
        let (topic, creator, created_at) = (Topic::default(), None, None);
        let id = Uuid::now_v7().into();
        let record = ChannelRecord::Open { id, name, topic, creator, created_at };
        // Another node may have been faster: then it is there all the same.
        let created = self.append(fresh_op(), key, encode(&record), Expect::Absent).await;
        created.map(drop).map_err(StartError::General)
    }

    /// Appends one entry and waits for what it does.
    async fn append(
        &self,
        op: OpId,
        key: Key,
        body: String,
        expect: Expect,
    ) -> Result<Attempt, EngineError> {
        let told = self.core.wait_for(op).ok_or(EngineError::StorageUnavailable)?;
        match self.log.append(Draft { op, key, body, expect }).await {
            Ok(appended) if !appended.repeated => match told.await {
                Ok(Outcome::Applied(events)) => Ok(Attempt::Done(events)),
                Ok(Outcome::Refused) => Ok(Attempt::Again),
                Err(_) => Err(EngineError::Unfollowed),
            },
            Ok(repeated) => {
                self.core.forget_waiting(op, told);
                self.core.applied(repeated.seq).await.ok_or(EngineError::Unfollowed)?;
                Ok(Attempt::Again)
            }
            Err(refused) => {
                self.core.forget_waiting(op, told);
                let last = match refused {
                    AppendError::Conflict(last) => last,
                    AppendError::Unavailable => return Err(EngineError::StorageUnavailable),
                    AppendError::TooLarge => {
                        return Err(EngineError::TooLarge("all of it together is too large"));
                    }
                };
                let applied = self.core.applied(last.unwrap_or_default()).await;
                applied.map(|()| Attempt::Again).ok_or(EngineError::StorageUnavailable)
            }
        }
    }
}

impl Core {
    /// Waits until this entry is applied; `None` when nothing is applied any more.
    async fn applied(&self, seq: Seq) -> Option<()> {
        self.applied.clone().wait_for(|last| *last >= seq).await.ok().map(drop)
    }

    /// What the entry of this op will do; `None` when nothing is applied any more.
    fn wait_for(&self, op: OpId) -> Option<oneshot::Receiver<Outcome>> {
        let (tell, told) = oneshot::channel();
        self.waiting.lock().as_mut()?.entry(op).or_default().push(tell);
        Some(told)
    }

    fn forget_waiting(&self, op: OpId, told: oneshot::Receiver<Outcome>) {
        drop(told);
        let mut waiting = self.waiting.lock();
        let Some(waiting) = waiting.as_mut() else { return };
        if let Some(waiters) = waiting.get_mut(&op) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                waiting.remove(&op);
            }
        }
    }
}

impl Live {
    /// The account that a session belongs to, while the session is live.
    fn account(&self, session: &Session) -> Result<&Account, EngineError> {
        let account = self.state.account(&session.user.id);
        let live = account.filter(|account| account.sessions.contains(&session.id));
        live.ok_or(EngineError::SignInRequired)
    }

    /// The channel that somebody names, if there is one for them.
    fn find(&self, named: &ChannelRef, session: &Session) -> Result<Cow<'_, Channel>, EngineError> {
        self.state.find(named, &session.user.id).ok_or(match named {
            ChannelRef::With(_) | ChannelRef::Nobody => EngineError::NoSuchUser,
            ChannelRef::Named(_) | ChannelRef::Id(_) | ChannelRef::Nothing => {
                EngineError::NoSuchChannel
            }
        })
    }
}

fn fresh_op() -> OpId {
    OpId(Uuid::now_v7())
}
