//! The log: the port through which everything that lasts is kept, in one total order.

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::domain::entry::{Entry, Erase, Key};
use crate::domain::ids::{Epoch, OpId, Seq};

/// What a writer expects of the last entry of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// That there is none.
    Absent,
    /// That it is this one.
    At(Seq),
}

impl From<Option<Seq>> for Expect {
    fn from(last: Option<Seq>) -> Self {
        last.map_or(Self::Absent, Self::At)
    }
}

/// An entry to be: what [`Log::append`] takes.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The attempt. The same again within a minute stores nothing.
    pub op: OpId,
    /// What the entry is about.
    pub key: Key,
    /// A record in its stored form, at most [`Draft::MAX_BODY_BYTES`] long.
    pub body: String,
    /// What must hold of the key's last entry, checked in one step with appending.
    pub expect: Expect,
}

impl Draft {
    /// The longest body, in bytes. A message of 4,000 code points stays far below.
    pub const MAX_BODY_BYTES: usize = 512 * 1024;
}

/// An entry that is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the order.
    pub seq: Seq,
    /// It was stored by an earlier attempt with the same op; nothing was stored now.
    pub repeated: bool,
}

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The expectation does not hold: the key's last entry is this one, or there is none.
    #[error("the key's last entry is not the expected one")]
    Conflict(Option<Seq>),
    /// The log cannot store anything now. Whether this entry was stored is certain: it was not.
    #[error("the log cannot be written")]
    Unavailable,
    /// The body is longer than [`Draft::MAX_BODY_BYTES`].
    #[error("the entry is too large")]
    TooLarge,
}

/// What a follower of the log is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The next entry.
    Entry(Entry),
    /// All entries up to this one that are kept have been given; those to come follow. It may
    /// itself be erased: sequences of what was erased are not used again.
    CaughtUp(Seq),
}

/// An append-only sequence of keyed entries. See [`Key`] for how many of each key are kept.
///
/// Every implementation keeps the promises of `tests/spec/log.rs`:
///
/// 1. Sequences strictly grow; an entry's time is never before its predecessor's.
/// 2. When `append` returns, the entry is durable, and every follower will be given it.
/// 3. The same op within 60 s returns the same sequence and stores nothing.
/// 4. Expectations are checked in one step with appending.
/// 5. `follow` gives every kept entry after `after`, then those to come, each once, in order.
/// 6. Of each key the last [`Key::kept`] entries are kept. With a message goes its change.
/// 7. Erasing removes content and renumbers nothing.
pub trait Log: Send + Sync {
    /// Made with the store: another store has another one.
    fn epoch(&self) -> Epoch;

    /// Appends one entry and returns once it is durable.
    ///
    /// # Errors
    ///
    /// When the expectation does not hold, the body is too large, or the store cannot be written;
    /// then nothing was stored.
    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>>;

    /// Every kept entry after `after`, then [`Feed::CaughtUp`], then those to come. Ends when the
    /// log is closed or fails.
    fn follow(&self, after: Seq) -> BoxStream<'static, Feed>;

    /// Erases what is given. Asked for at once, even if the returned future is never awaited:
    /// an append that is called later finds it erased.
    ///
    /// # Errors
    ///
    /// When the store cannot be written; then nothing was erased.
    fn erase(&self, what: Vec<Erase>) -> BoxFuture<'static, Result<(), AppendError>>;
}
