//! Being there: from a listener's beginning to the grace after its end, announced once per person.

use std::sync::Arc;

use serde_json::json;

use super::Core;
use super::presence::{LEAVE_GRACE, Place};
use super::room::{Content, Room};
use crate::domain::event::frame;
use crate::domain::ids::ChannelId;
use crate::domain::user::Session;

/// Being somewhere: while held, its user is there.
pub(super) struct Attendance {
    core: Arc<Core>,
    place: Place,
    session: Session,
    room: Arc<Room>,
}

impl Attendance {
    pub(super) fn of(core: &Arc<Core>, session: &Session, place: Place, room: &Arc<Room>) -> Self {
        let room = match place {
            Place::Channel(_) => room.clone(),
            Place::Anywhere => core.lobby.clone(),
        };
        if let Some(here) = core.presence.enter(&place, &session.user) {
            let (joined, online) = match place {
                Place::Channel(_) => ("joined", json!({ "user": session.user, "online": here })),
                Place::Anywhere => ("online", json!({ "user": session.user })),
            };
            whisper(&room, joined, &online);
        }
        Self { core: core.clone(), place, session: session.clone(), room }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let Some(departure) = self.core.presence.exit(&self.place, &self.session.user.id) else {
            return;
        };
        let (core, room, place) = (self.core.clone(), self.room.clone(), self.place.clone());
        self.core.runtime.spawn(async move {
            tokio::time::sleep(LEAVE_GRACE).await;
            let Some((user, here)) = core.presence.conclude(&departure) else { return };
            match place {
                Place::Anywhere => whisper(&room, "offline", &json!({ "user": user })),
                Place::Channel(channel) => {
                    whisper(&room, "left", &json!({ "user": user, "online": here }));
                    drop(room);
                    core.forget_room_if_idle(&channel);
                }
            }
        });
    }
}

impl Core {
    /// Drops the room of a channel that nobody listens to. Listeners take theirs under the same
    /// lock, so none can come in between.
    fn forget_room_if_idle(&self, channel: &ChannelId) {
        let mut live = self.live.write();
        if live.rooms.get(channel).is_some_and(|room| Arc::strong_count(room) == 1) {
            live.rooms.remove(channel);
        }
    }
}

fn whisper(room: &Room, event: &str, told: &serde_json::Value) {
    room.say(None, Content::Shared(frame(event, None, told.to_string().as_bytes())));
    room.wake();
}
