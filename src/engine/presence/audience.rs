//! The audience of a place: the users there, and the announcements of who comes and goes.
//!
//! Announcing each of many users to each other would take the square of their number: above
//! [`MAX_NAMED`] users, only their number is announced, and that once in
//! [`COUNT_PERIOD`](super::COUNT_PERIOD).

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::INTEREST;
use crate::domain::ids::UserId;
use crate::engine::room::Room;

/// Largest number of users in a place to whom each user who comes or goes is announced. When 100
/// come at once, that is 5,050 deliveries; for a thousand it would be 500,500, and nobody reads so
/// many names.
pub const MAX_NAMED: usize = 100;

/// The users with an open stream in one place, with this node or another, and those whose last one
/// there ended just now.
#[derive(Debug)]
pub(super) struct Audience {
    room: Arc<Room>,
    members: HashMap<UserId, Member>,
    count: Count,
    /// Number of streams of this node.
    streams: usize,
    /// The number of the last change of who has streams of this node here.
    version: u64,
    /// The last time when a stream of this node ended here, or somebody looked at who is here.
    needed_at: Instant,
    hearing: Option<Hearing>,
}

/// The time since when this node hears of the place from others. It ends when this is dropped.
#[derive(Debug)]
struct Hearing {
    since: Instant,
    _end: DropGuard,
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
    /// Number of streams of this node.
    streams: usize,
    /// Number of other nodes with streams of theirs.
    nodes: usize,
    /// Number of times that a stream of theirs began or ended here: tells a grace that was cut
    /// short apart from the one that runs now.
    moves: u64,
}

impl Member {
    /// Notes the end of a stream. If it was the last one, returns the number of moves.
    fn leave(&mut self) -> Option<u64> {
        self.moves += 1;
        self.is_gone().then_some(self.moves)
    }

    fn is_gone(&self) -> bool {
        self.streams == 0 && self.nodes == 0
    }
}

impl Audience {
    /// The empty audience of the place whose listeners are in this room.
    pub(super) fn of(room: Arc<Room>) -> Self {
        Self {
            room,
            members: HashMap::new(),
            count: Count::default(),
            streams: 0,
            version: 0,
            needed_at: Instant::now(),
            hearing: None,
        }
    }

    /// The room of the listeners in this place.
    pub(super) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Adds one stream of this user, of this node. Returns the announcement to make, if any.
    pub(super) fn enter(&mut self, user: &UserId) -> Option<Announcement> {
        self.streams += 1;
        self.add(user, |member| member.streams += 1, Announcement::Joined)
    }

    /// Adds another node that has this user here. Who is found here rather than comes is not announced
    /// by name.
    pub(super) fn enter_elsewhere(&mut self, user: &UserId, comes: bool) -> Option<Announcement> {
        let announcement = if comes { Announcement::Joined } else { Announcement::Count };
        self.add(user, |member| member.nodes += 1, announcement)
    }

    fn add(
        &mut self,
        user: &UserId,
        change: impl FnOnce(&mut Member),
        announcement: impl FnOnce(usize) -> Announcement,
    ) -> Option<Announcement> {
        let joined = !self.has(user);
        let member = self.members.entry(user.clone()).or_default();
        change(member);
        member.moves += 1;
        let here = self.members.len();
        if joined { self.announce(here, announcement(here)) } else { None }
    }

    /// Removes one stream of this user, of this node. If it was their last one anywhere, returns the
    /// number that [`conclude`](Self::conclude) needs after the grace.
    pub(super) fn exit(&mut self, user: &UserId) -> Option<u64> {
        let member = self.members.get_mut(user)?;
        member.streams = member.streams.saturating_sub(1);
        self.streams = self.streams.saturating_sub(1);
        self.needed_at = Instant::now();
        member.leave()
    }

    /// Removes a node that had this user here. Returns what [`exit`](Self::exit) does.
    pub(super) fn exit_elsewhere(&mut self, user: &UserId) -> Option<u64> {
        let member = self.members.get_mut(user)?;
        member.nodes = member.nodes.saturating_sub(1);
        member.leave()
    }

    /// Removes this user, whose grace is over, unless a stream of theirs began since.
    pub(super) fn conclude(&mut self, user: &UserId, moves: u64) -> Option<Announcement> {
        let member = self.members.get(user)?;
        if member.moves != moves || !member.is_gone() {
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

    /// True while this user has a stream of this node here.
    pub(super) fn has_stream_of(&self, user: &UserId) -> bool {
        self.members.get(user).is_some_and(|member| member.streams > 0)
    }

    /// The number of streams of this node here.
    pub(super) fn streams(&self) -> usize {
        self.streams
    }

    /// Notes the number of a change of who has streams of this node here.
    pub(super) fn set_version(&mut self, version: u64) {
        self.version = version;
    }

    /// The users who have streams of this node here, and the number of the last change of that.
    pub(super) fn own_set(&self) -> (u64, Vec<UserId>) {
        let own = self.members.iter().filter(|(_, member)| member.streams > 0);
        (self.version, own.map(|(user, _)| user.clone()).collect())
    }

    /// Begins to hear of this place from other nodes, unless that has begun. Returns the token that
    /// ends it.
    pub(super) fn begin_hearing(&mut self) -> Option<CancellationToken> {
        if self.hearing.is_some() {
            return None;
        }
        let end = CancellationToken::new();
        let guard = end.clone().drop_guard();
        self.hearing = Some(Hearing { since: Instant::now(), _end: guard });
        Some(end)
    }

    /// The time since when this node hears of this place from others, if it does.
    pub(super) fn heard_since(&self) -> Option<Instant> {
        self.hearing.as_ref().map(|hearing| hearing.since)
    }

    /// Notes that somebody looks at who is here.
    pub(super) fn look(&mut self) {
        self.needed_at = Instant::now();
    }

    /// True while somebody of this node wants to know who is here, or did just now.
    pub(super) fn is_needed(&self, now: Instant) -> bool {
        self.streams > 0 || now.duration_since(self.needed_at) < INTEREST
    }

    /// The number of users who are here.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// True when the place is empty, no announcement is due later, and others are not heard.
    pub(super) fn is_over(&self) -> bool {
        self.members.is_empty() && self.count == Count::Quiet && self.hearing.is_none()
    }

    /// The announcement to make: this one where it names a user and at most [`MAX_NAMED`] users get
    /// it, otherwise the number of users, now or later.
    fn announce(&mut self, listeners: usize, announcement: Announcement) -> Option<Announcement> {
        if listeners <= MAX_NAMED && !matches!(announcement, Announcement::Count(_)) {
            return Some(announcement);
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
    fn a_user_who_moves_to_another_node_in_time_never_left() {
        let (mut audience, ada) = (nobody(), user(1));
        audience.enter(&ada);
        let moves = audience.exit(&ada).expect("the last stream");
        assert_eq!(audience.enter_elsewhere(&ada, true), None);
        assert_eq!(audience.conclude(&ada, moves), None);
        // Back again, before the other node has told that they went.
        assert_eq!(audience.enter(&ada), None);
        assert_eq!(audience.exit_elsewhere(&ada), None);
        assert!(audience.has_stream_of(&ada));
        let moves = audience.exit(&ada).expect("the last stream");
        assert_eq!(audience.conclude(&ada, moves), Some(Left(0)));
    }

    #[test]
    fn who_is_found_with_other_nodes_is_counted_and_not_named() {
        let mut audience = nobody();
        audience.enter(&user(1));
        assert_eq!(audience.enter_elsewhere(&user(2), false), Some(Count(2)));
        assert_eq!(audience.enter_elsewhere(&user(3), false), None);
        assert_eq!(audience.enter_elsewhere(&user(1), false), None, "she was here");
        assert_eq!(audience.recount(), Some(Count(3)));
        assert_eq!(audience.own_set().1, [user(1)]);
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
