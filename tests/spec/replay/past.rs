//! What version 1 may have left behind: of each channel and user the last entry alone, before or
//! behind what refers to it.

use houston::domain::entry::Key;
use houston::domain::ids::{ChannelId, OpId, Seq, UserId};
use houston::domain::names::{ChannelName, DisplayName};
use houston::engine::log::{Draft, Expect};
use serde_json::{Value, json};
use uuid::Uuid;

/// The places of the entries beside the messages.
pub(super) type Places = [u8; 18];

/// Messages are in these channels, by these users, in turn.
const MESSAGES: [(&str, &str); 6] = [
    ("general", "u1"),
    ("lunch", "u2"),
    ("u1_u2", "u1"),
    ("general", "u3"),
    ("u1_u3", "u3"),
    ("u3_u4", "u4"),
];
const ROUNDS: usize = 3;

enum Subject {
    /// An entry of this key.
    Of(Key),
    /// A change of the n-th message.
    Change(usize),
}

/// The entries, from the first of the log on. Ada and Bob are there; Cy and Dee have left.
pub(super) fn entries(places: Places) -> Vec<Draft> {
    let mut entries: Vec<(usize, Subject, Value)> = Vec::new();
    for n in 0..MESSAGES.len() * ROUNDS {
        let (channel, author) = MESSAGES[n % MESSAGES.len()];
        let (id, text) = (format!("old{n}"), format!("é{n}"));
        let body = json!({"id": id, "author": user(author), "text": text, "html": text});
        entries.push((n, Subject::Of(Key::Messages(channel.to_owned().into())), body));
    }
    for ((subject, body), place) in records().into_iter().zip(places) {
        let place = usize::from(place) % (entries.len() + 1);
        let place = match subject {
            Subject::Change(message) => place.max(message),
            Subject::Of(_) => place,
        };
        entries.push((place, subject, body));
    }
    let mut order: Vec<_> = (0..entries.len()).collect();
    order.sort_by_key(|n| entries[*n].0);
    let seq_of = |n| Seq(1 + order.iter().position(|it| *it == n).expect("it is there") as u64);
    let drafts = order.iter().map(|n| {
        let (_, subject, body) = &entries[*n];
        let key = match subject {
            Subject::Of(key) => key.clone(),
            Subject::Change(message) => {
                let channel = MESSAGES[message % MESSAGES.len()].0.to_owned();
                Key::Change(channel.into(), seq_of(*message))
            }
        };
        let mut body = body.clone();
        body["v"] = json!(1);
        let (op, expect) = (OpId(Uuid::now_v7()), Expect::Any);
        Draft { op, key, body: body.to_string(), expect }
    });
    drafts.collect()
}

fn records() -> [(Subject, Value); 18] {
    let account = |id: &str, revision: u64, sessions: &[&str]| {
        let body = json!({
            "user": user(id), "sessions": sessions, "revision": revision, "since": 0,
            "renamed": revision > 0,
        });
        (Subject::Of(Key::User(display_name(id).hash())), body)
    };
    let former = |id: &str| {
        let body = json!({"display_name": display_name(id)});
        (Subject::Of(Key::FormerName(UserId::from(id.to_owned()))), body)
    };
    let open = |name: &str, created_at: Value| {
        let body = json!({
            "state": "open", "id": name, "name": name, "topic": "", "creator": user("u1"),
            "created_at": created_at,
        });
        (channel(name), body)
    };
    let direct = |one: &str, other: &str| {
        let id = ChannelId::from(format!("{one}_{other}"));
        (Subject::Of(Key::Direct(id)), json!({"members": [user(one), user(other)]}))
    };
    let marker = |id: &str, channel: &str| {
        let key = Key::ReadMarker(id.to_owned().into(), channel.to_owned().into());
        (Subject::Of(key), json!({"read": 1}))
    };
    let reacted = |by: &str| {
        let reactions = json!([{"reaction": "👍", "users": [user(by)]}]);
        json!({"state": "present", "reactions": reactions})
    };
    let deleted = |n: usize| json!({"state": "deleted", "id": format!("old{n}")});
    [
        account("u1", 3, &["s1"]),
        account("u2", 0, &["s2", "s3"]),
        account("u4", 5, &[]),
        former("u3"),
        former("u4"),
        open("general", json!(5)),
        open("lunch", Value::Null),
        (channel("gone"), json!({"state": "deleted", "id": "gone"})),
        direct("u1", "u2"),
        direct("u1", "u3"),
        direct("u3", "u4"),
        marker("u1", "general"),
        marker("u1", "lunch"),
        marker("u4", "general"),
        (Subject::Change(0), reacted("u3")),
        (Subject::Change(2), deleted(2)),
        (Subject::Change(6), deleted(6)),
        (Subject::Change(7), reacted("u2")),
    ]
}

fn channel(name: &str) -> Subject {
    let name: ChannelName = name.parse().expect("a name");
    Subject::Of(Key::Channel(name.hash()))
}

fn user(id: &str) -> Value {
    json!({"id": id, "display_name": display_name(id)})
}

fn display_name(id: &str) -> DisplayName {
    let name = match id {
        "u1" => "Ada",
        "u2" => "Bob",
        "u3" => "Cy",
        _ => "Dee",
    };
    name.parse().expect("a name")
}
