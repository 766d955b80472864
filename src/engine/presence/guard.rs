//! The guard of an open stream, and the work of presence outside its lock: waking listeners, ending
//! streams, concluding departures.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{COUNT_PERIOD, Departure, Effects, LEAVE_GRACE, Place};
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::Session;
use crate::engine::room::Room;
use crate::engine::{Core, EngineError};

/// A guard that keeps a stream open, and its user present, until it is dropped.
pub(in crate::engine) struct StreamGuard {
    core: Arc<Core>,
    user: UserId,
    number: u64,
    end: CancellationToken,
}

/// A departure, and the time at which its grace is over.
pub(in crate::engine) struct PendingDeparture {
    departure: Departure,
    over_at: Instant,
}

impl StreamGuard {
    /// Opens a stream of this session, on a channel in this room or on what happens everywhere. It
    /// ends with `session_end`, or when its user opens too many later ones.
    ///
    /// # Errors
    ///
    /// When there are as many streams as there can be.
    pub(in crate::engine) fn open(
        core: &Arc<Core>,
        session: &Session,
        channel: Option<(ChannelId, &Arc<Room>)>,
        session_end: &CancellationToken,
    ) -> Result<Self, EngineError> {
        let end = session_end.child_token();
        let (number, effects) = core.presence.open(&session.user, channel, end.clone())?;
        core.perform(effects);
        Ok(Self { core: core.clone(), user: session.user.id.clone(), number, end })
    }

    /// The token that is cancelled when the stream has to end.
    pub(in crate::engine) fn end(&self) -> &CancellationToken {
        &self.end
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let effects = self.core.presence.close(&self.user, self.number);
        self.core.perform(effects);
    }
}

/// Concludes departures once their grace is over. One task for all of them: however many users
/// leave at once, each is a place in a queue, which is in order because all graces are equally
/// long.
pub(in crate::engine) async fn conclude_departures(
    core: Weak<Core>,
    mut pending: mpsc::UnboundedReceiver<PendingDeparture>,
) {
    while let Some(PendingDeparture { departure, over_at }) = pending.recv().await {
        if over_at > Instant::now() {
            sleep_until(over_at).await;
        }
        let Some(core) = core.upgrade() else { return };
        let effects = core.presence.conclude(&departure);
        core.perform(effects);
    }
}

impl Core {
    /// Does what presence left to be done outside its lock.
    pub(in crate::engine) fn perform(self: &Arc<Self>, effects: Effects) {
        let Effects { rooms, counted, departures, heard, told, ended } = effects;
        if let Some(ended) = ended {
            ended.cancel();
        }
        for (channel, end) in heard {
            self.hear_channel(channel, end);
        }
        for (place, said) in told {
            self.tell(&place, [said]);
        }
        for room in rooms {
            room.wake();
        }
        for place in counted {
            tokio::spawn(self.clone().announce_counts(place));
        }
        let over_at = Instant::now() + LEAVE_GRACE;
        for departure in departures {
            // The task may have ended with the server.
            let _ = self.departures.send(PendingDeparture { departure, over_at });
        }
    }

    /// Announces the number of users in a place periodically, until it stays the same.
    async fn announce_counts(self: Arc<Self>, place: Place) {
        loop {
            sleep(COUNT_PERIOD).await;
            let Some(room) = self.presence.recount(&place) else { break };
            room.wake();
        }
    }
}
