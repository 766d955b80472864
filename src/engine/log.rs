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
    /// True when an earlier attempt with the same op stored it, and this one nothing.
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
}

/// An append-only sequence of keyed entries. It keeps each of them until it is [erased](Log::erase)
/// as spent: what is kept is decided by [`apply`](crate::domain::state::State::apply) alone.
///
/// Every implementation keeps the promises of `tests/spec/log.rs`:
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
    /// then nothing was stored.
    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>>;

    /// A stream of every entry after `after` that is not erased, then [`Feed::CaughtUp`], then
    /// those to come. Ends when the log is closed or fails.
    fn follow(&self, after: Seq) -> BoxStream<'static, Feed>;

    /// Erases spent entries: later, in this order, together with other commits, or alone after a
    /// second at most; should that fail, with the next commit that succeeds. An append that is
    /// called later finds them erased. Erasing twice does nothing.
    fn erase(&self, spent: Vec<Seq>);

    /// True when entries can be appended at present: false from a failed commit until one succeeds,
    /// and while the store is not the one that was opened.
    fn is_writable(&self) -> bool;
}
