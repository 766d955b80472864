//! Tests of direct conversations: they belong to two users, and do not exist for anybody else.

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
    assert_eq!((&to_ada["with"], &bob.channel("@Ada").await["with"]), (&bob.user, &ada.user));
    assert_eq!(message["channel"], id_of(&to_ada), "the same for both");
    assert_eq!(to_bob.next_lasting().await, event("message", "between us"));
    assert_eq!(bob.reads(&id_of(&to_ada)).await, ["between us"]);
    assert_eq!(listed(&bob).await, ["general", "@Ada"]);
    assert_eq!(bob.channel("@Ada").await["unread"], 1);
}

#[rocket::async_test]
async fn whatever_somebody_is_called_a_message_to_them_has_an_address() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    workspace.signed_in_as("B\u{f6}b? 50% & #1").await;
    let path = "/api/channels/@B%C3%B6b%3F%2050%25%20%26%20%231/messages";
    let sent = ada.post(path, json!({ "text": "between us" })).await;
    let (location, id) = (sent.header("Location").expect("an address"), &sent.json()["id"]);
    assert_eq!(location, format!("{path}/{}", id.as_str().expect("an id")));
    assert_eq!(ada.get(location).await.json(), sent.json());
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
    assert_eq!(ada.channel(&id_of(&channel)).await, channel, "its id is known already");
    for nobody in ["@Nobody", "@", "@%2F"] {
        ada.get(&format!("/api/channels/{nobody}")).await.refused(404, "no-such-user");
    }
    ada.posts(&id_of(&channel), "hello").await;
    assert_eq!(ada.reads("@Bob").await, ["hello"]);
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

#[rocket::async_test]
async fn who_was_renamed_and_left_without_a_word_is_shown_under_the_last_name() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "hello?").await;
    let id = id_of(&ada.channel("@Bob").await);
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    bob.delete("/api/session").await;
    assert_eq!(ada.channel(&id).await["name"], "@Robert");
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));
    let workspace = workspace.restarted().await;
    assert_eq!(workspace.holder_of(&token).channel(&id).await["name"], "@Robert");
}
