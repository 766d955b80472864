//! Read markers: gathered in memory, and appended to the log at most once a second for a user, all
//! channels in one entry.

use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use futures::future::join_all;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::commit::{Committer, Decision};
use super::limits::Cost;
use super::log::{Expect, Log};
use super::{Core, Engine, EngineError, Live};
use crate::domain::channel::ChannelRef;
use crate::domain::entry::{Key, encode};
use crate::domain::ids::{ChannelId, MessageId, Seq, UserId};
use crate::domain::state::ReadPositions;
use crate::domain::user::Session;

/// Time for which read markers are gathered.
const GATHERING: Duration = Duration::from_millis(800);

/// Longest time that the server waits for the log when it ends. Requests and connections get about
/// as long (the setting `shutdown`).
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// The read markers that are not in the log yet, by user and channel.
#[derive(Debug, Default)]
pub(super) struct PendingMarkers(Mutex<HashMap<UserId, HashMap<ChannelId, Seq>>>);

impl PendingMarkers {
    /// The number of users whose markers are not in the log yet.
    pub(super) fn users(&self) -> usize {
        self.0.lock().len()
    }
}

impl Engine {
    /// Marks a channel as read up to this message: later ones are unread. Every look at the
    /// channel shows it at once; it is on disk within a second.
    ///
    /// # Errors
    ///
    /// When there is no such channel or message, the session is gone, or they do too much.
    pub fn mark_read(
        &self,
        session: &Session,
        named: &ChannelRef,
        message: &MessageId,
    ) -> Result<(), EngineError> {
        self.count_read(session, Cost::SMALL)?;
        let live = self.core.live.read();
        live.account(session)?;
        let channel = live.find(named, session)?;
        let conversation = live.state.conversation(&channel.id);
        let message = conversation.and_then(|conversation| conversation.message(message));
        let read = message.ok_or(EngineError::NoSuchMessage)?.seq;
        let me = &session.user.id;
        if self.core.read_positions(&live, me).of(&channel.id) != read {
            let mut pending = self.core.pending_markers.0.lock();
            pending.entry(me.clone()).or_default().insert(channel.id.clone(), read);
        }
        Ok(())
    }

    /// Appends the read markers that still wait, before the server ends; what a log does not take
    /// in three seconds is lost.
    pub async fn flush_read_markers(&self) {
        let flushed = timeout(LAST_FLUSH_TIMEOUT, self.core.flush_markers(&self.log)).await;
        if flushed.is_err() {
            ::log::warn!("Some read markers are lost: the log cannot be written.");
        }
    }
}

impl Core {
    /// The read positions of this user, with those that are not in the log yet.
    pub(super) fn read_positions(&self, live: &Live, user: &UserId) -> ReadPositions {
        let pending = self.pending_markers.0.lock().get(user).cloned();
        live.state.read_positions(user).with_pending(pending.unwrap_or_default())
    }

    /// Appends the gathered markers of all users, and forgets them once they are applied.
    async fn flush_markers(self: &Arc<Self>, log: &Arc<dyn Log>) {
        let users: Vec<_> = self.pending_markers.0.lock().keys().cloned().collect();
        join_all(users.into_iter().map(|user| self.flush_markers_of(log, user))).await;
    }

    async fn flush_markers_of(self: &Arc<Self>, log: &Arc<dyn Log>, user: UserId) {
        let taken = self.pending_markers.0.lock().get(&user).cloned().unwrap_or_default();
        let stored = Committer { log, core: self }.commit(|live| {
            if live.state.account(&user).is_none() {
                return Ok(Decision::Unchanged(()));
            }
            let positions = live.state.read_positions(&user).with_pending(taken.clone());
            let is_gone = |channel: &&ChannelId| live.state.channel(channel).is_none();
            let gone: HashSet<_> = positions.channels().filter(is_gone).cloned().collect();
            let body = move || encode(&positions.to_record(|channel| !gone.contains(channel)));
            // An entry holds the markers of all channels: none that another node adds may be lost.
            let expect = Expect::from(live.state.last_of_read_markers(&user));
            Ok(Decision::append_encoded(Key::ReadMarkers(user.clone()), body, expect))
        });
        // Where it cannot be stored now, the next flush tries again.
        if stored.await.is_err() {
            return;
        }
        let mut pending = self.pending_markers.0.lock();
        if let Some(markers) = pending.get_mut(&user) {
            markers.retain(|channel, read| taken.get(channel) != Some(read));
            if markers.is_empty() {
                pending.remove(&user);
            }
        }
    }
}

/// Appends the gathered markers periodically, for as long as the engine lives.
pub(super) async fn store_markers(core: Weak<Core>, log: Weak<dyn Log>) {
    loop {
        sleep(GATHERING).await;
        let (Some(core), Some(log)) = (core.upgrade(), log.upgrade()) else { return };
        core.flush_markers(&log).await;
    }
}
