//! The log: the port through which everything that lasts is kept, in one total order.

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::domain::entry::{Entry, Key};
use crate::domain::ids::{Epoch, OpId, Seq, Start};

/// A writer's expectation of the last entry of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It may be any, or none.
    Any,
    /// There is none.
    Absent,
    /// It is this one.
    At(Seq),
}

impl From<Option<Seq>> for Expect {
    fn from(last: Option<Seq>) -> Self {
        last.map_or(Self::Absent, Self::At)
    }
}

/// An entry to be appended.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The id of the attempt. The same again within a minute stores nothing.
    pub op: OpId,
    /// The thing that the entry is about.
    pub key: Key,
    /// A record in its stored form, at most [`Draft::MAX_BODY_BYTES`] long.
    pub body: String,
    /// The expectation of the key's last entry, checked in one step with appending.
    pub expect: Expect,
}

impl Draft {
    /// The longest body, in bytes. A message of 4,000 code points stays far below.
    pub const MAX_BODY_BYTES: usize = 512 * 1024;
}

/// The result of appending an entry: it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry's place in the order.
    pub seq: Seq,
    /// True when an earlier append with the same op stored it, and this one nothing.
    pub repeated: bool,
}

/// The reason for which nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The expectation does not hold: the key's last entry is this one, or there is none.
    #[error("the key's last entry is not the expected one")]
    Conflict(Option<Seq>),
    /// The log cannot store anything now, and has not stored this entry.
    #[error("the log cannot be written")]
    Unavailable,
    /// The log has not said whether it stored this entry. The same op may be sent again.
    #[error("the outcome is not known; the same op may be sent again")]
    Unknown,
    /// The body is longer than [`Draft::MAX_BODY_BYTES`].
    #[error("the entry is too large")]
    TooLarge,
}

/// Number of starts that a log remembers: the latest ones.
pub const KEPT_STARTS: usize = 1_000;

/// An item of the stream that a follower of the log gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The next entry.
    Entry(Entry),
    /// The end of the past: every kept entry up to this one was given, and those to come follow.
    /// The entry itself may be erased: sequences are not used again.
    CaughtUp(Seq),
    /// The last item: entries were erased that should have been given. What came before must not be
    /// used, and everything be read anew. Only a log that several nodes share gives it.
    Incomplete,
}

/// The condition of a log that several nodes share, as one of them knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Number of other nodes.
    pub other_nodes: usize,
    /// Number of entries that are stored and that this node has not been given.
    pub lag: u64,
    /// Number of times that the connection was made anew.
    pub reconnections: u64,
    /// Number of seconds in which nothing could be appended.
    pub stalled_seconds: u64,
    /// Number of spent entries that are not erased yet.
    pub pending_erasures: usize,
}

/// An append-only sequence of keyed entries. It keeps each of them until it is [erased](Log::erase)
/// as spent: what is kept is decided by [`apply`](crate::domain::state::State::apply) alone.
///
/// Every implementation keeps the promises of `tests/contract/log.rs`:
///
/// 1. Sequences strictly grow, and none is used twice. An entry's time is the clock's when it came.
/// 2. When `append` returns, the entry is durable, and every follower will be given it.
/// 3. The same op within 60 s returns the same sequence and stores nothing.
/// 4. Expectations are checked in one step with appending.
/// 5. `follow` gives every entry after `after` that is not erased, then those to come, each once,
///    in order; those too that cannot be read.
/// 6. Nothing goes but what is spent, in the order in which it was given as such: at any moment
///    some of the first that were given are erased, and none of the rest.
/// 7. Erasing removes content and renumbers nothing.
/// 8. Each opening for writing is a new start, remembered before anything else happens.
pub trait Log: Send + Sync {
    /// The id of the store, made with it: another store has another one.
    fn epoch(&self) -> Epoch;

    /// The starts of this log that are remembered, oldest first, at most [`KEPT_STARTS`]; the last
    /// one runs now.
    fn starts(&self) -> Vec<Start>;

    /// Appends one entry and returns once it is durable.
    ///
    /// # Errors
    ///
    /// When the expectation does not hold, the body is too large, or the store cannot be written;
    /// then nothing was stored, unless the error is [`AppendError::Unknown`].
    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>>;

    /// A stream of every entry after `after` that is not erased, then [`Feed::CaughtUp`], then
    /// those to come. Ends when the log is closed or fails, or with [`Feed::Incomplete`].
    fn follow(&self, after: Seq) -> BoxStream<'static, Feed>;

    /// Erases entries that are spent by what the entries up to `cause` say: later, in this order,
    /// together with other commits, or alone after a second at most; should that fail, with the next
    /// commit that succeeds. An append or a follower that is called later finds them erased. Erasing
    /// twice does nothing.
    ///
    /// A log that several nodes share erases once for all of them, and not before each node has been
    /// given the cause. Causes never fall.
    fn erase(&self, cause: Seq, spent: Vec<Seq>);

    /// A look at which entry was the last one when this was called, in the store that several nodes
    /// share; it gives `None` where the store does not answer. There is no such look where one
    /// process has the log for itself: its followers are given everything at once.
    fn latest(&self) -> Option<BoxFuture<'static, Option<Seq>>> {
        None
    }

    /// The log's condition, for monitors; `None` where one process has it for itself.
    fn vitals(&self) -> Option<Vitals> {
        None
    }

    /// True when entries can be appended at present: false from a failed commit until one succeeds,
    /// and while the store is not the one that was opened.
    fn is_writable(&self) -> bool;
}
