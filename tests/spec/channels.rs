//! Tests of channels: creating, listing, topics, deleting, read markers.

use std::sync::Arc;

use houston::domain::channel::ChannelRef;
use houston::domain::names::Topic;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::{Device, Engine, SignedInAs};
use serde_json::json;

use crate::blobs::memory::Memory as Blobs;
use crate::harness::{Workspace, event};
use crate::log::memory::Memory;

#[rocket::async_test]
async fn general_is_there_from_the_first_start() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let general = ada.channel("general").await;
    assert_eq!(general["name"], "general");
    assert_eq!(general["kind"], "public");
    assert_eq!(general["topic"], "");
    assert!(general["created_by"].is_null() && general["last_message_at"].is_null());
    let created_at = general["created_at"].as_str().expect("a time");
    assert!(created_at.ends_with('Z') && created_at.len() == 24, "{created_at}");
}

#[rocket::async_test]
async fn anyone_creates_channels_and_sees_them_all_by_name() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let answer = ada.post("/api/channels", json!({ "name": "Ops", "topic": " pagers " })).await;

    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("Location"), Some("/api/channels/ops"));
    let ops = answer.json();
    assert_eq!((&ops["name"], &ops["topic"]), (&json!("ops"), &json!("pagers")));
    assert_eq!(ops["created_by"], ada.user);

    bob.creates("überblick").await;
    let listed = bob.get("/api/channels").await.json();
    let names: Vec<_> =
        listed["channels"].as_array().expect("channels").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["general", "ops", "überblick"]);
    let by_id = format!("id:{}", ops["id"].as_str().expect("an id"));
    assert_eq!(bob.channel(&by_id).await, ops);
    assert_eq!(bob.channel("%C3%9Cberblick").await["name"], "überblick");
}

#[rocket::async_test]
async fn a_list_has_the_place_of_each_channel_in_its_stream() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("ops").await;
    let cursors = async || -> Vec<_> {
        let listed = ada.get("/api/channels").await.json();
        let channels = listed["channels"].as_array().expect("channels");
        channels.iter().map(|it| it["cursor"].as_str().expect("a cursor").to_owned()).collect()
    };
    let before = cursors().await;
    ada.puts("ops", "m1", "hello").await;
    let posted = cursors().await;
    assert_eq!(posted[0], before[0], "it tells nothing of other channels");
    assert_ne!(posted[1], before[1]);
    assert_eq!(ada.get("/api/channels/ops/messages").await.json()["cursor"], posted[1]);
    ada.puts("ops", "m1", "hello, edited").await;
    let edited = cursors().await;
    assert_ne!(edited[1], posted[1]);
}

#[rocket::async_test]
async fn a_long_list_has_every_channel_once_and_the_latest_conversations_first() {
    const MANY: usize = 150;
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false)).merge(("max_channels_per_user", MANY))
    })
    .await;
    let ada = workspace.signed_in_as("Ada").await;
    for n in (0..MANY).rev() {
        ada.creates(&format!("channel{n:03}")).await;
    }
    for n in 0..MANY {
        let person = workspace.signed_in_as(&format!("Person {n}")).await;
        person.posts("@Ada", "Hello").await;
    }
    let listed = ada.get("/api/channels").await.json();
    let listed = listed["channels"].as_array().expect("channels");
    let names: Vec<_> = listed.iter().filter_map(|it| it["name"].as_str()).collect();
    let channels = (0..MANY).map(|n| format!("channel{n:03}")).chain(["general".into()]);
    let people = (0..MANY).rev().map(|n| format!("@Person {n}"));
    assert_eq!(names, channels.chain(people).collect::<Vec<_>>());
}

/// A list is looked up a few channels at a time, as the client reads it.
#[rocket::async_test]
async fn a_list_that_is_being_read_repeats_and_misses_nothing_while_channels_come_and_go() {
    let files = FileLimits { max_file_bytes: 1, max_message_files: 1, max_total_bytes: 1 };
    let bounds = Bounds { max_channels_per_user: 300, ..Bounds::default() };
    let log = Arc::<Memory>::default();
    let engine = Engine::start(log, Arc::<Blobs>::default(), None, files, bounds).await;
    let engine = engine.expect("an engine");
    let Ok(SignedInAs::New(ada)) =
        engine.sign_in("Ada".parse().expect("a name"), None, Device::default()).await
    else {
        panic!("Ada signs in")
    };
    let ada = engine.session(&ada.token).expect("a session");
    let create = async |name: &str| {
        let name = name.parse().expect("a name");
        engine.create_channel(&ada, name, Topic::default()).await.expect("a channel");
    };
    let names: Vec<_> = (0..200).map(|n| format!("channel{n:03}")).collect();
    for name in &names {
        create(name).await;
    }

    let mut list = engine.channels(&ada).expect("a list").map(|listed| listed.channel.name);
    let first: Vec<_> = list.by_ref().take(70).collect();
    for gone in ["channel010", "channel190"] {
        let gone = ChannelRef::from(gone);
        engine.delete_channel(&ada, &gone).await.expect("it is deleted");
    }
    for new in ["channel005-too", "channel199-too"] {
        create(new).await;
    }

    assert_eq!(first, names[..70]);
    let rest = names[70..].iter().filter(|name| *name != "channel190").cloned();
    let rest = rest.chain(["channel199-too".to_owned(), "general".to_owned()]);
    assert_eq!(list.collect::<Vec<_>>(), rest.collect::<Vec<_>>());
}

#[rocket::async_test]
async fn of_a_hundred_who_create_a_channel_at_once_one_does() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let attempts = (0..100).map(|_| ada.post("/api/channels", json!({ "name": "Launch" })));
    let answers = futures::future::join_all(attempts).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refused(409, "channel-exists")["field"], "name");
    }
}

#[rocket::async_test]
async fn what_is_no_channel_name_is_refused() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let long = "x".repeat(65);
    for name in ["", ".", "..", "two words", "a/b", "#a", "@a", "id:1", "🚀", &long] {
        let answer = ada.post("/api/channels", json!({ "name": name })).await;
        assert_eq!(answer.refused(422, "invalid-channel-name")["field"], "name", "{name:?}");
    }
    let topics = ["x".repeat(251), "two\nlines".into()];
    for topic in topics {
        let answer = ada.post("/api/channels", json!({ "name": "a", "topic": topic })).await;
        assert_eq!(answer.refused(422, "invalid-topic")["field"], "topic");
    }
}

#[rocket::async_test]
async fn what_is_no_channel_is_not_found() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in ["nowhere", "@Bob", "@", "id:7", "id:", "%F0%9F%9A%80", "a%20b"] {
        let slug = if name.starts_with('@') { "no-such-user" } else { "no-such-channel" };
        for path in ["", "/messages", "/events", "/messages/m1"] {
            ada.get(&format!("/api/channels/{name}{path}")).await.refused(404, slug);
        }
        let path = format!("/api/channels/{name}/messages");
        ada.post(&path, json!({ "text": "hi" })).await.refused(404, slug);
    }
}

#[rocket::async_test]
async fn the_topic_is_the_creators_and_generals_is_everybodys() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("ops").await;
    let mut feed = bob.listens("ops").await;

    let set = ada.patch("/api/channels/ops", json!({ "topic": "pagers" })).await;

    assert_eq!(set.json()["topic"], "pagers");
    assert_eq!(feed.next_named("channel-updated").await.data["topic"], "pagers");
    bob.patch("/api/channels/ops", json!({ "topic": "x" })).await.refused(403, "not-yours");
    assert_eq!(bob.patch("/api/channels/general", json!({ "topic": "x" })).await.status, 200);
}

#[rocket::async_test]
async fn a_channel_is_deleted_by_its_creator_with_all_that_it_keeps() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let first = ada.creates("ops").await;
    bob.posts("ops", "secret").await;
    let mut feed = bob.listens("ops").await;
    let mut everywhere = bob.listens_everywhere().await;

    bob.delete("/api/channels/ops").await.refused(403, "not-yours");
    assert_eq!(ada.delete("/api/channels/ops").await.status, 204);

    assert_eq!(feed.next_lasting().await, event("channel-deleted", "ops"));
    feed.ends().await;
    assert_eq!(everywhere.next_named("channel-deleted").await.data, json!({ "name": "ops" }));
    ada.get("/api/channels/ops").await.refused(404, "no-such-channel");
    bob.get("/api/channels/ops/events").await.refused(404, "no-such-channel");

    let second = bob.creates("ops").await;
    assert_ne!(second["id"], first["id"], "a channel of the same name is another channel");
    assert!(bob.reads("ops").await.is_empty());
    let mut resumed = bob.listens_after("ops", &feed.last_id.clone().expect("an id")).await;
    assert_eq!(resumed.next_named("reset").await.data["reason"], "unknown-cursor");
}

#[rocket::async_test]
async fn general_stays() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.delete("/api/channels/general").await.refused(403, "not-allowed");
}

#[rocket::async_test]
async fn channels_survive_a_restart_with_topic_and_creator() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("ops").await;
    ada.creates("gone").await;
    ada.posts("ops", "before the topic").await;
    ada.patch("/api/channels/ops", json!({ "topic": "pagers" })).await;
    ada.delete("/api/channels/gone").await;
    let (token, before) = (ada.token.clone().expect("a token"), ada.channel("ops").await);
    drop(ada);

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    assert_eq!(ada.channel("ops").await, before);
    assert_eq!(ada.reads("ops").await, ["before the topic"]);
    ada.get("/api/channels/gone").await.refused(404, "no-such-channel");
    ada.creates("gone").await;
}

#[rocket::async_test]
async fn unread_counts_what_others_said_since_one_read_it() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "before Bob came").await;
    let bob = workspace.signed_in_as("Bob").await;
    assert_eq!(bob.channel("general").await["unread"], 0, "what was before one came is read");

    let second = ada.posts("general", "hello @bob").await;
    let third = ada.posts("general", "still there?").await;
    bob.posts("general", "yes").await;
    let general = bob.channel("general").await;
    assert_eq!((&general["unread"], &general["mentions"]), (&json!(2), &json!(1)));

    let mut everywhere = bob.listens_everywhere().await;
    let read = bob.put("/api/channels/general/read", json!({ "message": third["id"] })).await;
    assert_eq!(read.status, 204);
    let activity = everywhere.next_named("activity").await.data;
    assert_eq!((&activity["channel"], &activity["unread"]), (&json!("general"), &json!(0)));

    bob.put("/api/channels/general/read", json!({ "message": second["id"] })).await;
    assert_eq!(bob.channel("general").await["unread"], 1, "later ones are unread again");
    let unknown = bob.put("/api/channels/general/read", json!({ "message": "nothing" })).await;
    unknown.refused(404, "no-such-message");
    let none = bob.put("/api/channels/general/read", json!({ "message": "a b" })).await;
    assert_eq!(none.refused(422, "invalid-message-id")["field"], "message");
}
