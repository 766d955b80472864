//! Who is here: which users have an open stream on a channel, or any stream at all.
//!
//! Presence does not last and never touches the log. Whoever closes their last stream is still
//! here for [`LEAVE_GRACE`], so that a reload or a short loss of connection announces nothing.
//!
//! Where many are, telling each of them of each other would take the square of their number: above
//! [`MAX_NAMED`] people, only how many there are is told, and that once in [`COUNT_PERIOD`].

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::User;

/// How long after their last stream ended somebody has left.
pub const LEAVE_GRACE: Duration = Duration::from_secs(5);
/// Up to how many people in a place hear of each of them who comes or goes. All coming at once,
/// they are told 5,050 times; a thousand would be 500,500 times. Nobody reads so many names, either.
pub const MAX_NAMED: usize = 100;
/// How often it is told at most how many people are in a place.
pub const COUNT_PERIOD: Duration = Duration::from_secs(1);

/// Where somebody can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On a channel's stream.
    Channel(ChannelId),
    /// On any stream.
    Anywhere,
}

/// What those in a place are told, in the order in which it was true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'p> {
    /// Somebody came, and so many are here now.
    Joined(&'p User, usize),
    /// Somebody left, and so many remain.
    Left(&'p User, usize),
    /// People came or went, and so many are here now.
    Count(usize),
}

/// Whether something was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Told {
    /// Nothing, or not yet.
    Nothing,
    /// Who came or went.
    Name,
    /// How many there are: [`Presence::recount`] after [`COUNT_PERIOD`].
    Count,
}

/// Who is where.
#[derive(Debug, Default)]
pub struct Presence {
    places: Mutex<HashMap<Place, Crowd>>,
}

/// The people in a place.
#[derive(Debug, Default)]
struct Crowd {
    seats: HashMap<UserId, Seat>,
    count: Count,
}

/// Whether their number is known to them.
#[derive(Debug, Default, PartialEq, Eq)]
enum Count {
    /// It may be told at any time.
    #[default]
    Quiet,
    /// It was told within the last [`COUNT_PERIOD`].
    Fresh,
    /// It was, and has changed since.
    Owed,
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

impl Departure {
    /// What is left.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl Presence {
    /// One more stream of this user. `tell` is called while nobody else comes or goes.
    pub fn enter(&self, place: &Place, user: &User, tell: impl FnOnce(News<'_>)) -> Told {
        let mut places = self.places.lock();
        let crowd = places.entry(place.clone()).or_default();
        let joined = !crowd.seats.contains_key(&user.id);
        let seat = crowd.seats.entry(user.id.clone()).or_insert_with(|| Seat {
            user: user.clone(),
            streams: 0,
            moves: 0,
        });
        seat.user = user.clone();
        seat.streams += 1;
        seat.moves += 1;
        if !joined {
            return Told::Nothing;
        }
        let here = crowd.seats.len();
        crowd.tell(here, News::Joined(user, here), tell)
    }

    /// One stream of this user less. A departure when it was the last.
    pub fn exit(&self, place: &Place, user: &UserId) -> Option<Departure> {
        let mut places = self.places.lock();
        let seat = places.get_mut(place)?.seats.get_mut(user)?;
        seat.streams = seat.streams.saturating_sub(1);
        seat.moves += 1;
        let moves = seat.moves;
        (seat.streams == 0).then(|| Departure { place: place.clone(), user: user.clone(), moves })
    }

    /// The grace of this departure is over: they have left, unless they came back. `tell` is
    /// called while nobody else comes or goes.
    pub fn conclude(&self, departure: &Departure, tell: impl FnOnce(News<'_>)) -> Told {
        let mut places = self.places.lock();
        let Some(crowd) = places.get_mut(&departure.place) else { return Told::Nothing };
        let here = crowd.seats.len();
        let left = |seat: &Seat| seat.moves == departure.moves;
        if !crowd.seats.get(&departure.user).is_some_and(left) {
            return Told::Nothing;
        }
        let Some(seat) = crowd.seats.remove(&departure.user) else { return Told::Nothing };
        let told = crowd.tell(here, News::Left(&seat.user, here - 1), tell);
        if crowd.is_over() {
            places.remove(&departure.place);
        }
        told
    }

    /// [`COUNT_PERIOD`] has passed since it was told how many are here: tells it again if that has
    /// changed. Nothing was told: it need not be asked any more.
    pub fn recount(&self, place: &Place, tell: impl FnOnce(News<'_>)) -> Told {
        let mut places = self.places.lock();
        let Some(crowd) = places.get_mut(place) else { return Told::Nothing };
        if crowd.count == Count::Owed {
            crowd.count = Count::Fresh;
            tell(News::Count(crowd.seats.len()));
            return Told::Count;
        }
        crowd.count = Count::Quiet;
        if crowd.is_over() {
            places.remove(place);
        }
        Told::Nothing
    }

    /// Who is here, in no order.
    #[must_use]
    pub fn here(&self, place: &Place) -> Vec<User> {
        let places = self.places.lock();
        let seats = places.get(place).into_iter().flat_map(|crowd| crowd.seats.values());
        seats.map(|seat| seat.user.clone()).collect()
    }

    /// Whether this user has any stream open.
    #[must_use]
    pub fn is_online(&self, user: &UserId) -> bool {
        let places = self.places.lock();
        places.get(&Place::Anywhere).is_some_and(|crowd| crowd.seats.contains_key(user))
    }

    /// How many users have any stream open, or had just now, and how many streams all of them have.
    #[must_use]
    pub fn tally(&self) -> (usize, usize) {
        let places = self.places.lock();
        let Some(Crowd { seats, .. }) = places.get(&Place::Anywhere) else { return (0, 0) };
        (seats.len(), seats.values().map(|seat| seat.streams).sum())
    }

    /// Somebody is called otherwise now.
    pub fn rename(&self, user: &User) {
        let mut places = self.places.lock();
        for seat in places.values_mut().filter_map(|crowd| crowd.seats.get_mut(&user.id)) {
            seat.user = user.clone();
        }
    }
}

impl Crowd {
    /// Tells who came or went where at most so many had to be told; otherwise how many there are,
    /// now or later.
    fn tell(&mut self, at_most: usize, named: News<'_>, tell: impl FnOnce(News<'_>)) -> Told {
        if at_most <= MAX_NAMED {
            tell(named);
            return Told::Name;
        }
        if self.count == Count::Quiet {
            self.count = Count::Fresh;
            tell(News::Count(self.seats.len()));
            return Told::Count;
        }
        self.count = Count::Owed;
        Told::Nothing
    }

    /// Nobody is here, and nobody will ask again.
    fn is_over(&self) -> bool {
        self.seats.is_empty() && self.count == Count::Quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> User {
        User { id: UserId::from("1".to_owned()), display_name: "Ada".parse().expect("a name") }
    }

    fn one_of_many(n: usize) -> User {
        let display_name = format!("User {n}").parse().expect("a name");
        User { id: UserId::from(format!("u{n}")), display_name }
    }

    /// Comes, and gives what is told of it.
    fn comes(presence: &Presence, user: &User) -> Option<String> {
        let mut news = None;
        let told = presence.enter(&Place::Anywhere, user, |told| news = Some(words(told)));
        assert_eq!(told == Told::Nothing, news.is_none());
        news
    }

    /// Goes and stays away, and gives what is told of it.
    fn goes(presence: &Presence, user: &User) -> Option<String> {
        let departure = presence.exit(&Place::Anywhere, &user.id).expect("the last stream");
        concludes(presence, &departure)
    }

    fn concludes(presence: &Presence, departure: &Departure) -> Option<String> {
        let mut news = None;
        let told = presence.conclude(departure, |told| news = Some(words(told)));
        assert_eq!(told == Told::Nothing, news.is_none());
        news
    }

    fn recounts(presence: &Presence) -> Option<String> {
        let mut news = None;
        let told = presence.recount(&Place::Anywhere, |told| news = Some(words(told)));
        assert_eq!(told == Told::Count, news.is_some());
        news
    }

    fn words(news: News<'_>) -> String {
        match news {
            News::Joined(user, here) => format!("{} joined: {here}", user.display_name),
            News::Left(user, here) => format!("{} left: {here}", user.display_name),
            News::Count(here) => here.to_string(),
        }
    }

    #[test]
    fn one_joins_with_the_first_stream_and_leaves_with_the_last() {
        let (presence, ada) = (Presence::default(), ada());
        assert_eq!(comes(&presence, &ada).as_deref(), Some("Ada joined: 1"));
        assert_eq!(comes(&presence, &ada), None);
        assert_eq!(presence.exit(&Place::Anywhere, &ada.id), None);
        let departure = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert!(presence.is_online(&ada.id));
        assert_eq!(concludes(&presence, &departure).as_deref(), Some("Ada left: 0"));
        assert!(!presence.is_online(&ada.id));
        assert_eq!(presence.here(&Place::Anywhere), []);
    }

    #[test]
    fn who_comes_back_in_time_never_left() {
        let (presence, ada) = (Presence::default(), ada());
        comes(&presence, &ada);
        let first = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert_eq!(comes(&presence, &ada), None);
        let second = presence.exit(&Place::Anywhere, &ada.id).expect("the last stream");
        assert_eq!(concludes(&presence, &first), None);
        assert_eq!(concludes(&presence, &second).as_deref(), Some("Ada left: 0"));
    }

    #[test]
    fn of_many_only_their_number_is_told_and_the_last_one_always() {
        let presence = Presence::default();
        for n in 1..=MAX_NAMED {
            let joined = format!("User {n} joined: {n}");
            assert_eq!(comes(&presence, &one_of_many(n)), Some(joined));
        }
        assert_eq!(comes(&presence, &one_of_many(101)).as_deref(), Some("101"));
        for n in 102..=5_000 {
            assert_eq!(comes(&presence, &one_of_many(n)), None);
        }
        assert_eq!(recounts(&presence).as_deref(), Some("5000"));
        assert_eq!(recounts(&presence), None, "it has not changed");
        assert_eq!(goes(&presence, &one_of_many(5_000)).as_deref(), Some("4999"));
        for n in (1..5_000).rev() {
            let left = (n <= MAX_NAMED).then(|| format!("User {n} left: {}", n - 1));
            assert_eq!(goes(&presence, &one_of_many(n)), left);
        }
        assert_eq!(recounts(&presence).as_deref(), Some("0"));
        assert_eq!(recounts(&presence), None);
        assert!(presence.places.lock().is_empty(), "nothing stays of a place that nobody is in");
        assert_eq!(comes(&presence, &ada()).as_deref(), Some("Ada joined: 1"));
    }
}
