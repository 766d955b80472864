//! Readers: what the channels that are shown to a user depend on beside the channels themselves.

use std::sync::Arc;

use super::{Core, EngineError, Live};
use crate::domain::state::{Preferences, ReadPositions};
use crate::domain::user::{Person, Session};

/// A user as a reader of channels: how far they have read each, and how they want it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) me: Arc<Person>,
    pub(super) positions: ReadPositions,
    pub(super) preferences: Preferences,
}

impl Core {
    /// The reader whose session this is.
    pub(super) fn reader_of(&self, live: &Live, session: &Session) -> Result<Reader, EngineError> {
        Ok(self.reader(live, live.account(session)?.person.clone()))
    }

    /// This user as a reader.
    pub(super) fn reader(&self, live: &Live, me: Arc<Person>) -> Reader {
        let positions = self.read_positions(live, me.id());
        Reader { positions, preferences: live.state.preferences(me.id()), me }
    }
}
