//! The record of a session, and the session that it stands for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Seq, SessionHandle, SessionId};
use crate::domain::names::TokenName;
use crate::domain::time::{self, Timestamp};
use crate::domain::user::LiveSession;

/// A session in a [`UserRecord`](super::UserRecord).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The id: the hash of its secret.
    pub id: SessionId,
    /// The time of its last recorded use, in milliseconds since 1970.
    #[serde(with = "time::millis")]
    pub used_at: Timestamp,
    /// The id by which its user names it; earlier versions gave it none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<SessionHandle>,
    /// The time at which it began; earlier versions did not store it.
    #[serde(with = "time::optional_millis", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The name of a token; absent for a session by signing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<TokenName>,
    /// The client that signed in, in words, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Arc<str>>,
    /// True for a token that was made for a bot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

impl SessionRecord {
    /// The record of a session as earlier versions stored it.
    #[must_use]
    pub fn bare(id: SessionId, used_at: Timestamp) -> Self {
        let (handle, created_at, name, client) = (None, None, None, None);
        Self { id, used_at, handle, created_at, name, client, bot: false }
    }

    /// The record of a live session of this id.
    #[must_use]
    pub fn of(id: &SessionId, session: &LiveSession) -> Self {
        let LiveSession { handle, used_at, created_at, name, client, bot } = session.clone();
        let (handle, created_at) = (Some(handle), Some(created_at));
        Self { id: id.clone(), used_at, handle, created_at, name, client, bot }
    }

    /// The session that this record, at this place of a user's entry, stands for. What earlier versions
    /// did not store is made of the entry alone, so that it is the same at each start.
    pub(crate) fn live(self, entry: Seq, place: usize) -> LiveSession {
        let handle = || SessionHandle::from(format!("{entry}-{place}"));
        LiveSession {
            handle: self.handle.unwrap_or_else(handle),
            used_at: self.used_at,
            created_at: self.created_at.unwrap_or(self.used_at),
            name: self.name,
            client: self.client,
            bot: self.bot,
        }
    }
}
