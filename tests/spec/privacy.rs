//! Tests that a third user learns nothing of a direct conversation, on any route or stream that is
//! mounted: a new route is tried, too, or fails here.

use std::collections::BTreeSet;

use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{BROWSER, Person, Workspace, event};

/// Ada and Bob, who have a direct conversation, and Eve, who is not in it.
struct Three {
    workspace: Workspace,
    ada: Person,
    bob: Person,
    eve: Person,
}

/// The names and ids of things in Ada's and Bob's conversation.
struct Secret {
    channel: String,
    attachment: String,
    telling: Vec<String>,
}

impl Three {
    async fn meet() -> Self {
        let workspace = Workspace::start().await;
        let ada = workspace.signed_in_as("Ada").await;
        let (bob, eve) = (workspace.signed_in_as("Bob").await, workspace.signed_in_as("Eve").await);
        Self { workspace, ada, bob, eve }
    }

    async fn talk(&self) -> Secret {
        let path = "/api/channels/@Bob/messages/m1";
        let message = self.ada.sends_as(Method::Put, path, "hushhush", &[("plan.txt", b"plot")]);
        let message = message.await.json();
        let channel = self.ada.channel("@Bob").await["id"].as_str().expect("an id").to_owned();
        let attachment = message["attachments"][0]["id"].as_str().expect("an id").to_owned();
        let telling = ["hushhush", "plan.txt", "plot", &channel, &attachment];
        let telling = telling.map(ToOwned::to_owned).to_vec();
        Secret { channel, attachment, telling }
    }
}

/// The formats in which a channel is sent, but for its stream, which never ends.
const FORMATS: [&str; 3] = ["*/*", BROWSER, "application/x-ndjson"];

/// Fills in a route's parameters; an unknown parameter fails the test.
fn filled(route: &str, channel: &str, attachment: &str) -> String {
    let (path, query) = route.split_once('?').unwrap_or((route, ""));
    let is_file = path.contains("/attachments/");
    let filled = path.split('/').map(|segment| match segment {
        "<channel>" | "<name>" => channel,
        "<id>" if is_file => attachment,
        "<id>" => "m1",
        "<_filename>" | "<filename>" => "plan.txt",
        "<reaction>" => "x",
        "<slug>" => "not-found",
        "<secret>" => "invented",
        known if !known.starts_with('<') => known,
        unknown => panic!("{route}: what can {unknown} be? Say so here."),
    });
    let filled = filled.collect::<Vec<_>>().join("/");
    match query {
        "" => filled,
        "<q>" => format!("{filled}?q=hushhush"),
        unknown => panic!("{route}: what can {unknown} be? Say so here."),
    }
}

fn body(method: Method, path: &str) -> Value {
    match method {
        Method::Put if path.ends_with("/read") => json!({ "message": "m1" }),
        Method::Patch if path.ends_with("/mine") => json!({ "starred": true }),
        Method::Patch if path.ends_with("/session") => json!({ "display_name": "Eve" }),
        Method::Patch => json!({ "topic": "x", "paused": true }),
        _ => {
            let url = "https://bot.example/";
            json!({ "text": "x", "name": "own", "display_name": "Eve", "url": url })
        }
    }
}

#[rocket::async_test]
async fn no_route_tells_a_third_person_anything() {
    let three = Three::meet().await;
    let secret = three.talk().await;
    let asked = async |method: Method, path: &str, accept: &str| {
        let json = [("Content-Type", "application/json"), ("Accept", accept)];
        let answer = three.eve.asks(method, path, &json, body(method, path).to_string()).await;
        (answer.status, answer.text)
    };
    let mut tried = BTreeSet::new();
    for (method, route) in three.workspace.routes() {
        // Signing out would end the test; a stream never ends, and has a test of its own.
        let signs_out = (method == Method::Delete && route.ends_with("/session"))
            || route.ends_with("/sign-out");
        let is_stream = route.ends_with("/events");
        if signs_out || route.starts_with("/static") {
            continue;
        }
        let at = |channel: &str, attachment: &str| filled(&route, channel, attachment);
        let real = at(&format!("id:{}", secret.channel), &secret.attachment);
        let nowhere = at("id:0", "0");
        if is_stream && real == nowhere {
            continue;
        }
        for accept in FORMATS {
            let (status, text) = asked(method, &real, accept).await;
            for telling in &secret.telling {
                // What was asked may be in the answer, where it says that there is no such thing.
                let told = text.replace(&real, "");
                assert!(!told.contains(telling), "{method} {route} tells {telling}: {text}");
            }
            if real != nowhere {
                let refused = asked(method, &nowhere, accept).await;
                let same = |text: &str| {
                    text.replace(&secret.channel, "0").replace(&secret.attachment, "0")
                };
                assert_eq!((status, same(&text)), (refused.0, same(&refused.1)), "{route}");
            }
        }
        tried.insert((method.as_str(), route.clone()));
    }
    assert!(tried.len() >= 30, "the routes were found: {tried:?}");
    let (messages, _) = three.bob.history("@Ada").await;
    assert_eq!(messages.len(), 1, "and nothing was changed");
    assert_eq!((&messages[0]["text"], &messages[0]["reactions"]), (&json!("hushhush"), &json!([])));
}

/// Not even to the two whose conversation it is, and not to whoever deleted it.
#[rocket::async_test]
async fn no_route_tells_anybody_of_a_deleted_message() {
    let three = Three::meet().await;
    let secret = three.talk().await;
    three.ada.deletes("@Bob", "m1").await;
    let content = ["hushhush", "plan.txt", "plot", &secret.attachment];
    let mut tried = BTreeSet::new();
    for (method, route) in three.workspace.routes() {
        // A stream never ends, and has a test of its own.
        if method != Method::Get || route.ends_with("/events") || route.starts_with("/static") {
            continue;
        }
        let path = filled(&route, &format!("id:{}", secret.channel), &secret.attachment);
        let asks = [&three.ada, &three.bob, &three.eve].into_iter();
        for (person, accept) in asks.flat_map(|person| FORMATS.map(|accept| (person, accept))) {
            let answer = person.asks(method, &path, &[("Accept", accept)], "").await;
            // What was asked may be in the answer, where it says that there is no such thing.
            let told = answer.text.replace(&path, "");
            for telling in content {
                assert!(!told.contains(telling), "{route} tells {telling}: {}", answer.text);
            }
        }
        tried.insert(route);
    }
    assert!(tried.len() >= 15, "the routes were found: {tried:?}");
    let restored = three.ada.restores(&format!("id:{}", secret.channel), "m1").await;
    assert_eq!(restored["text"], "hushhush");
}

#[rocket::async_test]
async fn no_stream_tells_a_third_person_anything() {
    let three = Three::meet().await;
    let streams = three.workspace.routes().into_iter();
    let streams =
        streams.filter(|(method, route)| *method == Method::Get && route.ends_with("/events"));
    let streams: Vec<_> = streams.map(|(_, route)| filled(&route, "general", "0")).collect();
    assert_eq!(streams.len(), 2, "each is listened to here: {streams:?}");
    let mut everywhere = three.eve.listens_everywhere().await;
    let mut general = three.eve.listens("general").await;
    let mut bobs = three.bob.listens_everywhere().await;

    let secret = three.talk().await;
    let id = format!("id:{}", secret.channel);
    let (ada, bob) = (&three.ada, &three.bob);
    ada.puts("@Bob", "m1", "edited hushhush").await;
    bob.put(&format!("/api/channels/{id}/messages/m1/reactions/x"), json!({})).await;
    bob.post(&format!("/api/channels/{id}/typing"), json!({})).await;
    bob.put(&format!("/api/channels/{id}/read"), json!({ "message": "m1" })).await;
    bob.patch(&format!("/api/channels/{id}/mine"), json!({ "hidden": true })).await;
    bob.patch("/api/channels/general/mine", json!({ "starred": true })).await;
    ada.puts("@Bob", "m2", "shown again").await;
    ada.post("/api/sessions", json!({ "name": "script" })).await;
    ada.deletes("@Bob", "m1").await;
    ada.restores("@Bob", "m1").await;
    ada.deletes("@Bob", "m1").await;
    ada.creates("end").await;
    ada.posts("general", "end").await;

    assert_eq!(bobs.next_named("channel-created").await.data["name"], "@Ada");
    assert_eq!(bobs.next_named("channel-updated").await.data["name"], "@Ada");
    assert_eq!(bobs.next_named("activity").await.data["channel"], "@Ada");
    let (name, said) = everywhere.next_lasting().await;
    assert_eq!(name, "channel-created", "{said}");
    let end = ada.channel("end").await;
    assert_eq!(said, end["id"].as_str().expect("an id"));
    assert_eq!(general.next_lasting().await, event("message", "end"));
}
