//! Direct conversations: for two, and to anybody else not there.

use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Person, Workspace, event};

fn id_of(channel: &Value) -> String {
    format!("id:{}", channel["id"].as_str().expect("an id"))
}

async fn listed(person: &Person) -> Vec<String> {
    let channels = person.get("/api/channels").await.json()["channels"].clone();
    let channels = channels.as_array().expect("channels").clone();
    channels.iter().map(|channel| channel["name"].as_str().expect("a name").to_owned()).collect()
}

#[rocket::async_test]
async fn two_talk_under_each_others_name() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut to_bob = bob.listens("@Ada").await;

    let message = ada.posts("@bob", "between us").await;

    let to_ada = ada.channel("@Bob").await;
    assert_eq!((&to_ada["name"], &to_ada["kind"]), (&json!("@Bob"), &json!("direct")));
    assert_eq!(bob.channel("@Ada").await["name"], "@Ada");
    assert_eq!(message["channel"], id_of(&to_ada), "the same for both");
    assert_eq!(to_bob.next_lasting().await, event("message", "between us"));
    assert_eq!(bob.reads(&id_of(&to_ada)).await, ["between us"]);
    assert_eq!(listed(&bob).await, ["general", "@Ada"]);
    assert_eq!(bob.channel("@Ada").await["unread"], 1);
}

#[rocket::async_test]
async fn before_its_first_message_a_conversation_reads_as_empty() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    workspace.signed_in_as("Bob").await;
    assert!(ada.reads("@Bob").await.is_empty());
    let channel = ada.channel("@Bob").await;
    assert_eq!((&channel["created_at"], &channel["unread"]), (&json!(null), &json!(0)));
    assert_eq!(listed(&ada).await, ["general"]);
    ada.get("/api/channels/@Nobody").await.refused(404, "no-such-channel");
}

#[rocket::async_test]
async fn one_can_keep_notes_to_oneself() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("@Ada", "remember").await;
    assert_eq!(ada.reads("@ada").await, ["remember"]);
    assert_eq!(listed(&ada).await, ["general", "@Ada"]);
}

#[rocket::async_test]
async fn the_latest_conversation_comes_first() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in ["Bob", "Carol"] {
        workspace.signed_in_as(name).await;
        ada.posts(&format!("@{name}"), "hi").await;
    }
    assert_eq!(listed(&ada).await, ["general", "@Carol", "@Bob"]);
    ada.posts("@Bob", "hi again").await;
    assert_eq!(listed(&ada).await, ["general", "@Bob", "@Carol"]);
}

#[rocket::async_test]
async fn a_conversation_belongs_to_the_two_and_not_to_their_names() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "to the first Bob").await;
    let old = id_of(&ada.channel("@Bob").await);
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    assert_eq!(ada.reads("@Robert").await, ["to the first Bob"], "found under the new name");
    assert_eq!(ada.channel(&old).await["name"], "@Robert");

    bob.delete("/api/session").await;
    let other = workspace.signed_in_as("Robert").await;

    assert!(ada.reads("@Robert").await.is_empty(), "a new conversation");
    assert!(other.reads("@Ada").await.is_empty());
    other.get(&format!("/api/channels/{old}")).await.refused(404, "no-such-channel");
    assert_eq!(ada.reads(&old).await, ["to the first Bob"], "the old one stays readable");
    let token = ada.token.clone().expect("a token");
    drop((ada, bob, other));

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(ada.reads(&old).await, ["to the first Bob"]);
}

#[rocket::async_test]
async fn it_cannot_be_deleted_or_given_a_topic() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    workspace.signed_in_as("Bob").await;
    ada.posts("@Bob", "hi").await;
    ada.delete("/api/channels/@Bob").await.refused(403, "not-allowed");
    let topic = ada.patch("/api/channels/@Bob", json!({ "topic": "us" })).await;
    topic.refused(403, "not-allowed");
}

#[rocket::async_test]
async fn the_one_cannot_delete_what_the_other_wrote() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("@Bob", "m1", "mine").await;
    bob.delete("/api/channels/@Ada/messages/m1").await.refused(403, "not-yours");
}

/// Every route below a channel, taken from what is mounted, so that a new one is tried too.
#[rocket::async_test]
async fn to_a_third_person_it_is_as_if_it_were_not_there() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    ada.puts("@Bob", "m1", "secret").await;
    let id = id_of(&ada.channel("@Bob").await);

    let mut tried = 0;
    for (method, path) in workspace.routes() {
        if !path.contains("<channel>") {
            continue;
        }
        let body = match method {
            Method::Put if path.ends_with("/read") => json!({ "message": "m1" }),
            Method::Patch => json!({ "topic": "x" }),
            _ => json!({ "text": "x" }),
        };
        let ask = |channel: &str| {
            let path =
                path.replace("<channel>", channel).replace("<id>", "m1").replace("<reaction>", "x");
            let path = path.split('?').next().expect("a path").to_owned();
            let (eve, body) = (eve.clone(), body.to_string());
            async move {
                let json = [("Content-Type", "application/json")];
                let answer = eve.asks(method, &path, &json, body).await;
                (answer.status, answer.text)
            }
        };
        assert_eq!(ask(&id).await, ask("id:0").await, "{method} {path}");
        assert_eq!(ask(&id).await.0, 404, "{method} {path}");
        tried += 1;
    }
    assert!(tried >= 10, "the routes were found: {tried}");
    assert_eq!(ada.reads("@Bob").await, ["secret"]);
    drop(bob);
}

#[rocket::async_test]
async fn no_stream_of_a_third_person_says_anything_of_it() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    let (mut everywhere, mut general) =
        (eve.listens_everywhere().await, eve.listens("general").await);
    let mut bobs = bob.listens_everywhere().await;

    ada.puts("@Bob", "m1", "secret").await;
    ada.puts("@Bob", "m1", "edited secret").await;
    let id = id_of(&ada.channel("@Bob").await);
    bob.put(&format!("/api/channels/{id}/read"), json!({ "message": "m1" })).await;
    ada.deletes("@Bob", "m1").await;
    ada.creates("end").await;
    ada.posts("general", "end").await;

    assert_eq!(bobs.next_named("channel-created").await.data["name"], "@Ada");
    assert_eq!(bobs.next_named("activity").await.data["channel"], "@Ada");
    let (name, said) = everywhere.next_lasting().await;
    assert_eq!(name, "channel-created", "{said}");
    let end = ada.channel("end").await;
    assert_eq!(said, end["id"].as_str().expect("an id"));
    assert_eq!(general.next_lasting().await, event("message", "end"));
    let known: Vec<_> = listed(&eve).await;
    assert_eq!(known, ["end", "general"]);
}
