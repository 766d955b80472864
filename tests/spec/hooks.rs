//! Tests of incoming hooks: who may make and delete them, and what programs post to them.

use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Workspace};

const FORM: &str = "application/x-www-form-urlencoded";

/// Makes a hook, and returns it with the path to post to.
async fn hook(person: &Person, channel: &str, name: &str) -> (Value, String) {
    let path = format!("/api/channels/{channel}/hooks");
    let made = person.post(&path, json!({ "name": name })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let hook = made.json();
    let location = format!("{path}/{}", hook["id"].as_str().expect("an id"));
    assert_eq!(made.header("Location"), Some(&*location));
    let url = hook["url"].as_str().expect("an address");
    let at = url.find("/hooks/").expect("a path");
    let to = url[at..].to_owned();
    (hook, to)
}

async fn deliver(workspace: &Workspace, to: &str, kind: &str, body: impl AsRef<[u8]>) -> Answer {
    let kind = [("Content-Type", kind)];
    workspace.visitor().asks(Method::Post, to, &kind, body).await
}

async fn delivers(workspace: &Workspace, to: &str, payload: Value) {
    let answer = deliver(workspace, to, "application/json", payload.to_string()).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"), "{payload}");
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")));
}

async fn last(person: &Person, channel: &str) -> Value {
    person.history(channel).await.0.pop().expect("a message")
}

#[rocket::async_test]
async fn what_a_program_posts_is_a_message_of_the_hook() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (hook, to) = hook(&ada, "general", "CI").await;
    assert_eq!((&hook["name"], &hook["channel"]), (&json!("CI"), &json!("general")));
    assert_eq!((&hook["created_by"], &hook["deliveries"]), (&ada.user, &json!([])));
    let mut feed = ada.listens("general").await;

    delivers(&workspace, &to, json!({ "text": "*green* <https://ci.example|#7>" })).await;

    let message = last(&ada, "general").await;
    assert_eq!(message["text"], "**green** [#7](https://ci.example)");
    assert_eq!(message["author"], json!({ "id": hook["id"], "display_name": "CI", "bot": true }));
    assert_eq!(message["hook"], json!({ "icon": null }));
    while feed.next().await.expect("an event").name != "message" {}
    let said = ada.posts("general", "thanks").await;
    assert!(said.get("hook").is_none(), "{said}");
    let channel = workspace.signed_in_as("Bob").await.channel("general").await;
    assert_eq!(channel["unread"], 0);
    delivers(&workspace, &to, json!({ "text": "again" })).await;
    assert_eq!(ada.channel("general").await["unread"], 2);
}

#[rocket::async_test]
async fn a_username_is_shown_and_belongs_to_nobody() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (hook, to) = hook(&ada, "general", "CI").await;
    for (username, icon, name, emoji) in [
        (json!("Deploy Bot"), json!(":rocket:"), "Deploy Bot", json!("🚀")),
        (json!("Ada"), json!("🎉"), "Ada", json!("🎉")),
        (json!("org/repo"), json!(":no_such_thing:"), "org repo", Value::Null),
        (json!("\u{202E}"), json!(null), "CI", Value::Null),
        (json!(null), json!(7), "CI", Value::Null),
        (json!("x".repeat(40)), json!([]), "x".repeat(32).leak(), Value::Null),
    ] {
        let payload = json!({ "text": "hi @Deploy", "username": username, "icon_emoji": icon });
        delivers(&workspace, &to, payload).await;
        let message = last(&ada, "general").await;
        assert_eq!(message["author"]["display_name"], name);
        assert_eq!((&message["author"]["id"], &message["hook"]["icon"]), (&hook["id"], &emoji));
    }
    let said = ada.posts("general", "@CI and @Deploy Bot").await;
    assert!(!said["html"].as_str().expect("HTML").contains("data-user"), "{said}");
    let users = ada.get("/api/users").await.json();
    assert_eq!(users["users"].as_array().expect("users").len(), 1, "{users}");
    // The names of earlier messages stay.
    let names: Vec<_> = ada.history("general").await.0;
    assert_eq!(names[0]["author"]["display_name"], "Deploy Bot");
}

#[rocket::async_test]
async fn a_hook_mentions_people_and_is_not_edited() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, to) = hook(&ada, "general", "CI").await;
    let bob = workspace.signed_in_as("Bob").await;
    delivers(&workspace, &to, json!({ "text": "<@U1|Bob> look, <!here>" })).await;
    assert_eq!(bob.channel("general").await["mentions"], 1);
    let message = last(&ada, "general").await;
    assert_eq!(message["text"], "@Bob look, @here");
    let id = message["id"].as_str().expect("an id");
    ada.puts("general", id, "changed").await.refused(403, "not-yours");
    let path = format!("/api/channels/general/messages/{id}");
    bob.delete(&path).await.refused(403, "not-yours");
    assert_eq!(bob.put(&format!("{path}/reactions/+1"), json!({})).await.status, 204);
    ada.deletes("general", id).await;
    ada.restores("general", id).await;
    let message = last(&bob, "general").await;
    assert_eq!(message["author"]["display_name"], "CI", "{message}");
    assert_eq!(message["reactions"][0]["reaction"], "+1");
}

#[rocket::async_test]
async fn bodies_come_in_every_form() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, to) = hook(&ada, "general", "CI").await;
    for (kind, body) in [
        ("application/json", r#"{"text": "hi é"}"#),
        ("application/json; charset=iso-8859-1", r#"{"text": "hi é"}"#),
        (FORM, "payload=%7B%22text%22%3A%22hi+%C3%A9%22%7D"),
        (FORM, r#"{"text": "hi é"}"#),
        ("text/plain", "hi é"),
        ("text/plain; charset=utf-8", r#"{"text": "hi é"}"#),
    ] {
        let answer = deliver(&workspace, &to, kind, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok"), "{kind} {body}");
        assert_eq!(last(&ada, "general").await["text"], "hi é", "{kind} {body}");
    }
    for (kind, body, status, word) in [
        ("application/json", "{", 400, "invalid_payload"),
        ("application/json", "[]", 400, "invalid_payload"),
        (FORM, "hi", 400, "invalid_payload"),
        (FORM, "payload=hi", 400, "invalid_payload"),
        ("image/png", "hi", 400, "invalid_payload"),
        ("application/json", "{}", 400, "no_text"),
        ("application/json", r#"{"text": " \u200b"}"#, 400, "no_text"),
        ("application/json", r#"{"attachments": [{"color": "good"}]}"#, 400, "no_text"),
        ("text/plain", " \n", 400, "no_text"),
    ] {
        let answer = deliver(&workspace, &to, kind, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, word), "{kind} {body}");
    }
    let large = json!({ "text": "x".repeat(70_000) }).to_string();
    assert_eq!(deliver(&workspace, &to, "application/json", large).await.status, 413);
    let unknown = deliver(&workspace, "/hooks/unknown", "application/json", "{}").await;
    assert_eq!((unknown.status, unknown.text.as_str()), (404, "no_service"));
}

#[rocket::async_test]
async fn a_text_that_is_too_long_is_cut() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, to) = hook(&ada, "general", "CI").await;
    for (sent, cut) in [(4_000, false), (4_001, true), (20_000, true)] {
        delivers(&workspace, &to, json!({ "text": "é".repeat(sent) })).await;
        let message = last(&ada, "general").await;
        let text = message["text"].as_str().expect("a text");
        assert_eq!((text.chars().count(), text.ends_with('…')), (4_000, cut));
    }
}

#[rocket::async_test]
async fn attachments_are_cards_and_pictures_are_links() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, to) = hook(&ada, "general", "CI").await;
    let payload = json!({ "attachments": [{
        "title": "Build 7", "title_link": "https://ci.example/7", "text": "<b>", "color": "danger",
        "fields": [{ "title": "By", "value": "Ada", "short": true }], "footer": "CI",
        "image_url": "https://ci.example/7.png",
    }] });
    delivers(&workspace, &to, payload).await;
    let message = last(&ada, "general").await;
    let html = message["html"].as_str().expect("HTML");
    assert!(
        html.starts_with("<section data-hue=\"2\">") && html.contains("<dl><div><dt>"),
        "{html}"
    );
    assert!(html.contains("&lt;b&gt;") && html.contains("<footer>"), "{html}");
    assert!(!html.contains("<img") && html.contains("https://ci.example/7.png"), "{html}");
    let text = "**[Build 7](https://ci.example/7)**\n\n<b>\n\n**By**: Ada\n\n\
                [Image](https://ci.example/7.png)\n\nCI";
    assert_eq!(message["text"], text);
}

#[rocket::async_test]
async fn the_last_ten_deliveries_are_told() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (hook, to) = hook(&ada, "general", "CI").await;
    for n in 0..11 {
        delivers(&workspace, &to, json!({ "text": n.to_string() })).await;
    }
    deliver(&workspace, &to, "application/json", "{").await;
    let id = hook["id"].as_str().expect("an id");
    let shown = ada.get(&format!("/api/channels/general/hooks/{id}")).await.json();
    let deliveries = shown["deliveries"].as_array().expect("deliveries");
    assert_eq!(deliveries.len(), 10);
    assert_eq!((&deliveries[0]["status"], &deliveries[0]["bytes"]), (&json!(400), &json!(1)));
    assert!(deliveries[0]["problem"].is_string() && deliveries[0]["at"].is_string(), "{shown}");
    assert_eq!((&deliveries[1]["status"], &deliveries[1]["problem"]), (&json!(200), &Value::Null));
    assert_eq!(shown["url"], hook["url"]);
}

#[rocket::async_test]
async fn a_hook_is_deleted_by_its_maker_or_the_channels_creator() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (bob, eve) = (workspace.signed_in_as("Bob").await, workspace.signed_in_as("Eve").await);
    ada.creates("ops").await;
    let (first, to) = hook(&bob, "ops", "one").await;
    let (second, _) = hook(&bob, "ops", "two").await;
    let path =
        |hook: &Value| format!("/api/channels/ops/hooks/{}", hook["id"].as_str().expect("it"));
    for (person, sees) in [(&ada, true), (&bob, true), (&eve, false)] {
        let shown = person.get(&path(&first)).await.json();
        assert_eq!(shown["url"].is_string(), sees, "{shown}");
        let listed = person.get("/api/channels/ops/hooks").await.json();
        assert_eq!(listed["hooks"].as_array().map(Vec::len), Some(2));
        assert_eq!(listed["hooks"][0], shown);
    }
    eve.delete(&path(&first)).await.refused(403, "not-yours");
    delivers(&workspace, &to, json!({ "text": "before" })).await;
    assert_eq!(ada.delete(&path(&first)).await.status, 204);
    assert_eq!(bob.delete(&path(&second)).await.status, 204);
    bob.get(&path(&first)).await.refused(404, "no-such-hook");
    bob.delete(&path(&first)).await.refused(404, "no-such-hook");
    ada.get("/api/channels/general/hooks/nothing").await.refused(404, "no-such-hook");
    let gone = deliver(&workspace, &to, "text/plain", "after").await;
    assert_eq!((gone.status, gone.text.as_str()), (404, "no_service"));
    assert_eq!(last(&eve, "ops").await["author"]["display_name"], "one", "what it wrote stays");

    // Whoever made it may delete what it wrote, and anybody where nobody is left to.
    let (third, to) = hook(&bob, "general", "three").await;
    delivers(&workspace, &to, json!({ "text": "x" })).await;
    let id = last(&bob, "general").await["id"].as_str().expect("an id").to_owned();
    eve.delete(&format!("/api/channels/general/messages/{id}")).await.refused(403, "not-yours");
    bob.deletes("general", &id).await;
    let path = format!("/api/channels/general/hooks/{}", third["id"].as_str().expect("an id"));
    eve.delete(&path).await.refused(403, "not-yours");
    assert_eq!(bob.delete("/api/session").await.status, 204);
    assert_eq!(eve.get(&path).await.json()["created_by"], Value::Null);
    assert_eq!(eve.delete(&path).await.status, 204);
}

#[rocket::async_test]
async fn a_hook_of_a_direct_conversation_is_its_twos_alone() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (bob, eve) = (workspace.signed_in_as("Bob").await, workspace.signed_in_as("Eve").await);
    let (made, to) = hook(&ada, "@Bob", "CI").await;
    let channel = made["channel"].as_str().expect("a channel").to_owned();
    assert!(channel.starts_with("id:"), "{made}");
    delivers(&workspace, &to, json!({ "text": "between us" })).await;
    assert_eq!(last(&bob, "@Ada").await["text"], "between us");
    let path = format!("/api/channels/{channel}/hooks");
    let one = format!("{path}/{}", made["id"].as_str().expect("an id"));
    for address in [&path, &one] {
        eve.get(address).await.refused(404, "no-such-channel");
    }
    eve.delete(&one).await.refused(404, "no-such-channel");
    eve.post(&path, json!({ "name": "CI" })).await.refused(404, "no-such-channel");
    assert_eq!(bob.get(&one).await.json()["url"], made["url"]);
    assert_eq!(bob.delete(&one).await.status, 204);
}

#[rocket::async_test]
async fn hooks_outlive_restarts_and_go_with_their_channel() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("ops").await;
    let (kept, to) = hook(&ada, "ops", "CI").await;
    let (gone, to_gone) = hook(&ada, "ops", "old").await;
    delivers(&workspace, &to_gone, json!({ "text": "*hi*", "username": "U" })).await;
    let gone = format!("/api/channels/ops/hooks/{}", gone["id"].as_str().expect("an id"));
    assert_eq!(ada.delete(&gone).await.status, 204);
    let (token, before) = (ada.token.clone().expect("a token"), last(&ada, "ops").await);
    drop(ada);
    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    let listed = ada.get("/api/channels/ops/hooks").await.json();
    assert_eq!(listed["hooks"], json!([kept]));
    assert_eq!(last(&ada, "ops").await, before);
    delivers(&workspace, &to, json!({ "text": "again" })).await;
    assert_eq!(ada.delete("/api/channels/ops").await.status, 204);
    let answer = deliver(&workspace, &to, "text/plain", "x").await;
    assert_eq!((answer.status, answer.text.as_str()), (404, "no_service"));
    ada.creates("ops").await;
    assert_eq!(ada.get("/api/channels/ops/hooks").await.json(), json!({ "hooks": [] }));
}

#[rocket::async_test]
async fn hooks_are_bounded() {
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false))
            .merge(("max_hooks_per_channel", 2))
            .merge(("max_hooks_per_user", 3))
            .merge(("outgoing_private", true))
    })
    .await;
    let ada = workspace.signed_in_as("Ada").await;
    let outgoing = json!({ "name": "out", "url": "http://127.0.0.1:9/" });
    ada.creates("ops").await;
    hook(&ada, "ops", "1").await;
    let made = ada.post("/api/channels/ops/outgoing", outgoing.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    for kind in ["hooks", "outgoing"] {
        let path = format!("/api/channels/ops/{kind}");
        let refused = ada.post(&path, outgoing.clone()).await;
        let detail = refused.refused(403, "limit-reached")["detail"].clone();
        assert!(detail.as_str().is_some_and(|it| it.contains("hooks of this channel")), "{detail}");
    }
    hook(&ada, "general", "3").await;
    let path = "/api/channels/general/hooks";
    ada.post(path, json!({ "name": "4" })).await.refused(403, "limit-reached");
    hook(&workspace.signed_in_as("Bob").await, "general", "4").await;
}

#[rocket::async_test]
async fn names_are_display_names() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in ["", " ", "@ci", "a/b", "\u{200B}", &"x".repeat(33)] {
        let refused = ada.post("/api/channels/general/hooks", json!({ "name": name })).await;
        assert_eq!(refused.refused(422, "invalid-display-name")["field"], "name", "{name:?}");
    }
    let refused = ada.post("/api/channels/general/hooks", json!({})).await;
    assert_eq!(refused.refused(400, "malformed-request")["field"], "name");
    let nobody = workspace.visitor();
    nobody
        .post("/api/channels/general/hooks", json!({ "name": "x" }))
        .await
        .refused(401, "sign-in-required");
}

#[rocket::async_test]
async fn hooks_are_found_at_the_path_of_matrix_bridges() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, to) = hook(&ada, "general", "CI").await;
    let path = to.replace("/hooks/", "/api/v1/matrix/hook/");
    delivers(&workspace, &path, json!({ "username": "Apprise", "text": "hi" })).await;
    assert_eq!(last(&ada, "general").await["author"]["display_name"], "Apprise");
    let unknown = deliver(&workspace, "/api/v1/matrix/hook/x", "text/plain", "x").await;
    assert_eq!((unknown.status, unknown.text.as_str()), (404, "no_service"));
}

#[rocket::async_test]
async fn deliveries_have_a_rate() {
    let workspace = Workspace::with(|it| it).await;
    let ada = workspace.signed_in_as("Ada").await;
    let (hook, to) = hook(&ada, "general", "CI").await;
    let mut refused = None;
    for _ in 0..200 {
        let answer = deliver(&workspace, &to, "text/plain", "x").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is a limit");
    assert_eq!(refused.text, "rate_limited");
    assert!(
        refused.header("Retry-After").is_some_and(|it| it.parse::<u64>().is_ok_and(|it| it > 0))
    );
    ada.posts("general", "people are not concerned").await;
    let path = format!("/api/channels/general/hooks/{}", hook["id"].as_str().expect("an id"));
    assert_eq!(ada.get(&path).await.json()["deliveries"][0]["status"], 429);
    let mut guesses = Vec::new();
    for n in 0..60 {
        guesses.push(deliver(&workspace, &format!("/hooks/{n}"), "text/plain", "x").await.status);
    }
    assert!(guesses.contains(&404) && guesses.contains(&429), "{guesses:?}");
}
