//! Tests of the sessions of one user: browsers and tokens, listed, made and ended one by one.

use chrono::{DateTime, Utc};
use houston::domain::ids::SessionId;
use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Workspace};

const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";

async fn sessions(person: &Person) -> Vec<Value> {
    let answer = person.get("/api/sessions").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["sessions"].as_array().expect("sessions").clone()
}

async fn makes_token(person: &Person, body: Value) -> (Value, Person) {
    let answer = person.post("/api/sessions", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    let id = made["session"]["id"].as_str().expect("an id");
    assert_eq!(answer.header("Location"), Some(&*format!("/api/sessions/{id}")));
    assert_eq!(answer.header("Set-Cookie"), None, "it is for somebody else");
    let holder = person.workspace.holder_of(made["token"].as_str().expect("a token"));
    (made["session"].clone(), holder)
}

async fn ends(person: &Person, session: &Value) -> Answer {
    let id = session["id"].as_str().expect("an id");
    person.delete(&format!("/api/sessions/{id}")).await
}

/// Signs in with this `User-Agent`; returns the token.
async fn signs_in(workspace: &Workspace, name: &str, user_agent: &str) -> Person {
    let headers = [("User-Agent", user_agent), ("Content-Type", "application/json")];
    let body = json!({ "display_name": name }).to_string();
    let answer = workspace.visitor().asks(Method::Post, "/api/session", &headers, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    workspace.holder_of(answer.json()["token"].as_str().expect("a token"))
}

/// The token in the cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    let cookie = answer.header_with("Set-Cookie", "session=").expect("a cookie");
    cookie.trim_start_matches("session=").split(';').next().expect("a value").to_owned()
}

#[rocket::async_test]
async fn a_user_sees_each_of_their_sessions_and_how_it_came_in() {
    let workspace = Workspace::start().await;
    let begun = Utc::now();
    let ada = signs_in(&workspace, "Ada", FIREFOX).await;
    signs_in(&workspace, "Bob", "curl/8.5.0").await;
    let link = ada.post("/api/session/links", json!({})).await.json();
    let link = link["url"].as_str().expect("an address");
    let path = &link[link.find("/links/").expect("a path")..];
    let phone = workspace.visitor().asks(Method::Post, path, &[("User-Agent", SAFARI)], "").await;
    let phone = workspace.holder_of(&cookie(&phone));
    let (_, script) = makes_token(&ada, json!({ "name": " backup script " })).await;

    let listed = sessions(&phone).await;
    let told =
        |session: &Value| ["kind", "name", "client", "current"].map(|field| session[field].clone());
    let expected = [
        [json!("browser"), json!(null), json!("Safari on iPhone"), json!(true)],
        [json!("browser"), json!(null), json!("Firefox on Windows"), json!(false)],
        [json!("token"), json!("backup script"), json!(null), json!(false)],
    ];
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert_eq!(told(&listed[0]), expected[0], "the one used last comes first");
    for session in expected {
        assert!(listed.iter().any(|it| told(it) == session), "{session:?} in {listed:?}");
    }
    for session in &listed {
        for field in ["created_at", "last_used_at"] {
            let time: DateTime<Utc> =
                session[field].as_str().expect("a time").parse().expect("RFC 3339");
            assert!(begun.timestamp_millis() <= time.timestamp_millis() && time <= Utc::now());
        }
    }

    // An id says nothing of the secret, and the list nothing of either.
    let all = json!(listed).to_string();
    for person in [&ada, &phone, &script] {
        let token = person.token.as_deref().expect("a token");
        let hash = json!(SessionId::of_token(token));
        let hash = hash.as_str().expect("a hash");
        for secret in [token, hash, &token[..16], &hash[..16]] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
    }
    let again = sessions(&phone).await;
    let ids = |listed: &[Value]| listed.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&listed), "ids stay");
}

#[rocket::async_test]
async fn whoever_signs_in_on_the_page_is_told_by_their_browser_too() {
    let workspace = Workspace::start().await;
    for (name, user_agent, client) in [
        ("Ada", FIREFOX, json!("Firefox on Windows")),
        ("Bob", "Mozilla/5.0 (<b>) <script>", json!(null)),
        ("Cy", "curl/8.5.0", json!("curl")),
    ] {
        let form =
            [("User-Agent", user_agent), ("Content-Type", "application/x-www-form-urlencoded")];
        let body = format!("display_name={name}&next=/");
        let answer = workspace.visitor().asks(Method::Post, "/sign-in", &form, body).await;
        let person = workspace.holder_of(&cookie(&answer));
        let listed = sessions(&person).await;
        assert_eq!((listed.len(), &listed[0]["client"]), (1, &client), "{user_agent}");
    }
}

#[rocket::async_test]
async fn the_session_that_was_used_last_comes_first() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (_, one) = makes_token(&ada, json!({ "name": "one" })).await;
    let (_, two) = makes_token(&ada, json!({ "name": "two" })).await;
    let first_other = async || {
        let listed = sessions(&ada).await;
        assert_eq!(listed[0]["current"], true, "{listed:?}");
        listed[1]["name"].clone()
    };
    for (used, name) in [(&two, "two"), (&one, "one"), (&two, "two")] {
        let before = Utc::now().timestamp_millis();
        while Utc::now().timestamp_millis() <= before {
            rocket::tokio::task::yield_now().await;
        }
        used.get("/api/session").await;
        assert_eq!(first_other().await, name);
    }
}

#[rocket::async_test]
async fn a_token_is_the_same_user_and_ends_alone_with_its_streams() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (session, script) = makes_token(&ada, json!({ "name": "script", "colour": "red" })).await;
    assert_eq!(script.get("/api/session").await.json()["user"], ada.user);
    script.posts("general", "from the script").await;
    let (mut general, mut everything) =
        (script.listens("general").await, script.listens_everywhere().await);
    let mut own = ada.listens("general").await;

    assert_eq!(ends(&ada, &session).await.status, 204);

    general.ends().await;
    everything.ends().await;
    script.get("/api/session").await.refused(401, "sign-in-required");
    ends(&ada, &session).await.refused(404, "no-such-session");
    ada.posts("general", "still here").await;
    assert_eq!(own.next_lasting().await, crate::harness::event("message", "still here"));
    assert_eq!(sessions(&ada).await.len(), 1);
}

#[rocket::async_test]
async fn nobody_ends_what_is_somebody_else_s_or_nothing() {
    let workspace = Workspace::start().await;
    let (ada, eve) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Eve").await);
    let of_ada = sessions(&ada).await.remove(0);
    ends(&eve, &of_ada).await.refused(404, "no-such-session");
    ends(&workspace.visitor(), &of_ada).await.refused(401, "sign-in-required");
    assert_eq!(ada.get("/api/session").await.status, 200);
    let token = ada.token.clone().expect("a token");
    let hash = json!(SessionId::of_token(&token)).as_str().expect("a hash").to_owned();
    for id in [&*token, &hash, "0", "invented", "%00", "..%2F", "1-0"] {
        ada.delete(&format!("/api/sessions/{id}")).await.refused(404, "no-such-session");
    }
}

#[rocket::async_test]
async fn ending_the_current_one_is_signing_out_and_the_last_frees_the_name() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (token, script) = makes_token(&ada, json!({ "name": "script" })).await;
    let listed = sessions(&ada).await;
    let current = listed.iter().find(|session| session["current"] == true).expect("one");

    let ended = ends(&ada, current).await;
    assert_eq!(ended.status, 204);
    let cookie = ended.header("Set-Cookie").expect("the end of a cookie");
    assert!(cookie.starts_with("session=;") && cookie.contains("Max-Age=0"), "{cookie}");
    ada.get("/api/session").await.refused(401, "sign-in-required");
    let claim = workspace.visitor().post("/api/session", json!({ "display_name": "Ada" })).await;
    claim.refused(409, "display-name-taken");

    assert_eq!(ends(&script, &token).await.status, 204);
    assert_ne!(workspace.signed_in_as("Ada").await.id(), ada.id());
}

#[rocket::async_test]
async fn there_is_a_bound_to_the_sessions_of_one_user_whatever_their_kind() {
    let workspace =
        Workspace::with(|it| it.merge(("rate_limits", false)).merge(("max_sessions_per_user", 3)))
            .await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let (first, _) = makes_token(&ada, json!({ "name": "one" })).await;
    makes_token(&ada, json!({ "name": "two" })).await;
    let more = json!({ "name": "three" });
    let refused = ada.post("/api/sessions", more.clone()).await;
    let problem = refused.refused(403, "limit-reached");
    assert!(problem["detail"].as_str().expect("a text").contains("sessions"), "{problem}");
    makes_token(&bob, more.clone()).await;
    ends(&ada, &first).await;
    makes_token(&ada, more).await;
}

#[rocket::async_test]
async fn a_token_has_a_name_of_one_line() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in ["CI", "夜間バックアップ", "нічна копія", "נسخ @ # /", &"x".repeat(64)]
    {
        let (session, _) = makes_token(&ada, json!({ "name": name })).await;
        assert_eq!(session["name"], name);
    }
    for name in ["", "  ", "a\nb", "a\u{0}b", "\u{200b}", &"x".repeat(65)] {
        let refused = ada.post("/api/sessions", json!({ "name": name })).await;
        assert_eq!(refused.refused(422, "invalid-text")["field"], "name", "{name:?}");
    }
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "name": "a", "bot": "yes" }), "bot"),
        (json!({ "name": "a", "bot": null }), "bot"),
    ] {
        let refused = ada.post("/api/sessions", body.clone()).await;
        assert_eq!(refused.refused(400, "malformed-request")["field"], field, "{body}");
    }
}

#[rocket::async_test]
async fn a_user_is_a_bot_as_long_as_they_hold_a_token_that_was_made_for_one() {
    let workspace = Workspace::start().await;
    let (robot, ada) = (workspace.signed_in_as("Robot").await, workspace.signed_in_as("Ada").await);
    robot.posts("general", "before").await;
    assert_eq!(robot.user["bot"], false);
    let mut feed = ada.listens_everywhere().await;

    let (token, script) = makes_token(&robot, json!({ "name": "ci", "bot": true })).await;
    makes_token(&robot, json!({ "name": "other", "bot": false })).await;
    makes_token(&ada, json!({ "name": "mine" })).await;

    let told = feed.next_named("renamed").await.data["user"].clone();
    assert_eq!((&told["id"], &told["bot"]), (&robot.user["id"], &json!(true)));
    script.posts("general", "after").await;
    script.posts("@Ada", "hello").await;
    let are_bots = async |ada: &Person, expected: bool| {
        let (messages, _) = ada.history("general").await;
        assert!(messages.iter().all(|it| it["author"]["bot"] == expected), "{messages:?}");
        let direct = ada.channel("@Robot").await;
        assert_eq!((&direct["with"]["bot"], &direct["name"]), (&json!(expected), &json!("@Robot")));
        let users = ada.get("/api/users").await.json()["users"].clone();
        let of = |name: &str| {
            users.as_array().expect("users").iter().find(|it| it["display_name"] == name).cloned()
        };
        assert_eq!(of("Robot").expect("the robot")["bot"], expected);
        assert_eq!(of("Ada").expect("Ada")["bot"], false);
    };
    are_bots(&ada, true).await;
    assert_eq!(robot.get("/api/session").await.json()["user"]["bot"], true);
    let renamed = robot.patch("/api/session", json!({ "display_name": "ROBOT" })).await;
    assert_eq!(renamed.json()["user"]["bot"], true);
    robot.patch("/api/session", json!({ "display_name": "Robot" })).await;
    let tokens = [&robot, &ada].map(|it| it.token.clone().expect("a token"));
    drop((robot, script, feed));
    drop(ada);

    let workspace = workspace.restarted().await;
    let [robot, ada] = tokens.map(|token| workspace.holder_of(&token));
    are_bots(&ada, true).await;
    let mut feed = ada.listens_everywhere().await;
    assert_eq!(ends(&robot, &token).await.status, 204);
    are_bots(&ada, false).await;
    assert_eq!(feed.next_named("renamed").await.data["user"]["bot"], false);
}

#[rocket::async_test]
async fn a_bot_that_has_left_is_still_shown_as_one() {
    let workspace = Workspace::start().await;
    let (robot, ada) = (workspace.signed_in_as("Robot").await, workspace.signed_in_as("Ada").await);
    let (token, script) = makes_token(&robot, json!({ "name": "ci", "bot": true })).await;
    script.posts("general", "beep").await;
    robot.delete("/api/session").await;
    assert_eq!(ends(&script, &token).await.status, 204);
    let (messages, _) = ada.history("general").await;
    assert_eq!(messages[0]["author"]["bot"], true);
    let next = workspace.signed_in_as("Robot").await;
    assert_eq!(next.user["bot"], false, "another user");
}

#[rocket::async_test]
async fn sessions_survive_a_restart_as_they_are() {
    let workspace = Workspace::start().await;
    let ada = signs_in(&workspace, "Ada", FIREFOX).await;
    makes_token(&ada, json!({ "name": "script" })).await;
    let before = sessions(&ada).await;
    let token = ada.token.clone().expect("a token");
    drop(ada);
    let workspace = workspace.restarted().await;
    let after = sessions(&workspace.holder_of(&token)).await;
    assert_eq!(after.len(), before.len());
    for session in &before {
        let again = after.iter().find(|it| it["id"] == session["id"]).expect("under its id");
        for field in ["kind", "name", "client", "created_at", "current"] {
            assert_eq!(again[field], session[field], "{field}");
        }
    }
}
