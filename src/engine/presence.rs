//! Who is here: which users have an open stream on a channel, or any stream at all.
//!
//! Presence does not last and never touches the log. Whoever closes their last stream is still
//! here for [`LEAVE_GRACE`], so that a reload or a short loss of connection announces nothing.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::User;

/// How long after their last stream ended somebody has left.
pub const LEAVE_GRACE: Duration = Duration::from_secs(5);

/// Where somebody can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On a channel's stream.
    Channel(ChannelId),
    /// On any stream.
    Anywhere,
}

/// Who is where.
#[derive(Debug, Default)]
pub struct Presence {
    places: Mutex<HashMap<Place, HashMap<UserId, Seat>>>,
}

#[derive(Debug)]
struct Seat {
    user: User,
    streams: usize,
    /// Counts the times that somebody came or went, so that a grace that was cut short is told
    /// apart from the one that runs now.
    moves: u64,
}

/// A last stream that ended: becomes a leaving after [`LEAVE_GRACE`], unless they come back.
#[derive(Debug, PartialEq, Eq)]
pub struct Departure {
    place: Place,
    user: UserId,
    moves: u64,
}

impl Presence {
    /// One more stream of this user. Gives how many users are here if they just joined.
    pub fn enter(&self, place: &Place, user: &User) -> Option<usize> {
        let mut places = self.places.lock();
        let seats = places.entry(place.clone()).or_default();
        let joined = !seats.contains_key(&user.id);
        let seat = seats.entry(user.id.clone()).or_insert_with(|| Seat {
            user: user.clone(),
            streams: 0,
            moves: 0,
        });
        seat.user = user.clone();
        seat.streams += 1;
        seat.moves += 1;
        joined.then_some(seats.len())
    }

    /// One stream of this user less. A departure when it was the last.
    pub fn exit(&self, place: &Place, user: &UserId) -> Option<Departure> {
        let mut places = self.places.lock();
        let seat = places.get_mut(place)?.get_mut(user)?;
        seat.streams = seat.streams.saturating_sub(1);
        seat.moves += 1;
        let moves = seat.moves;
        (seat.streams == 0).then(|| Departure { place: place.clone(), user: user.clone(), moves })
    }

    /// The grace of this departure is over. Who has left, and how many remain; `None` when they
    /// came back.
    pub fn conclude(&self, departure: &Departure) -> Option<(User, usize)> {
        let mut places = self.places.lock();
        let seats = places.get_mut(&departure.place)?;
        if seats.get(&departure.user)?.moves != departure.moves {
            return None;
        }
        let seat = seats.remove(&departure.user)?;
        let remaining = seats.len();
        if remaining == 0 {
            places.remove(&departure.place);
        }
        Some((seat.user, remaining))
    }

    /// Who is here, in no order.
    #[must_use]
    pub fn here(&self, place: &Place) -> Vec<User> {
        let places = self.places.lock();
        let seats = places.get(place).into_iter().flatten();
        seats.map(|(_, seat)| seat.user.clone()).collect()
    }

    /// Whether this user has any stream open.
    #[must_use]
    pub fn is_online(&self, user: &UserId) -> bool {
        let places = self.places.lock();
        places.get(&Place::Anywhere).is_some_and(|seats| seats.contains_key(user))
    }

    /// How many users have any stream open, or had just now, and how many streams all of them have.
    #[must_use]
    pub fn tally(&self) -> (usize, usize) {
        let places = self.places.lock();
        let Some(seats) = places.get(&Place::Anywhere) else { return (0, 0) };
        (seats.len(), seats.values().map(|seat| seat.streams).sum())
    }

    /// Somebody is called otherwise now.
    pub fn rename(&self, user: &User) {
        let mut places = self.places.lock();
        for seat in places.values_mut().filter_map(|seats| seats.get_mut(&user.id)) {
            seat.user = user.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> User {
        User { id: UserId::from("1".to_owned()), display_name: "Ada".parse().expect("a name") }
    }

    #[test]
    fn one_joins_with_the_first_stream_and_leaves_with_the_last() {
        let (presence, ada) = (Presence::default(), ada());
        assert_eq!(presence.enter(&Place::Anywhere, &ada), Some(1));
        assert_eq!(presence.enter(&Place::Anywhere, &ada), None);
        assert_eq!(presence.exit(&Place::Anywhere, &ada.id), None);
        let departure = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert!(presence.is_online(&ada.id));
        assert_eq!(presence.conclude(&departure), Some((ada.clone(), 0)));
        assert!(!presence.is_online(&ada.id));
    }

    #[test]
    fn who_comes_back_in_time_never_left() {
        let (presence, ada) = (Presence::default(), ada());
        presence.enter(&Place::Anywhere, &ada);
        let first = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert_eq!(presence.enter(&Place::Anywhere, &ada), None);
        let second = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert_eq!(presence.conclude(&first), None);
        assert_eq!(presence.conclude(&second), Some((ada, 0)));
    }
}
