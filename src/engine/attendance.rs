//! Being there: from a listener's beginning to the grace after its end, announced once per person.

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::Core;
use super::presence::{COUNT_PERIOD, Departure, LEAVE_GRACE, News, Place, Told};
use super::room::{Content, Room};
use crate::domain::event::frame;
use crate::domain::ids::UserId;
use crate::domain::user::Session;

/// Being somewhere: while held, its user is there.
pub(super) struct Attendance {
    core: Arc<Core>,
    place: Place,
    user: UserId,
    room: Arc<Room>,
}

/// A departure that waits for its grace to be over.
pub(super) struct Leaving {
    departure: Departure,
    room: Arc<Room>,
    over_at: Instant,
}

impl Attendance {
    pub(super) fn of(core: &Arc<Core>, session: &Session, place: Place, room: &Arc<Room>) -> Self {
        let room = match place {
            Place::Channel(_) => room.clone(),
            Place::Anywhere => core.lobby.clone(),
        };
        let told = core.presence.enter(&place, &session.user, |news| say(&room, &place, news));
        core.spread(told, &place, &room);
        Self { core: core.clone(), place, user: session.user.id.clone(), room }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let Some(departure) = self.core.presence.exit(&self.place, &self.user) else { return };
        let (room, over_at) = (self.room.clone(), Instant::now() + LEAVE_GRACE);
        // Nobody sees people off any more once the server ends.
        let _ = self.core.leavings.send(Leaving { departure, room, over_at });
    }
}

/// Sees off who has left when their grace is over. One task for all of them: however many leave at
/// once, each is a place in a queue, and since all graces are equally long, that is in order.
pub(super) async fn see_off(core: Weak<Core>, mut leavings: mpsc::UnboundedReceiver<Leaving>) {
    while let Some(Leaving { departure, room, over_at }) = leavings.recv().await {
        if over_at > Instant::now() {
            sleep_until(over_at).await;
        }
        let Some(core) = core.upgrade() else { return };
        let place = departure.place();
        let told = core.presence.conclude(&departure, |news| say(&room, place, news));
        core.spread(told, place, &room);
    }
}

impl Core {
    /// Wakes those who are told something, and tells them later what there is not yet to tell.
    fn spread(self: &Arc<Self>, told: Told, place: &Place, room: &Arc<Room>) {
        if told != Told::Nothing {
            room.wake();
        }
        if told == Told::Count {
            tokio::spawn(self.clone().go_on_counting(place.clone(), room.clone()));
        }
    }

    async fn go_on_counting(self: Arc<Self>, place: Place, room: Arc<Room>) {
        loop {
            sleep(COUNT_PERIOD).await;
            if self.presence.recount(&place, |news| say(&room, &place, news)) == Told::Nothing {
                break;
            }
            room.wake();
        }
    }
}

fn say(room: &Room, place: &Place, news: News<'_>) {
    let (event, told) = match (place, news) {
        (_, News::Count(here)) => ("presence", json!({ "online": here })),
        (Place::Channel(_), News::Joined(user, here)) => {
            ("joined", json!({ "user": user, "online": here }))
        }
        (Place::Channel(_), News::Left(user, here)) => {
            ("left", json!({ "user": user, "online": here }))
        }
        (Place::Anywhere, News::Joined(user, _)) => ("online", json!({ "user": user })),
        (Place::Anywhere, News::Left(user, _)) => ("offline", json!({ "user": user })),
    };
    room.say(None, Content::Shared(frame(event, None, told.to_string().as_bytes())));
}
