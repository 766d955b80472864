//! Tests of the streams of one node.

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
