//! Presence: the open streams, and the users who are online or in a channel by them.
//!
//! Presence does not last and never touches the log. A user who closes their last stream is still
//! present for [`LEAVE_GRACE`], so that a reload or a short loss of connection announces nothing.
//!
//! Streams have two bounds. A user who opens one too many loses their oldest, which counts no more
//! from that moment on, whenever its connection notices. And of all streams together there are
//! never more than a fixed number, those included whose connections have not noticed yet.
//!
//! Where several nodes share a log, a user is present by a stream of any of them: another node that has
//! the user in a place counts there like one more stream. Each node tells the others who comes and goes
//! with it, and hears of a channel only while its own clients want to know. Streams and their bounds are
//! each node's own.

mod audience;
mod elsewhere;
mod guard;
mod message;
mod others;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::audience::MAX_NAMED;
use self::audience::{Announcement, Audience};
use self::elsewhere::Elsewhere;
pub(super) use self::guard::{PendingDeparture, StreamGuard, conclude_departures};
use self::message::{Change, Said};
pub(super) use self::others::keep_presence;
use super::EngineError;
use super::bounds::Bounds;
use super::room::{Payload, Room};
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::User;
use crate::wire::event;
use crate::wire::user::UserView;

/// Time after which a user whose last stream ended has left.
pub const LEAVE_GRACE: Duration = Duration::from_secs(5);
/// Shortest time between two announcements of how many users are in a place.
pub const COUNT_PERIOD: Duration = Duration::from_secs(1);

/// Time for which this node still hears of a channel from others after the last of its own clients who
/// wanted to know: longer than the grace of those, and than the time until their last set was told.
const INTEREST: Duration = Duration::from_secs(10);

/// A place where a user can be present.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On a channel's stream.
    Channel(ChannelId),
    /// On any stream: online.
    Anywhere,
}

/// The open streams of all users, and the audiences that they make.
#[derive(Debug)]
pub(super) struct Presence {
    /// The room of the streams of everything.
    lobby: Arc<Room>,
    max_streams_per_user: usize,
    max_streams: usize,
    inner: Mutex<Inner>,
    /// Number of users elsewhere whom the state does not know yet.
    strangers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inner {
    audiences: HashMap<Place, Audience>,
    /// Everybody in any audience, and everybody with a stream that is ending.
    users: HashMap<UserId, PresentUser>,
    /// Number of streams opened so far; the next stream gets it as its number.
    opened: u64,
    /// Number of streams, those included that are ending.
    streams: usize,
    /// Number of times that a user came to a place, or went, by streams of this node.
    version: u64,
    /// The time since when other nodes are told and heard, if they are.
    joined_at: Option<Instant>,
    /// The users who are present with other nodes.
    elsewhere: Elsewhere,
    /// The time when this node's set of a place was told last, and the places to tell next.
    answers: others::Answers,
}

/// A user with their streams of this node.
#[derive(Debug)]
struct PresentUser {
    user: User,
    /// Number of audiences that they are in.
    places: usize,
    /// The open ones, oldest first.
    open: BTreeMap<u64, OpenStream>,
    /// Number of those that were ended to make room and whose connections have not noticed yet.
    ending: usize,
}

#[derive(Debug)]
struct OpenStream {
    channel: Option<ChannelId>,
    end: CancellationToken,
}

/// The end of a user's last stream in a place: they have left after [`LEAVE_GRACE`], unless they
/// come back.
#[derive(Debug, PartialEq, Eq)]
struct Departure {
    place: Place,
    user: UserId,
    moves: u64,
}

/// The things that are left to do once the lock is released.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Rooms with a new event.
    rooms: Vec<Arc<Room>>,
    /// Places whose number of users was announced, and has to be announced again if it changes.
    counted: Vec<Place>,
    departures: Vec<Departure>,
    /// Channels to be heard of from other nodes, each until its token is cancelled.
    heard: Vec<(ChannelId, CancellationToken)>,
    /// Statements for other nodes.
    told: Vec<(Place, Said)>,
    /// The end of the stream that made room for a newer one.
    ended: Option<CancellationToken>,
}

impl Presence {
    /// An empty presence, with the bounds on streams.
    pub(super) fn new(lobby: Arc<Room>, bounds: &Bounds) -> Self {
        Self {
            lobby,
            max_streams_per_user: bounds.max_streams_per_user,
            max_streams: bounds.max_streams,
            inner: Mutex::default(),
            strangers: AtomicUsize::default(),
        }
    }

    /// Adds a stream, and returns its number.
    fn open(
        &self,
        user: &User,
        channel: Option<(ChannelId, &Arc<Room>)>,
        end: CancellationToken,
    ) -> Result<(u64, Effects), EngineError> {
        let mut inner = self.inner.lock();
        // Few streams are ending unless their connections take nothing: then the user has to wait.
        let ending = inner.users.get(&user.id).map_or(0, |person| person.ending);
        if inner.streams >= self.max_streams || ending >= self.max_streams_per_user {
            return Err(EngineError::TooBusy);
        }
        let number = inner.opened;
        inner.opened += 1;
        inner.streams += 1;
        let mut effects = Effects::default();
        let person =
            inner.users.entry(user.id.clone()).or_insert_with(|| PresentUser::of(user.clone()));
        let (channel, room) = channel.unzip();
        person.open.insert(number, OpenStream { channel: channel.clone(), end });
        // Entered before the oldest ends: otherwise the user could leave the place that they enter.
        if let Some((channel, room)) = channel.zip(room) {
            inner.enter(Place::Channel(channel), room, &user.id, &mut effects);
        }
        inner.enter(Place::Anywhere, &self.lobby, &user.id, &mut effects);
        inner.end_oldest(&user.id, self.max_streams_per_user, &mut effects);
        Ok((number, effects))
    }

    /// Removes a stream whose connection is gone.
    fn close(&self, user: &UserId, number: u64) -> Effects {
        let mut inner = self.inner.lock();
        let mut effects = Effects::default();
        inner.streams = inner.streams.saturating_sub(1);
        let Some(person) = inner.users.get_mut(user) else { return effects };
        if let Some(stream) = person.open.remove(&number) {
            inner.exit(stream.channel, user, &mut effects);
        } else {
            person.ending = person.ending.saturating_sub(1);
            inner.forget_if_gone(user);
        }
        effects
    }

    /// Concludes a departure whose grace is over: the user has left, unless they came back.
    fn conclude(&self, Departure { place, user, moves }: &Departure) -> Effects {
        let mut inner = self.inner.lock();
        let mut effects = Effects::default();
        let Some(audience) = inner.audiences.get_mut(place) else { return effects };
        let was_there = audience.has(user);
        let announcement = audience.conclude(user, *moves);
        let has_left = was_there && !audience.has(user);
        if let Some(announcement) = announcement {
            inner.announce(place, Some(user), announcement, &mut effects);
        }
        if has_left {
            inner.discount_place(user);
        }
        inner.forget_if_over(place);
        inner.forget_if_gone(user);
        effects
    }

    /// Announces the number of users in a place if it has changed since the last announcement;
    /// returns the room where it was announced. `None` ends the periodical announcements.
    fn recount(&self, place: &Place) -> Option<Arc<Room>> {
        let mut inner = self.inner.lock();
        let announcement = inner.audiences.get_mut(place)?.recount();
        let mut effects = Effects::default();
        if let Some(announcement) = announcement {
            inner.announce(place, None, announcement, &mut effects);
        }
        inner.forget_if_over(place);
        effects.rooms.pop()
    }

    /// The users in a place, in no order.
    pub(super) fn users_in(&self, place: &Place) -> Vec<User> {
        let inner = self.inner.lock();
        let users = inner.audiences.get(place).into_iter().flat_map(Audience::users);
        users.filter_map(|id| inner.users.get(id)).map(|person| person.user.clone()).collect()
    }

    /// The users who have an open stream, or had one just now.
    pub(super) fn online(&self) -> HashSet<UserId> {
        let inner = self.inner.lock();
        let online = inner.audiences.get(&Place::Anywhere);
        online.into_iter().flat_map(Audience::users).cloned().collect()
    }

    /// Tells whether this user has an open stream, or had one just now. O(1).
    pub(super) fn is_online(&self, user: &UserId) -> bool {
        self.inner.lock().audiences.get(&Place::Anywhere).is_some_and(|online| online.has(user))
    }

    /// The number of users who are online, with any node, and of this node's open streams.
    pub(super) fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        let online = inner.audiences.get(&Place::Anywhere).map_or(0, Audience::len);
        (online, inner.users.values().map(|person| person.open.len()).sum())
    }

    /// Renames a user. O(1).
    pub(super) fn rename(&self, user: &User) {
        if let Some(person) = self.inner.lock().users.get_mut(&user.id) {
            person.user = user.clone();
        }
    }
}

impl PresentUser {
    fn of(user: User) -> Self {
        Self { user, places: 0, open: BTreeMap::new(), ending: 0 }
    }
}

impl Inner {
    fn enter(&mut self, place: Place, room: &Arc<Room>, user: &UserId, effects: &mut Effects) {
        let audience =
            self.audiences.entry(place.clone()).or_insert_with(|| Audience::of(room.clone()));
        let (is_new, is_first) = (!audience.has(user), !audience.has_stream_of(user));
        let announcement = audience.enter(user);
        if is_new && let Some(person) = self.users.get_mut(user) {
            person.places += 1;
        }
        self.hear_from_others(&place, effects);
        if is_first {
            self.tell_others(&place, user, Said::Came, effects);
        }
        if let Some(announcement) = announcement {
            self.announce(&place, Some(user), announcement, effects);
        }
    }

    /// Takes one stream out of the audiences that it was in.
    fn exit(&mut self, channel: Option<ChannelId>, user: &UserId, effects: &mut Effects) {
        for place in channel.map(Place::Channel).into_iter().chain([Place::Anywhere]) {
            let Some(audience) = self.audiences.get_mut(&place) else { continue };
            let moves = audience.exit(user);
            if !audience.has_stream_of(user) {
                self.tell_others(&place, user, Said::Went, effects);
            }
            if let Some(moves) = moves {
                effects.departures.push(Departure { place, user: user.clone(), moves });
            }
        }
    }

    /// Ends this user's oldest stream if they have more than `max_streams`.
    fn end_oldest(&mut self, user: &UserId, max_streams: usize, effects: &mut Effects) {
        let Some(person) = self.users.get_mut(user) else { return };
        if person.open.len() <= max_streams {
            return;
        }
        if let Some((_, oldest)) = person.open.pop_first() {
            person.ending += 1;
            effects.ended = Some(oldest.end);
            self.exit(oldest.channel, user, effects);
        }
    }

    /// Announces something to everybody in a place. Under the lock, so that announcements keep
    /// their order.
    fn announce(
        &self,
        place: &Place,
        user: Option<&UserId>,
        announcement: Announcement,
        effects: &mut Effects,
    ) {
        let Some(room) = self.audiences.get(place).map(Audience::room) else { return };
        let user = user.and_then(|user| self.users.get(user)).map(|person| &person.user);
        let view = user.map(UserView::from);
        let frame = match (place, announcement, &view) {
            (_, Announcement::Count(online), _) => {
                effects.counted.push(place.clone());
                event::presence(online)
            }
            (_, _, None) => return,
            (Place::Channel(_), Announcement::Joined(online), Some(user)) => {
                event::attendance("joined", user, online)
            }
            (Place::Channel(_), Announcement::Left(online), Some(user)) => {
                event::attendance("left", user, online)
            }
            (Place::Anywhere, Announcement::Joined(_), Some(user)) => {
                event::about_user("online", user)
            }
            (Place::Anywhere, Announcement::Left(_), Some(user)) => {
                event::about_user("offline", user)
            }
        };
        room.push(None, Payload::Shared(frame));
        effects.rooms.push(room.clone());
    }

    fn forget_if_over(&mut self, place: &Place) {
        if self.audiences.get(place).is_some_and(Audience::is_over) {
            self.audiences.remove(place);
        }
    }

    /// Notes that a user is in one audience less.
    fn discount_place(&mut self, user: &UserId) {
        if let Some(person) = self.users.get_mut(user) {
            person.places = person.places.saturating_sub(1);
        }
        self.forget_if_gone(user);
    }

    fn forget_if_gone(&mut self, user: &UserId) {
        let is_gone = |it: &PresentUser| it.open.is_empty() && it.ending == 0 && it.places == 0;
        if self.users.get(user).is_some_and(is_gone) {
            self.users.remove(user);
        }
    }
}

#[cfg(test)]
mod tests;
