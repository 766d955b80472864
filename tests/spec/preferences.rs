//! Tests of how a user wants each channel: starred, hidden, with a bell; on all of their devices, and
//! seen by nobody else.

use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Person, Workspace};

async fn wants(person: &Person, channel: &str, change: Value) -> Value {
    let answer = person.patch(&format!("/api/channels/{channel}/mine"), change.clone()).await;
    assert_eq!(answer.status, 200, "{channel} {change}: {answer:?}");
    answer.json()
}

fn mine(starred: bool, hidden: bool, bell: &str) -> Value {
    json!({ "starred": starred, "hidden": hidden, "bell": bell })
}

/// The names of the channels that a person's list says are hidden.
async fn hidden(person: &Person) -> Vec<String> {
    let channels = person.get("/api/channels").await.json()["channels"].clone();
    let channels = channels.as_array().expect("channels").iter();
    let hidden = channels.filter(|channel| channel["mine"]["hidden"] == true);
    hidden.map(|channel| channel["name"].as_str().expect("a name").to_owned()).collect()
}

#[rocket::async_test]
async fn each_part_changes_alone_and_is_told_wherever_the_channel_is() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let created = ada.creates("ops").await;
    assert_eq!(
        created["mine"],
        mine(false, false, "mentions"),
        "what a public channel begins with"
    );
    ada.posts("@Bob", "hello").await;
    let direct = mine(false, false, "everything");
    assert_eq!(ada.channel("@Bob").await["mine"], direct, "and a direct conversation");

    for (change, expected) in [
        (json!({}), mine(false, false, "mentions")),
        (json!({ "starred": true }), mine(true, false, "mentions")),
        (json!({ "bell": "nothing" }), mine(true, false, "nothing")),
        (json!({ "hidden": true, "colour": "red" }), mine(true, true, "nothing")),
        (json!({ "starred": false, "bell": "everything" }), mine(false, true, "everything")),
        (json!({ "starred": false }), mine(false, true, "everything")),
        (json!({ "hidden": false, "bell": "mentions" }), mine(false, false, "mentions")),
        (
            json!({ "starred": true, "hidden": true, "bell": "nothing" }),
            mine(true, true, "nothing"),
        ),
    ] {
        let channel = wants(&ada, "ops", change.clone()).await;
        assert_eq!(channel["mine"], expected, "{change}");
        assert_eq!(ada.channel("ops").await, channel, "{change}");
        let listed = ada.lists_channels().await;
        let ops = listed.iter().find(|it| it["name"] == "ops");
        assert_eq!(ops, Some(&channel), "{change}");
    }
    assert_eq!(bob.channel("ops").await["mine"], mine(false, false, "mentions"), "only for Ada");
    assert_eq!(ada.channel("general").await["mine"], mine(false, false, "mentions"));
}

#[rocket::async_test]
async fn whatever_names_a_channel_reaches_it() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    workspace.signed_in_as("Bob").await;
    let ops = ada.creates("ops").await;
    let id = |channel: &Value| format!("id:{}", channel["id"].as_str().expect("an id"));
    ada.posts("@Ada", "a note").await;
    let begun = ada.channel("@Bob").await;
    assert_eq!(begun["created_at"], json!(null), "not begun yet");
    for named in ["general", "OPS", &id(&ops), "@bob", &id(&begun), "@Ada"] {
        let before = ada.channel(named).await["mine"]["starred"].as_bool().expect("a flag");
        assert_eq!(
            wants(&ada, named, json!({ "starred": !before })).await["mine"]["starred"],
            !before
        );
    }
    for (named, slug) in [
        ("nowhere", "no-such-channel"),
        ("id:0", "no-such-channel"),
        ("@Nobody", "no-such-user"),
        ("%00", "no-such-channel"),
        ("@", "no-such-user"),
    ] {
        let path = format!("/api/channels/{named}/mine");
        ada.patch(&path, json!({ "starred": true })).await.refused(404, slug);
    }
}

#[rocket::async_test]
async fn what_is_no_preference_is_refused_and_changes_nothing() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for (field, body) in [
        ("starred", json!({ "starred": "yes" })),
        ("starred", json!({ "starred": null, "hidden": true })),
        ("hidden", json!({ "starred": true, "hidden": 1 })),
        ("hidden", json!({ "hidden": null })),
        ("bell", json!({ "starred": true, "bell": "loud" })),
        ("bell", json!({ "bell": "Mentions" })),
        ("bell", json!({ "bell": null })),
        ("bell", json!({ "bell": ["nothing"] })),
    ] {
        let answer = ada.patch("/api/channels/general/mine", body.clone()).await;
        assert_eq!(answer.refused(400, "malformed-request")["field"], field, "{body}");
    }
    ada.patch("/api/channels/general/mine", json!([])).await.refused(400, "malformed-request");
    assert_eq!(ada.channel("general").await["mine"], mine(false, false, "mentions"));
    let stranger = workspace.visitor().patch("/api/channels/general/mine", json!({})).await;
    stranger.refused(401, "sign-in-required");
}

/// What may show a hidden channel again, and whether it does. `{me}` hid it, `{other}` did not.
#[rocket::async_test]
async fn a_hidden_channel_shows_itself_again_when_it_calls_whoever_hid_it() {
    let cases: [(&str, &str, &str, bool); 16] = [
        ("ops", "other", "hello all", false),
        ("ops", "other", "@Ada please look", true),
        ("ops", "other", "＠ａｄａ", true),
        ("ops", "other", "ありがとう@Ada", true),
        ("ops", "other", "@Adam is somebody else", false),
        ("ops", "other", "mail to x@ada", false),
        ("ops", "other", "`@Ada` in code", false),
        ("ops", "other", "> @Ada said so", false),
        ("ops", "other", "@here is everybody", false),
        ("ops", "other", "#ops is a channel", false),
        ("ops", "me", "@Ada, note to self", false),
        ("general", "other", "@Ada elsewhere", false),
        ("direct", "other", "hello", true),
        ("direct", "other", "> quoted", true),
        ("direct", "me", "hello", true),
        ("notes", "me", "remember", true),
    ];
    for (place, by, text, shown) in cases {
        let workspace = Workspace::start().await;
        let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
        ada.creates("ops").await;
        bob.posts("ops", "before: @Ada").await;
        ada.posts("@Bob", "before").await;
        ada.posts("@Ada", "before").await;
        let of = |by: &str| match (place, by) {
            ("direct", "me") => "@Bob",
            ("direct" | "notes", _) => "@Ada",
            (public, _) => public,
        };
        let channel = if place == "general" { "ops" } else { of("me") };
        wants(&ada, channel, json!({ "hidden": true, "starred": true })).await;
        assert_eq!(hidden(&ada).await.len(), 1, "what was said before does not count");

        let author = if by == "me" { &ada } else { &bob };
        author.posts(of(by), text).await;

        let now =
            mine(true, !shown, if channel.starts_with('@') { "everything" } else { "mentions" });
        assert_eq!(ada.channel(channel).await["mine"], now, "{place}: {by} says {text:?}");
    }
}

#[rocket::async_test]
async fn an_edit_that_names_somebody_shows_the_channel_and_a_reaction_does_not() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    bob.puts("general", "old", "@Ada").await;
    wants(&ada, "general", json!({ "hidden": true })).await;
    bob.put("/api/channels/general/messages/old/reactions/x", json!({})).await;
    bob.puts("general", "old", "@Ada again").await;
    bob.puts("general", "new", "hello").await;
    assert_eq!(hidden(&ada).await, ["general"]);
    bob.puts("general", "new", "hello @Ada").await;
    assert!(hidden(&ada).await.is_empty());
}

#[rocket::async_test]
async fn what_was_shown_again_stays_shown_when_the_message_is_gone_and_can_be_hidden_again() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "before").await;
    for channel in ["general", "@Bob"] {
        wants(&ada, channel, json!({ "hidden": true })).await;
    }
    bob.puts("general", "m1", "@Ada").await;
    bob.puts("@Ada", "m1", "hello").await;
    bob.deletes("@Ada", "m1").await;
    for n in 0..100 {
        bob.posts("general", &format!("{n}")).await;
    }
    assert!(!bob.reads("general").await.contains(&"@Ada".to_owned()), "it has fallen out");
    assert!(hidden(&ada).await.is_empty());
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert!(hidden(&ada).await.is_empty());
    wants(&ada, "general", json!({ "hidden": true })).await;
    assert_eq!(hidden(&ada).await, ["general"]);
}

#[rocket::async_test]
async fn preferences_survive_a_restart_and_a_rename() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("ops").await;
    ada.creates("gone").await;
    ada.posts("@Bob", "hello").await;
    wants(&ada, "ops", json!({ "starred": true, "bell": "nothing" })).await;
    wants(&ada, "gone", json!({ "starred": true })).await;
    wants(&ada, "@Bob", json!({ "hidden": true })).await;
    ada.patch("/api/session", json!({ "display_name": "Countess" })).await;
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    assert_eq!(ada.delete("/api/channels/gone").await.status, 204);
    let before = ada.lists_channels().await;
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    assert_eq!(ada.lists_channels().await, before);
    assert_eq!(ada.channel("ops").await["mine"], mine(true, false, "nothing"));
    assert_eq!(ada.channel("@Robert").await["mine"], mine(false, true, "everything"));
    ada.creates("gone").await;
    assert_eq!(
        ada.channel("gone").await["mine"],
        mine(false, false, "mentions"),
        "another channel"
    );
}

#[rocket::async_test]
async fn a_user_s_own_streams_of_everything_are_told_and_no_others() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "hello").await;
    let phone = workspace.holder_of(ada.token.as_deref().expect("a token"));
    let (mut own, mut other) = (phone.listens_everywhere().await, bob.listens_everywhere().await);
    let (mut in_general, mut with_bob) =
        (phone.listens("general").await, bob.listens("@Ada").await);

    wants(&ada, "general", json!({ "starred": true })).await;
    wants(&ada, "general", json!({ "starred": true })).await;
    wants(&ada, "@Bob", json!({ "hidden": true, "bell": "nothing" })).await;

    for (name, expected) in
        [("general", mine(true, false, "mentions")), ("@Bob", mine(false, true, "nothing"))]
    {
        let told = own.next_named("channel-updated").await;
        assert_eq!((&told.data["name"], &told.data["mine"]), (&json!(name), &expected));
    }
    bob.posts("@Ada", "are you there?").await;
    let shown = own.next_named("channel-updated").await.data;
    assert_eq!((&shown["name"], &shown["mine"]["hidden"]), (&json!("@Bob"), &json!(false)));
    assert_eq!(with_bob.next_lasting().await.0, "message", "its first event");
    assert_eq!(other.next_lasting().await.0, "activity", "his first event");
    ada.posts("general", "end").await;
    assert_eq!(in_general.next_lasting().await.0, "message", "its first event");

    // A topic is told to everybody, to each with what is theirs.
    ada.patch("/api/channels/general", json!({ "topic": "lift-off" })).await;
    for (feed, starred) in [(&mut own, true), (&mut other, false), (&mut in_general, true)] {
        let told = feed.next_named("channel-updated").await.data;
        assert_eq!(told["topic"], "lift-off");
        assert_eq!(told["mine"], mine(starred, false, "mentions"));
    }
}

#[rocket::async_test]
async fn who_was_away_is_told_on_coming_back_also_of_what_is_the_default_again() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("ops").await;
    wants(&ada, "ops", json!({ "starred": true })).await;
    wants(&ada, "general", json!({ "hidden": true })).await;
    let seen = ada.listens_everywhere().await.last_id.clone().expect("an id");
    let bobs = bob.listens_everywhere().await.last_id.clone().expect("an id");
    wants(&ada, "ops", json!({ "starred": false })).await;
    bob.posts("general", "@Ada").await;
    let token = [&ada, &bob].map(|person| person.token.clone().expect("a token"));
    drop((ada, bob));

    let workspace = workspace.restarted().await;

    let [ada, bob] = token.map(|token| workspace.holder_of(&token));
    let mut feed = ada.opens("/api/events", &[("Last-Event-ID", &seen)]).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let heard = feed.next().await.expect("an event");
        assert_ne!(heard.name, "reset");
        if heard.name == "channel-updated" {
            told.push((heard.data["name"].clone(), heard.data["mine"].clone()));
        }
    }
    for (name, expected) in
        [("ops", mine(false, false, "mentions")), ("general", mine(false, false, "mentions"))]
    {
        assert!(told.contains(&(json!(name), expected)), "{told:?}");
    }
    let mut feed = bob.opens("/api/events", &[("Last-Event-ID", &bobs)]).await;
    assert_eq!(feed.next_lasting().await.0, "activity", "of Ada's wishes he hears nothing");
}

#[rocket::async_test]
async fn whoever_takes_a_freed_name_has_none_of_the_former_user_s() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "hello").await;
    wants(&ada, "general", json!({ "starred": true })).await;
    wants(&bob, "@Ada", json!({ "hidden": true })).await;
    assert_eq!(ada.delete("/api/session").await.status, 204);
    let other = workspace.signed_in_as("Ada").await;
    assert_eq!(other.channel("general").await["mine"], mine(false, false, "mentions"));
    assert_eq!(bob.channel("@Ada").await["mine"], mine(false, false, "everything"));
}

#[rocket::async_test]
async fn there_is_a_bound_to_how_many_and_deleted_channels_do_not_count() {
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false)).merge(("max_preferences_per_user", 2))
    })
    .await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    for name in ["a", "b", "c"] {
        ada.creates(name).await;
    }
    for name in ["a", "b"] {
        wants(&ada, name, json!({ "starred": true })).await;
    }
    let starred = json!({ "starred": true });
    let refused = ada.patch("/api/channels/c/mine", starred.clone()).await;
    let problem = refused.refused(403, "limit-reached");
    assert!(problem["detail"].as_str().expect("a text").contains("channels"), "{problem}");
    assert_eq!(wants(&ada, "a", json!({ "hidden": true })).await["mine"]["hidden"], true);
    assert_eq!(wants(&bob, "c", starred.clone()).await["mine"]["starred"], true, "others may");

    assert_eq!(ada.delete("/api/channels/a").await.status, 204);
    assert_eq!(wants(&ada, "c", starred).await["mine"]["starred"], true);
}

#[rocket::async_test]
async fn at_once_from_several_devices_no_change_is_lost() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let names: Vec<_> = (0..20).map(|n| format!("c{n}")).collect();
    for name in &names {
        ada.creates(name).await;
    }
    let stars = names.iter().map(|name| {
        let path = format!("/api/channels/{name}/mine");
        let ada = &ada;
        async move { ada.patch(&path, json!({ "starred": true })).await.status }
    });
    let statuses = futures::future::join_all(stars).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    for name in &names {
        assert_eq!(ada.channel(name).await["mine"]["starred"], true, "{name}");
    }
}

#[rocket::async_test]
async fn another_site_cannot_change_them_with_the_browser_s_cookie() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let cookie = format!("session={}", ada.token.as_deref().expect("a token"));
    let headers = [
        ("Cookie", &*cookie),
        ("Content-Type", "application/json"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    let path = "/api/channels/general/mine";
    let answer = workspace.visitor().asks(Method::Patch, path, &headers, "{\"hidden\":true}").await;
    answer.refused(403, "not-allowed");
    assert!(hidden(&ada).await.is_empty());
}
