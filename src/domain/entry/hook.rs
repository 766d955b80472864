//! The record of a hook.

use serde::{Deserialize, Serialize};

use crate::domain::hook::{Hook, HookSecret, Outgoing};
use crate::domain::ids::UserId;
use crate::domain::names::DisplayName;
use crate::domain::time::{self, Timestamp};

/// The body of a [`Key::Hook`](super::Key::Hook) entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HookRecord {
    /// The hook exists.
    Present {
        /// The name.
        name: DisplayName,
        /// The secret, readable: who may delete the hook may see it again.
        secret: HookSecret,
        /// The user who made it.
        creator: UserId,
        /// The time at which it was made; absent in its first entry, whose own time it is.
        #[serde(with = "time::optional_millis", default, skip_serializing_if = "Option::is_none")]
        created_at: Option<Timestamp>,
        /// What only an outgoing hook has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outgoing: Option<Outgoing>,
    },
    /// It was deleted.
    Deleted,
}

impl HookRecord {
    /// The record of a change of a hook.
    #[must_use]
    pub fn of(hook: &Hook) -> Self {
        Self::Present {
            name: hook.name.clone(),
            secret: hook.secret.clone(),
            creator: hook.creator.clone(),
            created_at: Some(hook.created_at),
            outgoing: hook.outgoing.clone(),
        }
    }
}
