//! The audience of a place: the users there, and the announcements of who comes and goes.
//!
//! Announcing each of many users to each other would take the square of their number: above
//! [`MAX_NAMED`] users, only their number is announced, and that once in
//! [`COUNT_PERIOD`](super::COUNT_PERIOD).

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::ids::UserId;
use crate::engine::room::Room;

/// Largest number of users in a place to whom each user who comes or goes is announced. When 100
/// come at once, that is 5,050 deliveries; for a thousand it would be 500,500, and nobody reads so
/// many names.
pub const MAX_NAMED: usize = 100;

/// The users with an open stream in one place, and those whose last one there ended just now.
#[derive(Debug)]
pub(super) struct Audience {
    room: Arc<Room>,
    members: HashMap<UserId, Member>,
    count: Count,
}

/// An announcement to everybody in a place, with the number of users there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// A user came.
    Joined(usize),
    /// A user left.
    Left(usize),
    /// Users came or went.
    Count(usize),
}

/// The state of the periodical announcement of the number of users.
#[derive(Debug, Default, PartialEq, Eq)]
enum Count {
    /// The number may be announced at any time.
    #[default]
    Quiet,
    /// The number was announced within the last [`COUNT_PERIOD`](super::COUNT_PERIOD).
    Fresh,
    /// The number was announced within that time, and has changed since.
    Stale,
}

/// A user's streams in one place.
#[derive(Debug, Default)]
struct Member {
    streams: usize,
    /// Number of times that a stream of theirs began or ended here: tells a grace that was cut
    /// short apart from the one that runs now.
    moves: u64,
}

impl Audience {
    /// The empty audience of the place whose listeners are in this room.
    pub(super) fn of(room: Arc<Room>) -> Self {
        Self { room, members: HashMap::new(), count: Count::default() }
    }

    /// The room of the listeners in this place.
    pub(super) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Adds one stream of this user. Returns the announcement to make, if any.
    pub(super) fn enter(&mut self, user: &UserId) -> Option<Announcement> {
        let joined = !self.has(user);
        let member = self.members.entry(user.clone()).or_default();
        member.streams += 1;
        member.moves += 1;
        let here = self.members.len();
        if joined { self.announce(here, Announcement::Joined(here)) } else { None }
    }

    /// Removes one stream of this user. If it was their last one, returns the number that
    /// [`conclude`](Self::conclude) needs after the grace.
    pub(super) fn exit(&mut self, user: &UserId) -> Option<u64> {
        let member = self.members.get_mut(user)?;
        member.streams = member.streams.saturating_sub(1);
        member.moves += 1;
        (member.streams == 0).then_some(member.moves)
    }

    /// Removes this user, whose grace is over, unless a stream of theirs began since.
    pub(super) fn conclude(&mut self, user: &UserId, moves: u64) -> Option<Announcement> {
        if self.members.get(user).is_none_or(|member| member.moves != moves) {
            return None;
        }
        let before = self.members.len();
        self.members.remove(user);
        self.announce(before, Announcement::Left(before - 1))
    }

    /// The announcement of the number of users if it has changed since the last; called whenever
    /// [`COUNT_PERIOD`](super::COUNT_PERIOD) has passed since it was announced.
    pub(super) fn recount(&mut self) -> Option<Announcement> {
        if self.count == Count::Stale {
            self.count = Count::Fresh;
            return Some(Announcement::Count(self.members.len()));
        }
        self.count = Count::Quiet;
        None
    }

    /// True while this user is in the place.
    pub(super) fn has(&self, user: &UserId) -> bool {
        self.members.contains_key(user)
    }

    /// The users who are here, in no order.
    pub(super) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.keys()
    }

    /// The number of users who are here.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// True when the place is empty and no announcement is due later.
    pub(super) fn is_over(&self) -> bool {
        self.members.is_empty() && self.count == Count::Quiet
    }

    /// The announcement to make: this one where at most [`MAX_NAMED`] users get it, otherwise the
    /// number of users, now or later.
    fn announce(&mut self, listeners: usize, named: Announcement) -> Option<Announcement> {
        if listeners <= MAX_NAMED {
            return Some(named);
        }
        if self.count == Count::Quiet {
            self.count = Count::Fresh;
            return Some(Announcement::Count(self.members.len()));
        }
        self.count = Count::Stale;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Announcement::{Count, Joined, Left};
    use super::*;

    fn nobody() -> Audience {
        Audience::of(Arc::new(Room::default()))
    }

    fn user(n: usize) -> UserId {
        UserId::from(format!("u{n}"))
    }

    /// Ends the user's last stream, and the grace after it.
    fn leave(audience: &mut Audience, user: &UserId) -> Option<Announcement> {
        let moves = audience.exit(user).expect("the last stream");
        audience.conclude(user, moves)
    }

    #[test]
    fn a_user_joins_with_the_first_stream_and_leaves_with_the_last() {
        let (mut audience, ada) = (nobody(), user(1));
        assert_eq!(audience.enter(&ada), Some(Joined(1)));
        assert_eq!(audience.enter(&ada), None);
        assert_eq!(audience.exit(&ada), None);
        let moves = audience.exit(&ada).expect("the last stream");
        assert!(audience.has(&ada), "for the time of the grace");
        assert_eq!(audience.conclude(&ada, moves), Some(Left(0)));
        assert!(!audience.has(&ada) && audience.is_over());
    }

    #[test]
    fn a_user_who_comes_back_in_time_never_left() {
        let (mut audience, ada) = (nobody(), user(1));
        audience.enter(&ada);
        let first = audience.exit(&ada).expect("the last stream");
        assert_eq!(audience.enter(&ada), None);
        let second = audience.exit(&ada).expect("the last stream");
        assert_eq!(audience.conclude(&ada, first), None);
        assert_eq!(audience.conclude(&ada, second), Some(Left(0)));
    }

    #[test]
    fn of_many_only_their_number_is_announced_and_the_last_one_always() {
        let mut audience = nobody();
        for n in 1..=MAX_NAMED {
            assert_eq!(audience.enter(&user(n)), Some(Joined(n)));
        }
        assert_eq!(audience.enter(&user(101)), Some(Count(101)));
        for n in 102..=5_000 {
            assert_eq!(audience.enter(&user(n)), None);
        }
        assert_eq!(audience.recount(), Some(Count(5_000)));
        assert_eq!(audience.recount(), None, "it has not changed");

        assert_eq!(leave(&mut audience, &user(5_000)), Some(Count(4_999)));
        for n in (1..5_000).rev() {
            let announced = leave(&mut audience, &user(n));
            assert_eq!(announced, (n <= MAX_NAMED).then_some(Left(n - 1)));
        }
        assert!(!audience.is_over(), "their number was announced just now");
        assert_eq!(audience.recount(), Some(Count(0)));
        assert_eq!(audience.recount(), None);
        assert!(audience.is_over());
    }
}
