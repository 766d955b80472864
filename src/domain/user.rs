//! Users, their display names, accounts and sessions.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Seq, SessionHandle, SessionId, UserId};
use crate::domain::names::{DisplayName, NameHash, TokenName};
use crate::domain::time::Timestamp;

/// A user's id and display name at one moment, as records keep them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct User {
    /// The id, which never changes.
    pub id: UserId,
    /// The display name.
    pub display_name: DisplayName,
    /// True for a program that speaks: a user who holds a token that was made for one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

impl User {
    /// Makes a user of this id and name who is no program.
    #[must_use]
    pub fn new(id: UserId, display_name: DisplayName) -> Self {
        Self { id, display_name, bot: false }
    }
}

/// A user whose display name is shared by everything that shows it: a rename changes it for all at
/// once.
#[derive(Debug)]
pub struct Person {
    id: UserId,
    user: RwLock<Arc<User>>,
    renames: AtomicU32,
}

impl Person {
    /// Makes a person of this id and name.
    #[must_use]
    pub fn new(user: User) -> Self {
        let id = user.id.clone();
        Self { id, user: RwLock::new(Arc::new(user)), renames: AtomicU32::new(0) }
    }

    /// The id, which never changes.
    #[must_use]
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// The user's id and present (or last) display name.
    #[must_use]
    pub fn user(&self) -> Arc<User> {
        self.user.read().clone()
    }

    /// Number of renames in this process, becoming a bot or a human again included. A text that was
    /// rendered at another count may show a former name.
    #[must_use]
    pub fn renames(&self) -> u32 {
        self.renames.load(Ordering::Acquire)
    }

    /// Changes what everything that shares this person shows of the user. True when it was something
    /// else before.
    pub(crate) fn update(&self, user: &User) -> bool {
        let changes = **self.user.read() != *user;
        if changes {
            *self.user.write() = Arc::new(User { id: self.id.clone(), ..user.clone() });
            self.renames.fetch_add(1, Ordering::Release);
        }
        changes
    }
}

impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.user() == other.user()
    }
}

impl Eq for Person {}

/// The session of a request: the right to act as its user. Engine methods take a session, never a
/// bare user id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The user whose session it is.
    pub user: User,
    /// The address that the request came from, if known.
    pub address: Option<IpAddr>,
}

/// A session of an account, which lasts until it is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// The id by which its user names it.
    pub handle: SessionHandle,
    /// The time of its last recorded use.
    pub used_at: Timestamp,
    /// The time at which it began. Of a session that an earlier version began, the earliest use that
    /// is known.
    pub created_at: Timestamp,
    /// The name of a token; `None` for a session by signing in.
    pub name: Option<TokenName>,
    /// The browser and system, or the program, that signed in, in words: `Firefox on Windows`.
    pub client: Option<Arc<str>>,
    /// True for a token that was made for a bot.
    pub bot: bool,
}

/// The account of a user who holds a display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub person: Arc<Person>,
    /// The live sessions; never empty.
    pub sessions: BTreeMap<SessionId, LiveSession>,
    /// The account's first entry, which claimed the name; the log keeps it as long as the account.
    pub first: Seq,
    /// The account's last entry: a change is appended on the condition that it still is.
    pub seq: Seq,
    /// The name's hash in that entry's key. It is kept, not computed again: Unicode's tables may have
    /// changed since.
    pub key: NameHash,
    /// The number of the account's changes so far, from 0. An entry with no larger one was decided on
    /// an older state, and is refused.
    pub revision: u64,
    /// The log's head at the first sign-in; earlier messages count as read.
    pub since: Seq,
    /// The entry that last changed the name, if any did.
    pub renamed: Option<Seq>,
}
