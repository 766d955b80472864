//! `apply` in cases of one kind each; `replay.rs` tries all kinds together.

use houston::domain::conversation::{Missed, MissedChange};
use houston::domain::entry::{DecodedEntry, Entry, Key};
use houston::domain::ids::{ChannelId, OpId, Seq, UserId};
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

/// A log with what is made of it.
struct Log {
    state: State,
    /// The entries that are not spent.
    kept: Vec<DecodedEntry>,
    last: Seq,
}

impl Log {
    fn of_present() -> Self {
        let mut state = State::default();
        state.caught_up(Seq(0));
        Self { state, kept: Vec::new(), last: Seq(0) }
    }

    /// A log that version 1 wrote, read by the present one.
    fn of_version_1(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let mut log = Self { state: State::default(), kept: Vec::new(), last: Seq(0) };
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

    fn append(&mut self, version: u64, (key, mut body): (Key, Value)) -> (Seq, Applied) {
        let seq = Seq(self.last.0 + 1);
        body["v"] = json!(version);
        if version == 2 && matches!(key, Key::User(_)) {
            for session in body["sessions"].as_array_mut().expect("sessions") {
                *session = json!({"id": session, "used_at": 1});
            }
        }
        let (at, op) = (Timestamp::from_millis(1), OpId(Uuid::from_u128(seq.0.into())));
        let entry = Entry { seq, at, op, key: key.to_string(), body: body.to_string() };
        let decoded = entry.decode().expect("an entry");
        let applied = self.state.apply(decoded.clone());
        assert!(!applied.refused, "{entry:?}");
        self.last = seq;
        self.kept.push(decoded);
        self.kept.retain(|entry| !applied.spent.contains(&entry.seq));
        (seq, applied)
    }

    fn message(&self, id: &str) -> &Message {
        let conversation = self.state.conversation(&channel()).expect("the channel");
        conversation.message(&id.parse().expect("an id")).expect("the message")
    }

    fn texts(&self) -> Vec<String> {
        let conversation = self.state.conversation(&channel()).expect("the channel");
        conversation.messages().map(|message| message.content.text.to_string()).collect()
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

fn reaction(message: Seq, by: &str, name: &str) -> (Key, Value) {
    let reactions = json!([{"reaction": "👍", "users": [user(by, name)]}]);
    (change(message), json!({"state": "present", "reactions": reactions}))
}
