//! People, as others see them and as the state knows them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Seq, SessionId, UserId};
use crate::domain::names::DisplayName;

/// Somebody, as clients see them: `{"id": "…", "display_name": "Ada"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct User {
    /// Who they are, whatever they are called.
    pub id: UserId,
    /// What they are called now.
    pub display_name: DisplayName,
}

/// A live session: the right to act as its user. Engine methods take one, never a bare id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// Whose it is.
    pub user: User,
}

/// Somebody who holds a name, with what the state keeps of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As clients see them.
    pub user: User,
    /// Their live sessions; never empty.
    pub sessions: HashSet<SessionId>,
    /// The entry that this account was last written by: what the next one must follow.
    pub seq: Seq,
    /// Counts the account's entries, so that one which was decided on an older state is told
    /// apart, even under another name.
    pub revision: u64,
    /// What was in the log before their first sign-in counts as read.
    pub since: Seq,
    /// Whether they ever had another name, which their earlier messages were stored with.
    pub renamed: bool,
}
