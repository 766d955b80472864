//! Tests of reactions and typing.

use rocket::http::RawStr;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Workspace};

fn path(id: &str, reaction: &str) -> String {
    let reaction = RawStr::new(reaction).percent_encode();
    format!("/api/channels/general/messages/{id}/reactions/{reaction}")
}

async fn reacts(person: &Person, reaction: &str) -> Answer {
    person.put(&path("m1", reaction), json!({})).await
}

async fn reactions(person: &Person) -> Value {
    person.get("/api/channels/general/messages/m1").await.json()["reactions"].clone()
}

#[rocket::async_test]
async fn a_reaction_names_who_gave_it_in_order_and_can_be_taken_back() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "go?").await;
    let mut feed = ada.listens("general").await;

    assert_eq!(reacts(&bob, "👍").await.status, 204);
    let updated = feed.next_named("message-updated").await.data;
    assert_eq!(updated["reactions"], json!([{ "reaction": "👍", "users": [bob.user] }]));
    assert!(updated["edited_at"].is_null(), "reacting is no edit");
    assert_eq!(reacts(&ada, "👍").await.status, 204);
    assert_eq!(reacts(&ada, "go!").await.status, 204);
    let all = json!([
        { "reaction": "👍", "users": [bob.user, ada.user] },
        { "reaction": "go!", "users": [ada.user] },
    ]);
    assert_eq!(reactions(&bob).await, all);

    assert_eq!(reacts(&ada, "👍").await.status, 204, "again changes nothing");
    assert_eq!(reactions(&bob).await, all);
    assert_eq!(ada.delete(&path("m1", "go!")).await.status, 204);
    assert_eq!(bob.delete(&path("m1", "👍")).await.status, 204);
    assert_eq!(bob.delete(&path("m1", "👍")).await.status, 204, "and again");
    assert_eq!(reactions(&bob).await, json!([{ "reaction": "👍", "users": [ada.user] }]));
}

#[rocket::async_test]
async fn a_reaction_is_the_same_however_it_is_written_and_shown_as_it_was_first() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "go?").await;
    for (first, other) in [
        ("❤\u{FE0F}", "❤"),
        ("❤", "❤\u{FE0F}"),
        ("1\u{FE0F}\u{20E3}", "1\u{20E3}"),
        ("🏳\u{200D}🌈", "🏳\u{FE0F}\u{200D}🌈"),
        ("☺\u{FE0F}", "☺"),
        ("é", "e\u{301}"),
        ("か\u{3099}", "が"),
        ("가", "\u{1100}\u{1161}"),
    ] {
        assert_eq!(reacts(&ada, first).await.status, 204);
        assert_eq!(reacts(&bob, other).await.status, 204);
        assert_eq!(reacts(&ada, other).await.status, 204);
        let both = json!([{ "reaction": first, "users": [ada.user, bob.user] }]);
        assert_eq!(reactions(&ada).await, both, "{first:?}");

        assert_eq!(ada.delete(&path("m1", other)).await.status, 204);
        let left = json!([{ "reaction": first, "users": [bob.user] }]);
        assert_eq!(reactions(&ada).await, left, "{first:?}");
        assert_eq!(bob.delete(&path("m1", first)).await.status, 204);
        assert_eq!(reactions(&ada).await, json!([]), "{first:?}");
    }
    for different in ["👍", "👍🏻", "👍🏿", "☺", "☺\u{FE0E}"] {
        assert_eq!(reacts(&ada, different).await.status, 204);
    }
    assert_eq!(reactions(&ada).await.as_array().map(Vec::len), Some(5));
}

#[rocket::async_test]
async fn who_only_reacted_is_shown_under_the_last_name() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    ada.puts("general", "m1", "go?").await;
    assert_eq!(reacts(&bob, "👍").await.status, 204);
    assert_eq!(eve.post("/api/channels", json!({ "name": "eves" })).await.status, 201);
    for (person, name) in [(&bob, "Robert"), (&eve, "Eva")] {
        person.patch("/api/session", json!({ "display_name": name })).await;
        person.delete("/api/session").await;
    }
    let token = ada.token.clone().expect("a token");
    drop((ada, bob, eve));

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    assert_eq!(reactions(&ada).await[0]["users"][0]["display_name"], "Robert");
    assert_eq!(ada.channel("eves").await["created_by"], json!(null), "she is no user any more");
}

fn named(person: &Person, name: &str) -> Value {
    json!({ "id": person.id(), "display_name": name, "bot": false })
}

#[rocket::async_test]
async fn reactions_stay_through_edits_renames_and_restarts_and_go_with_the_message() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "helo").await;
    reacts(&bob, "❤️").await;
    ada.puts("general", "m1", "hello").await;
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    let robert = json!([{ "reaction": "❤️", "users": [named(&bob, "Robert")] }]);
    assert_eq!(reactions(&ada).await, robert);
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(reactions(&ada).await, robert);
    assert_eq!(ada.reads("general").await, ["hello"]);
    ada.deletes("general", "m1").await;
    ada.puts("general", "m1", "anew").await;
    assert_eq!(reactions(&ada).await, json!([]));
}

#[rocket::async_test]
async fn many_who_react_at_once_are_all_counted() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.puts("general", "m1", "go?").await;
    let names: Vec<_> = (0..60).map(|n| format!("Guest {n}")).collect();
    let guests = names.iter().map(|name| workspace.signed_in_as(name));
    let guests = futures::future::join_all(guests).await;
    let answers = futures::future::join_all(guests.iter().map(|guest| reacts(guest, "👍"))).await;
    assert!(answers.iter().all(|answer| answer.status == 204), "{answers:?}");
    let given = reactions(&ada).await;
    assert_eq!(given[0]["users"].as_array().map(Vec::len), Some(60));
}

#[rocket::async_test]
async fn what_is_no_reaction_is_refused() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.puts("general", "m1", "go?").await;
    let long = "x".repeat(17);
    for reaction in [" ", " x", "a\u{202e}", &long] {
        reacts(&ada, reaction).await.refused(422, "invalid-reaction");
    }
    let not_utf8 = path("m1", "x").replace("/x", "/%FF");
    ada.put(&not_utf8, json!({})).await.refused(422, "invalid-reaction");
    let nothing = ada.put(&path("m2", "👍"), json!({})).await;
    nothing.refused(404, "no-such-message");
}

#[rocket::async_test]
async fn typing_is_seen_and_leaves_nothing() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut feed = ada.listens("general").await;
    assert_eq!(bob.post("/api/channels/general/typing", json!({})).await.status, 204);
    let typing = feed.next_named("typing").await;
    assert_eq!((typing.data, typing.id), (json!({ "user": bob.user }), None));
    assert!(ada.history("general").await.0.is_empty());
}
