//! `apply` in cases of one kind each; `replay.rs` tries all kinds together.

use houston::domain::conversation::{Conversation, Missed, MissedChange};
use houston::domain::entry::{DecodedEntry, Entry, Key};
use houston::domain::ids::{ChannelId, MessageId, OpId, Seq, UserId};
use houston::domain::message::Message;
use houston::domain::names::{ChannelName, DisplayName};
use houston::domain::state::{Applied, State};
use houston::domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn a_message_that_comes_behind_its_author_s_leaving_shows_their_last_name() {
    let mut log = Log::of_present();
    log.add(general());
    log.add(account("u1", "Ada", 0, &["s1"]));
    log.add(account("u1", "Countess", 1, &["s1"]));
    log.add(account("u1", "Countess", 2, &[]));
    log.add(message("m1", "u1", "Ada"));

    assert_eq!(log.message("m1").author.user().display_name.as_str(), "Countess");
    log.is_read_back();
}

#[test]
fn a_hundred_leavings_are_remembered() {
    let mut log = Log::of_present();
    let mut leavings = Vec::new();
    for n in 0..=100 {
        let (id, name) = (format!("u{n}"), format!("Guest {n}"));
        let joining = log.add(account(&id, &name, 0, &["s"]));
        let (leaving, spent) = log.enter(account(&id, &name, 1, &[]));
        leavings.push(leaving);
        let forgotten = if n == 100 { Some(leavings[0]) } else { None };
        let expected: Vec<_> = [joining].into_iter().chain(forgotten).collect();
        assert_eq!(spent.spent, expected);
    }
    log.is_read_back();
}

/// Somebody is renamed while a reaction of theirs is on its way to the log.
#[test]
fn a_reaction_shows_its_giver_as_they_are_called_when_it_is_applied() {
    let mut log = Log::of_present();
    log.add(general());
    log.add(account("u1", "Ada", 0, &["s1"]));
    let posted = log.add(message("m1", "u1", "Ada"));
    log.add(account("u1", "Countess", 1, &["s1"]));
    log.add(reaction(posted, "u1", "Ada"));

    let reacted = &log.message("m1").reactions[0];
    assert_eq!(reacted.users[0].user().display_name.as_str(), "Countess");
    log.is_read_back();
}

#[test]
fn a_channel_of_version_1_and_what_it_keeps_survive_a_change_of_its_topic() {
    let mut log = Log::of_version_1([
        message("m1", "u1", "Ada"),
        topic("lunch?"),
        account("u1", "Ada", 2, &["s1"]),
    ]);
    log.add(message("m2", "u1", "Ada"));
    let (_, applied) = log.enter(topic("dinner?"));

    assert_eq!(applied.spent, [], "what came in between rests on the first entry");
    let (_, applied) = log.enter(topic("supper?"));
    assert_eq!(applied.spent.len(), 1, "what nothing rests on");
    assert_eq!(log.texts(), ["m1", "m2"]);
    log.is_read_back();
}

#[test]
fn a_deletion_of_version_1_is_remembered_though_the_channel_s_entry_comes_behind_it() {
    let log = Log::of_version_1([
        message("m1", "u1", "Ada"),
        (change(Seq(1)), json!({"state": "deleted", "id": "m1"})),
        topic("lunch?"),
        account("u1", "Ada", 2, &["s1"]),
    ]);
    let missed = log.state.conversation(&channel()).expect("the channel").since(Seq(1));
    let id = "m1".parse().expect("an id");
    let deleted = (Seq(2), MissedChange::Deleted { id, message: Seq(1) });
    assert_eq!(missed, Missed::Changes(vec![deleted]));
    log.is_read_back();
}

/// One of the two has left, and the other's entry is behind the leaving.
#[test]
fn a_direct_conversation_of_version_1_is_kept_for_who_is_left_of_its_two() {
    let id = ChannelId::from("u1_u2".to_owned());
    let users = [user("u1", "Ada"), user("u2", "Bob")];
    let (_, said) = message("m1", "u1", "Ada");
    let log = Log::of_version_1([
        (Key::Direct(id.clone()), json!({ "members": users })),
        (Key::Messages(id.clone()), said),
        account("u2", "Bob", 1, &[]),
        account("u1", "Ada", 1, &["s1"]),
    ]);
    let kept = log.state.conversation(&id).map(|conversation| conversation.messages().len());
    assert_eq!((kept, log.state.channels_of(&"u1".to_owned().into()).count()), (Some(1), 1));
    log.is_read_back();
}

#[test]
fn a_name_that_version_1_kept_apart_for_somebody_who_left_is_free() {
    let former = json!({"display_name": "Bob"});
    let mut log = Log::of_version_1([
        message("m1", "u2", "Bob"),
        topic("lunch?"),
        account("u2", "Bob", 1, &[]),
        (Key::FormerName(UserId::from("u2".to_owned())), former),
    ]);
    assert_eq!(log.state.last_of_display_name(&display_name("Bob")), None);
    log.add(account("u3", "Bob", 0, &["s3"]));
    assert_eq!(log.message("m1").author.id().as_str(), "u2");
    log.is_read_back();
}

#[test]
fn a_message_can_be_restored_until_fifteen_seconds_after_its_deletion_by_the_times_of_both() {
    for (deleted_at, restored_at, can_be) in [
        (1_000, 1_000, true),
        (1_000, 15_999, true),
        (1_000, 16_000, true),
        (1_000, 16_001, false),
        (1_000, 1_000_000_000_000, false),
        // The clock went back in between, a little or from a time that was never.
        (1_000, 999, true),
        (2_114_380_800_000, 1_795_426_200_000, true),
        (-5_000, 10_000, true),
        (-5_000, 10_001, false),
        (i64::MIN, i64::MAX, false),
        (i64::MAX, i64::MIN, true),
    ] {
        let mut log = Log::with_ada();
        let posted = log.add(message("m1", "u1", "Ada"));
        log.now = deleted_at;
        log.add(deletion(posted, Some("u1")));
        log.now = restored_at;
        let (restored, applied) = log.try_to(restoration(posted));
        assert_eq!(applied.refused, !can_be, "{deleted_at} to {restored_at}");
        assert_eq!(log.texts().len(), usize::from(can_be), "{deleted_at} to {restored_at}");
        let refused = if can_be { Vec::new() } else { vec![restored] };
        assert_eq!(applied.spent, refused);
        let now = Timestamp::from_millis(restored_at);
        let mut log = Log::with_ada();
        let posted = log.add(message("m1", "u1", "Ada"));
        log.now = deleted_at;
        log.add(deletion(posted, Some("u1")));
        let restorable = log.conversation().restorable(&message_id("m1"), &user_id("u1"), now);
        assert_eq!(restorable.is_some(), can_be, "{deleted_at} to {restored_at}");
    }
}

#[test]
fn what_was_deleted_is_kept_until_an_erasure_that_comes_behind_the_deletion() {
    let mut log = Log::with_ada();
    let posted = log.add(message("m1", "u1", "Ada"));
    let reacted = log.add(reaction(posted, "u1", "Ada"));
    let (deleted, applied) = log.enter(deletion(posted, Some("u1")));
    assert_eq!(applied.spent, []);
    assert_eq!((log.state.message_count(), log.state.first_restorable()), (0, Some(deleted)));
    assert!(log.state.text_bytes() > 0);
    log.is_read_back();

    let (erased, applied) = log.try_to(erasure(Seq(deleted.0 - 1)));
    assert_eq!((applied.refused, applied.spent), (true, vec![erased]), "nothing is due");
    let (erased, applied) = log.enter(erasure(deleted));
    assert_eq!(applied.spent, [reacted, posted, erased]);
    assert_eq!((log.state.text_bytes(), log.state.first_restorable()), (0, None));
    let (_, applied) = log.try_to(restoration(posted));
    assert!(applied.refused, "its time is over, whatever the clock says");
    log.is_read_back();
}

#[test]
fn a_deletion_by_nobody_known_cannot_be_undone() {
    let mut log = Log::with_ada();
    let posted = log.add(message("m1", "u1", "Ada"));
    let (_, applied) = log.enter(deletion(posted, None));
    assert_eq!(applied.spent, [posted], "older entries do not say by whom");
    assert_eq!(log.state.first_restorable(), None);
    log.is_read_back();
}

#[test]
fn what_falls_out_takes_older_messages_along_that_were_deleted() {
    let mut log = Log::with_ada();
    let posts: Vec<_> = (0..102).map(|n| log.add(message(&format!("m{n}"), "u1", "Ada"))).collect();
    for posted in [posts[2], posts[3], posts[50]] {
        log.add(deletion(posted, Some("u1")));
    }
    for n in 102..104 {
        log.add(message(&format!("m{n}"), "u1", "Ada"));
    }
    let (_, applied) = log.enter(message("m104", "u1", "Ada"));
    assert_eq!(log.texts()[0], "m4");
    assert_eq!(applied.spent, [], "a hundred are kept");
    let (refused, applied) = log.try_to(restoration(posts[3]));
    assert_eq!((applied.refused, applied.spent), (true, vec![refused]), "they are all newer");
    let (_, applied) = log.enter(message("m105", "u1", "Ada"));
    assert_eq!(applied.spent, [posts[2], posts[3], posts[4]], "the older ones first");
    let (_, applied) = log.try_to(restoration(posts[3]));
    assert!(applied.refused);
    let (_, applied) = log.enter(restoration(posts[50]));
    assert_eq!(applied.spent, [posts[5]], "the oldest falls out for it");
    assert_eq!((log.texts().len(), &*log.texts()[0]), (100, "m6"));
    log.is_read_back();
}

/// The deletion is forgotten before the restoration: a replay finds the message undeleted.
#[test]
fn a_restoration_outlives_its_deletion() {
    let mut log = Log::with_ada();
    let posted = log.add(message("m0", "u1", "Ada"));
    let deleted = log.add(deletion(posted, Some("u1")));
    let restored = log.add(restoration(posted));
    for n in 1..=98 {
        let posted = log.add(message(&format!("m{n}"), "u1", "Ada"));
        log.add(deletion(posted, Some("u1")));
    }
    let next = log.add(message("next", "u1", "Ada"));
    let (_, applied) = log.enter(deletion(next, Some("u1")));
    assert_eq!(applied.spent, [deleted]);
    assert_eq!(log.conversation().last_change_of(log.message("m0")), Some(restored));
    log.is_read_back();

    let next = log.add(message("last", "u1", "Ada"));
    let (_, applied) = log.enter(deletion(next, Some("u1")));
    assert_eq!(applied.spent, [restored]);
    assert_eq!(log.conversation().last_change_of(log.message("m0")), None);
    let head = log.last;
    log.add(erasure(head));
    log.is_read_back();
    assert_eq!(log.texts(), ["m0"]);
}

#[test]
fn a_deletion_that_is_forgotten_can_be_undone_no_longer() {
    let mut log = Log::with_ada();
    let first = log.add(message("m0", "u1", "Ada"));
    let deleted = log.add(deletion(first, Some("u1")));
    for n in 1..=99 {
        let posted = log.add(message(&format!("m{n}"), "u1", "Ada"));
        log.add(deletion(posted, Some("u1")));
    }
    let next = log.add(message("next", "u1", "Ada"));
    let (_, applied) = log.enter(deletion(next, Some("u1")));
    assert_eq!(applied.spent, [first, deleted], "the message before its deletion");
    log.is_read_back();
}

/// A log with what is made of it.
struct Log {
    state: State,
    /// The time of the next entry, in milliseconds.
    now: i64,
    /// The entries that are not spent.
    kept: Vec<DecodedEntry>,
    last: Seq,
}

impl Log {
    fn of_present() -> Self {
        let mut state = State::default();
        state.caught_up(Seq(0));
        Self { state, now: 1, kept: Vec::new(), last: Seq(0) }
    }

    /// A log with a channel and a user.
    fn with_ada() -> Self {
        let mut log = Self::of_present();
        log.add(general());
        log.add(account("u1", "Ada", 0, &["s1"]));
        log
    }

    /// A log that version 1 wrote, read by the present one.
    fn of_version_1(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let mut log = Self { state: State::default(), now: 1, kept: Vec::new(), last: Seq(0) };
        for entry in entries {
            log.append(1, entry);
        }
        let caught_up = log.state.caught_up(log.last);
        log.kept.retain(|entry| !caught_up.spent.contains(&entry.seq));
        log
    }

    /// Adds an entry that is accepted.
    fn add(&mut self, entry: (Key, Value)) -> Seq {
        self.enter(entry).0
    }

    fn enter(&mut self, entry: (Key, Value)) -> (Seq, Applied) {
        self.append(2, entry)
    }

    /// Adds an entry that may be refused.
    fn try_to(&mut self, entry: (Key, Value)) -> (Seq, Applied) {
        self.apply(2, entry)
    }

    fn append(&mut self, version: u64, entry: (Key, Value)) -> (Seq, Applied) {
        let told = format!("{entry:?}");
        let (seq, applied) = self.apply(version, entry);
        assert!(!applied.refused, "{told}");
        (seq, applied)
    }

    fn apply(&mut self, version: u64, (key, mut body): (Key, Value)) -> (Seq, Applied) {
        let seq = Seq(self.last.0 + 1);
        body["v"] = json!(version);
        if version == 2 && matches!(key, Key::User(_)) {
            for session in body["sessions"].as_array_mut().expect("sessions") {
                *session = json!({"id": session, "used_at": 1});
            }
        }
        let (at, op) = (Timestamp::from_millis(self.now), OpId(Uuid::from_u128(seq.0.into())));
        let entry = Entry { seq, at, op, key: key.to_string(), body: body.to_string() };
        let decoded = entry.decode().expect("an entry");
        let applied = self.state.apply(decoded.clone());
        self.last = seq;
        self.kept.push(decoded);
        self.kept.retain(|entry| !applied.spent.contains(&entry.seq));
        (seq, applied)
    }

    fn conversation(&self) -> &Conversation {
        self.state.conversation(&channel()).expect("the channel")
    }

    fn message(&self, id: &str) -> &Message {
        self.conversation().message(&message_id(id)).expect("the message")
    }

    fn texts(&self) -> Vec<String> {
        self.conversation().messages().map(|message| message.content.text.to_string()).collect()
    }

    /// Checks that what is kept makes the same state again, and that all of it is needed.
    #[track_caller]
    fn is_read_back(&self) {
        let mut state = State::default();
        let mut spent = Vec::new();
        for entry in &self.kept {
            spent.extend(state.apply(entry.clone()).spent);
        }
        spent.extend(state.caught_up(self.last).spent);
        assert_eq!(state, self.state);
        assert_eq!(spent, []);
    }
}

fn channel() -> ChannelId {
    ChannelId::from("c".to_owned())
}

fn message_id(id: &str) -> MessageId {
    id.parse().expect("an id")
}

fn user_id(id: &str) -> UserId {
    id.to_owned().into()
}

fn display_name(name: &str) -> DisplayName {
    name.parse().expect("a name")
}

fn user(id: &str, name: &str) -> Value {
    json!({"id": id, "display_name": name})
}

fn general() -> (Key, Value) {
    let body = json!({
        "state": "open", "id": channel(), "name": "general", "topic": "", "creator": null,
    });
    (Key::Channel(ChannelName::general().hash()), body)
}

fn topic(topic: &str) -> (Key, Value) {
    let (key, mut body) = general();
    body["topic"] = json!(topic);
    body["created_at"] = json!(1);
    (key, body)
}

fn account(id: &str, name: &str, revision: u64, sessions: &[&str]) -> (Key, Value) {
    let body = json!({
        "user": user(id, name), "sessions": sessions, "revision": revision, "since": 0,
    });
    (Key::User(display_name(name).hash()), body)
}

fn message(id: &str, author: &str, name: &str) -> (Key, Value) {
    let body = json!({"id": id, "author": user(author, name), "text": id, "html": id});
    (Key::Messages(channel()), body)
}

fn change(message: Seq) -> Key {
    Key::Change(channel(), message)
}

fn deletion(message: Seq, by: Option<&str>) -> (Key, Value) {
    let mut body = json!({"state": "deleted", "id": "m1"});
    if let Some(by) = by {
        body["by"] = json!(by);
    }
    (change(message), body)
}

fn restoration(message: Seq) -> (Key, Value) {
    (change(message), json!({"state": "restored", "id": "m1"}))
}

fn erasure(until: Seq) -> (Key, Value) {
    (Key::Erasure, json!({"until": until}))
}

fn reaction(message: Seq, by: &str, name: &str) -> (Key, Value) {
    let reactions = json!([{"reaction": "👍", "users": [user(by, name)]}]);
    (change(message), json!({"state": "present", "reactions": reactions}))
}
