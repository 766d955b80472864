//! Presence: the open streams, and the users who are online or in a channel by them.
//!
//! Presence does not last and never touches the log. A user who closes their last stream is still
//! present for [`LEAVE_GRACE`], so that a reload or a short loss of connection announces nothing.
//!
//! Streams have two bounds. A user who opens one too many loses their oldest, which counts no more
//! from that moment on, whenever its connection notices. And of all streams together there are
//! never more than a fixed number, those included whose connections have not noticed yet.

mod audience;
mod guard;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub use self::audience::MAX_NAMED;
use self::audience::{Announcement, Audience};
pub(super) use self::guard::{PendingDeparture, StreamGuard, conclude_departures};
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
}

/// A user with their streams.
#[derive(Debug)]
struct PresentUser {
    user: User,
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
struct Effects {
    /// Rooms with a new event.
    rooms: Vec<Arc<Room>>,
    /// Places whose number of users was announced, and has to be announced again if it changes.
    counted: Vec<Place>,
    departures: Vec<Departure>,
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
        let person = inner.users.entry(user.id.clone()).or_insert_with(|| PresentUser {
            user: user.clone(),
            open: BTreeMap::new(),
            ending: 0,
        });
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
        if let Some(announcement) = audience.conclude(user, *moves) {
            inner.announce(place, Some(user), announcement, &mut effects);
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

    /// The number of users who are online, and of all open streams.
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

impl Inner {
    fn enter(&mut self, place: Place, room: &Arc<Room>, user: &UserId, effects: &mut Effects) {
        let audience =
            self.audiences.entry(place.clone()).or_insert_with(|| Audience::of(room.clone()));
        if let Some(announcement) = audience.enter(user) {
            self.announce(&place, Some(user), announcement, effects);
        }
    }

    /// Takes one stream out of the audiences that it was in.
    fn exit(&mut self, channel: Option<ChannelId>, user: &UserId, effects: &mut Effects) {
        // The channel first: a user is forgotten with their last departure, and their name is
        // needed for each.
        for place in channel.map(Place::Channel).into_iter().chain([Place::Anywhere]) {
            let audience = self.audiences.get_mut(&place);
            if let Some(moves) = audience.and_then(|audience| audience.exit(user)) {
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

    fn forget_if_gone(&mut self, user: &UserId) {
        let online = self.audiences.get(&Place::Anywhere).is_some_and(|online| online.has(user));
        if !online && self.users.get(user).is_some_and(|it| it.open.is_empty() && it.ending == 0) {
            self.users.remove(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::room::ReadResult;

    const PER_USER: usize = 64;

    fn presence(max_streams: usize) -> Presence {
        let bounds = Bounds { max_streams, max_streams_per_user: PER_USER, ..Bounds::default() };
        Presence::new(room(), &bounds)
    }

    fn room() -> Arc<Room> {
        Arc::new(Room::default())
    }

    fn user(n: usize) -> User {
        let display_name = format!("User {n}").parse().expect("a name");
        User::new(UserId::from(format!("u{n}")), display_name)
    }

    /// A stream as its connection has it.
    struct Fake {
        user: UserId,
        number: u64,
        end: CancellationToken,
    }

    impl Fake {
        fn open(presence: &Presence, user: &User) -> Result<Self, EngineError> {
            Self::open_on(presence, user, None).map(|(stream, _)| stream)
        }

        fn open_on(
            presence: &Presence,
            user: &User,
            channel: Option<(ChannelId, &Arc<Room>)>,
        ) -> Result<(Self, Effects), EngineError> {
            let end = CancellationToken::new();
            let (number, effects) = presence.open(user, channel, end.clone())?;
            // What the engine does with it.
            if let Some(ended) = &effects.ended {
                ended.cancel();
            }
            Ok((Self { user: user.id.clone(), number, end }, effects))
        }

        fn close(self, presence: &Presence) -> Effects {
            presence.close(&self.user, self.number)
        }
    }

    fn frames_in(room: &Room) -> String {
        match room.read(0, usize::MAX) {
            ReadResult::Frames(frames, _) => String::from_utf8_lossy(&frames).into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_user_with_too_many_streams_loses_the_oldest_and_nobody_else_loses_any() {
        let (presence, ada, bob) = (presence(1_000), user(1), user(2));
        let bobs = Fake::open(&presence, &bob).expect("a stream");
        let streams: Vec<_> =
            (0..PER_USER + 3).map(|_| Fake::open(&presence, &ada).expect("a stream")).collect();
        let ended: Vec<_> = streams.iter().map(|stream| stream.end.is_cancelled()).collect();
        assert_eq!(ended, [vec![true; 3], vec![false; PER_USER]].concat());
        assert!(!bobs.end.is_cancelled());
        assert_eq!(presence.counts(), (2, PER_USER + 1), "what was ended counts no more");
    }

    #[test]
    fn streams_that_are_opened_and_closed_at_once_do_not_pile_up() {
        let (presence, ada) = (presence(1_000), user(1));
        // A connection that is gone closes its stream once that has ended.
        let mut open: std::collections::VecDeque<Fake> = std::collections::VecDeque::new();
        for _ in 0..40_000 {
            open.push_back(Fake::open(&presence, &ada).expect("a stream"));
            while open.front().is_some_and(|stream| stream.end.is_cancelled()) {
                drop(open.pop_front().expect("a stream").close(&presence));
            }
            assert!(presence.inner.lock().streams <= PER_USER);
        }
        assert_eq!(presence.counts(), (1, PER_USER));
    }

    #[test]
    fn ended_streams_whose_connections_take_nothing_are_bounded_too() {
        let (presence, ada, bob) = (presence(1_000), user(1), user(2));
        let mut streams: Vec<_> =
            (0..2 * PER_USER).map(|_| Fake::open(&presence, &ada).expect("a stream")).collect();
        assert_eq!(Fake::open(&presence, &ada).err(), Some(EngineError::TooBusy));
        assert_eq!(presence.counts(), (1, PER_USER));
        assert!(Fake::open(&presence, &bob).is_ok(), "nobody else waits");
        drop(streams.remove(0).close(&presence));
        assert!(Fake::open(&presence, &ada).is_ok(), "one of them is gone");
    }

    #[test]
    fn past_the_streams_in_all_the_server_is_too_busy_until_one_is_gone() {
        let presence = presence(3);
        let mut streams: Vec<_> =
            (0..3).map(|n| Fake::open(&presence, &user(n)).expect("a stream")).collect();
        assert_eq!(Fake::open(&presence, &user(9)).err(), Some(EngineError::TooBusy));
        assert!(!presence.online().contains(&user(9).id), "and it changed nothing");
        drop(streams.remove(0).close(&presence));
        assert!(Fake::open(&presence, &user(9)).is_ok());
    }

    #[test]
    fn a_user_joins_a_channel_once_however_their_oldest_streams_end() {
        let (presence, ada) = (presence(1_000), user(1));
        let (here, launch) = (room(), ChannelId::from("launch".to_owned()));
        for _ in 0..=PER_USER {
            let entered = Fake::open_on(&presence, &ada, Some((launch.clone(), &here)));
            assert_eq!(entered.expect("a stream").1.departures, []);
        }
        let place = Place::Channel(launch);
        assert_eq!(presence.users_in(&place), std::slice::from_ref(&ada));
        assert_eq!(frames_in(&here).matches("event: joined").count(), 1);
        assert_eq!(frames_in(&presence.lobby).matches("event: online").count(), 1);

        // Elsewhere, one by one, until the last stream of the channel is ended.
        let mut departures = Vec::new();
        for _ in 0..PER_USER {
            let (_, effects) = Fake::open_on(&presence, &ada, None).expect("a stream");
            departures.extend(effects.departures);
            presence.inner.lock().users.get_mut(&ada.id).expect("Ada").ending = 0;
        }
        assert_eq!(departures.len(), 1, "{departures:?}");
        drop(presence.conclude(&departures[0]));
        assert_eq!(presence.users_in(&place), []);
        assert!(presence.online().contains(&ada.id));
        assert!(frames_in(&here).contains("event: left"));
    }

    #[test]
    fn who_left_is_named_as_they_are_called_then_and_forgotten() {
        let (presence, mut ada) = (presence(1_000), user(1));
        let (here, launch) = (room(), ChannelId::from("launch".to_owned()));
        let entered = Fake::open_on(&presence, &ada, Some((launch, &here)));
        let effects = entered.expect("a stream").0.close(&presence);
        ada.display_name = "Countess".parse().expect("a name");
        presence.rename(&ada);
        for departure in &effects.departures {
            drop(presence.conclude(departure));
        }
        let left = frames_in(&here);
        assert!(left.contains("event: left") && left.contains("Countess"), "{left}");
        let inner = presence.inner.lock();
        assert!(inner.users.is_empty() && inner.audiences.is_empty() && inner.streams == 0);
    }
}
