//! Records of version 1 that differ from the present ones.

use serde::Deserialize;

use super::SessionRecord;
use crate::domain::ids::{Seq, SessionId};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// The body of a version 1 entry about a user: its sessions have no times.
#[derive(Deserialize)]
pub(super) struct UserRecord {
    user: User,
    sessions: Vec<SessionId>,
    revision: u64,
    since: Seq,
}

impl UserRecord {
    /// Converts it to the present form; its sessions count as used when it was written.
    pub(super) fn at(self, at: Timestamp) -> super::UserRecord {
        let sessions = self.sessions.into_iter().map(|id| SessionRecord::bare(id, at));
        super::UserRecord {
            user: self.user,
            sessions: sessions.collect(),
            revision: self.revision,
            since: self.since,
            renamed: None,
        }
    }
}
