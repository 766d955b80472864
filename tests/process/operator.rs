//! Tests of an operator's commands, through a running server and on a stopped directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::{houston, houston_on, text};
use crate::server::Server;

/// Runs a command that must succeed; returns what it prints.
#[track_caller]
fn done(data: &Path, arguments: &[&str]) -> String {
    let ran = houston_on(data, arguments);
    assert!(ran.status.success(), "{arguments:?}: {}", text(&ran.stderr));
    text(&ran.stdout)
}

#[track_caller]
fn refused(data: &Path, arguments: &[&str], told: &str) {
    let ran = houston_on(data, arguments);
    assert_eq!(ran.status.code(), Some(1), "{arguments:?}");
    assert!(text(&ran.stderr).contains(told), "{arguments:?}: {}", text(&ran.stderr));
}

#[track_caller]
fn empty_is_refused(data: &Path, arguments: &[&str]) {
    let ran = houston_on(data, arguments);
    assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
    assert!(text(&ran.stderr).contains("a value is required"), "{}", text(&ran.stderr));
}

fn json(data: &Path, arguments: &[&str]) -> Vec<Value> {
    serde_json::from_str(&done(data, arguments)).expect("JSON")
}

/// Ada, with two sessions, and Bob, who has created a channel.
async fn ada_and_bob(server: &Server) -> (Client, Client) {
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.post("/api/sessions", serde_json::json!({ "name": "script" })).await;
    assert_eq!(token.expect("an answer").status, 201);
    let bob = server.client().signed_in_as("Bób 🚀").await;
    bob.creates("launch").await;
    bob.puts("launch", "m1", "soon").await.expect("an answer");
    (ada, bob)
}

/// What holds whether a server runs or not.
fn lists_and_removes(data: &Path) {
    let users = json(data, &["users", "list", "--json"]);
    let names: Vec<_> = users.iter().map(|it| it["display_name"].as_str().expect("text")).collect();
    assert!(names.contains(&"Ada") && names.contains(&"Bób 🚀") && names.len() == 2, "{names:?}");
    let ada = users.iter().find(|it| it["display_name"] == "Ada").expect("Ada");
    assert_eq!((&ada["sessions"], &ada["bot"]), (&Value::from(2), &Value::from(false)));
    assert!(ada["last_used_at"].as_str().is_some_and(|it| it.starts_with("20")), "{ada}");
    assert!(done(data, &["users", "list"]).contains("Ada\t2 sessions, last used 20"));
    let channels = json(data, &["channels", "list", "--json"]);
    assert_eq!(channels[1]["name"], "launch");
    assert_eq!(channels[1]["created_by"], "Bób 🚀");
    assert_eq!((&channels[0]["name"], &channels[1]["messages"]), (&"general".into(), &1.into()));
    assert!(done(data, &["channels", "list"]).contains("launch\t1 messages, the last of 20"));
    for name in ["Eve", "../users", "a/b?c#d", "@Ada", "Ada%00"] {
        refused(data, &["users", "remove", name], "nobody here is called that");
        refused(data, &["channels", "remove", name], "there is no such channel");
    }
    empty_is_refused(data, &["users", "remove", ""]);
    empty_is_refused(data, &["channels", "remove", ""]);
    refused(data, &["channels", "remove", "general"], "`general` cannot be deleted");
    // Names are compared as everywhere.
    done(data, &["users", "remove", "ａｄａ"]);
    done(data, &["channels", "remove", "#Launch"]);
    refused(data, &["users", "remove", "Ada"], "nobody here is called that");
    refused(data, &["channels", "remove", "launch"], "no such channel");
    assert_eq!(json(data, &["users", "list", "--json"]).len(), 1);
    assert_eq!(json(data, &["channels", "list", "--json"]).len(), 1);
}

#[rocket::async_test]
async fn a_running_server_does_what_its_operator_wants() {
    let server = Server::start().await;
    let (ada, bob) = ada_and_bob(&server).await;
    let mut feed = ada.listens_everywhere().await;
    let data = server.data().to_owned();
    let ran = rocket::tokio::task::spawn_blocking(move || lists_and_removes(&data)).await;
    ran.expect("all of it works");
    assert_eq!(ada.get("/api/session").await.expect("an answer").status, 401);
    assert_eq!(bob.get("/api/session").await.expect("an answer").status, 200);
    while feed.next().await.is_some() {}
    server.client().signed_in_as("Ada").await;
}

#[rocket::async_test]
async fn a_stopped_directory_is_changed_as_a_server_would() {
    let mut server = Server::start().await;
    let (ada, bob) = ada_and_bob(&server).await;
    server.kill();
    let data = server.into_data();
    lists_and_removes(data.path());
    refused(data.path(), &["users", "link", "Bób 🚀"], "start it first");
    let server = Server::start_on(data).await;
    let [ada, bob] = [ada, bob].map(|it| server.client().with_token(&it.token.expect("a token")));
    assert_eq!(ada.get("/api/session").await.expect("an answer").status, 401);
    assert_eq!(bob.get("/api/session").await.expect("an answer").status, 200);
    let channels = bob.get("/api/channels").await.expect("an answer").json;
    assert_eq!(channels["channels"].as_array().expect("channels").len(), 1);
}

/// Hooks of Ada and Bob, the last of them in a direct conversation; and what none may tell.
async fn hooks_of(ada: &Client, bob: &Client) -> [String; 2] {
    let make = async |who: &Client, path: &str, body: Value| {
        let made = who.post(path, body).await.expect("an answer");
        assert_eq!(made.status, 201, "{made:?}");
        made.json
    };
    let text = |hook: &Value, name: &str| hook[name].as_str().expect(name).to_owned();
    let incoming = make(ada, "/api/channels/general/hooks", json!({ "name": "CI" })).await;
    let url = "https://bot.invalid:8443/hook?key=s3cret";
    let body = json!({ "name": "Bot", "url": url, "words": ["!go"] });
    let outgoing = make(bob, "/api/channels/launch/outgoing", body).await;
    make(bob, "/api/channels/@Ada/hooks", json!({ "name": "Private" })).await;
    let address = text(&incoming, "url");
    let secret = address.rsplit('/').next().expect("a secret");
    [secret.to_owned(), text(&outgoing, "secret")]
}

/// What holds whether a server runs or not. Returns how the outgoing hook is, before all.
fn lists_and_pauses_hooks(data: &Path, secrets: &[String; 2]) -> Value {
    let list = done(data, &["hooks", "list", "--json"]);
    let lines = done(data, &["hooks", "list"]);
    for told in secrets.iter().map(String::as_str).chain(["s3cret", "/hook", "@Ada", "Ada and"]) {
        assert!(!list.contains(told) && !lines.contains(told), "{told} in {list}{lines}");
    }
    let hooks: Vec<Value> = serde_json::from_str(&list).expect("JSON");
    let [ci, bot, private] = &hooks[..] else { panic!("{list}") };
    for (hook, kind, name, channel, by) in [
        (ci, "incoming", "CI", json!("general"), "Ada"),
        (bot, "outgoing", "Bot", json!("launch"), "Bób 🚀"),
        (private, "incoming", "Private", Value::Null, "Bób 🚀"),
    ] {
        assert_eq!((&hook["kind"], &hook["name"]), (&json!(kind), &json!(name)));
        assert_eq!((&hook["channel"], &hook["created_by"]), (&channel, &json!(by)));
    }
    assert_eq!((&bot["host"], &ci["host"]), (&json!("bot.invalid:8443"), &Value::Null));
    let id = |hook: &Value| hook["id"].as_str().expect("an id").to_owned();
    let (ci, private, at) = (id(ci), id(private), id(bot));
    let (first, line) = (
        format!("{ci}\tincoming\tCI in #general, made by Ada"),
        format!("{at}\toutgoing\tBot in #launch to bot.invalid:8443, made by Bób 🚀"),
    );
    assert!(lines.starts_with(&first) && lines.contains(&format!("\n{line}")), "{lines}");
    assert!(lines.contains("Private in a direct conversation, made by"), "{lines}");
    for command in ["remove", "pause", "resume"] {
        for id in ["nothing", "../users", "a/b?c#d", "CI"] {
            refused(data, &["hooks", command, id], "there is no such hook");
        }
        empty_is_refused(data, &["hooks", command, ""]);
    }
    refused(data, &["hooks", "pause", &ci], "an incoming hook cannot be paused");
    done(data, &["hooks", "pause", &at]);
    done(data, &["hooks", "pause", &at]);
    let state = |hook: usize| json(data, &["hooks", "list", "--json"]).swap_remove(hook);
    let paused = state(1);
    assert_eq!((&paused["state"], &paused["waiting"]), (&json!("paused"), &json!(0)));
    assert!(paused["paused_since"].as_str().is_some_and(|it| it.starts_with("20")), "{paused}");
    assert!(done(data, &["hooks", "list"]).contains(", paused since 20"));
    done(data, &["hooks", "resume", &at]);
    assert_eq!(state(1)["state"], "active");
    done(data, &["hooks", "remove", &private]);
    refused(data, &["hooks", "remove", &private], "there is no such hook");
    assert_eq!(json(data, &["hooks", "list", "--json"]).len(), 2);
    bot.clone()
}

#[rocket::async_test]
async fn an_operator_sees_to_hooks() {
    let mut server = Server::start().await;
    let (ada, bob) = ada_and_bob(&server).await;
    let secrets = hooks_of(&ada, &bob).await;
    // Nobody is there, and it is tried again.
    bob.puts("launch", "m2", "!go now").await.expect("kept");
    let data = server.data().to_owned();
    let on = data.clone();
    let listed = move || json(&on, &["hooks", "list", "--json"]).swap_remove(1);
    crate::server::until("it is tried again", async || {
        let listed = listed.clone();
        let hook = rocket::tokio::task::spawn_blocking(listed).await.expect("a hook");
        hook["state"] == "retrying"
    })
    .await;
    let told = secrets.clone();
    let ran = rocket::tokio::task::spawn_blocking(move || lists_and_pauses_hooks(&data, &told));
    let bot = ran.await.expect("all of it works");
    assert_eq!((&bot["state"], &bot["waiting"]), (&json!("retrying"), &json!(1)));
    assert!(bot["retry_at"].is_string() && bot["last_delivery"]["problem"].is_string(), "{bot}");
    assert_eq!(bot["last_delivery"]["status"], Value::Null);
    bob.post("/api/channels/@Ada/hooks", json!({ "name": "Private" })).await.expect("made");
    server.kill();
    let data = server.into_data();
    let bot = lists_and_pauses_hooks(data.path(), &secrets);
    assert_eq!((&bot["state"], &bot["waiting"]), (&json!("active"), &json!(0)));
    let server = Server::start_on(data).await;
    let bob = server.client().with_token(&bob.token.expect("a token"));
    let hooks = bob.get("/api/channels/@Ada/hooks").await.expect("an answer").json;
    assert_eq!(hooks["hooks"], json!([]));
}

#[rocket::async_test]
async fn a_link_signs_in_who_lost_theirs() {
    let server = Server::start().await;
    let _ = ada_and_bob(&server).await;
    refused(server.data(), &["users", "link", "Eve"], "nobody here is called that");
    let link = done(server.data(), &["users", "link", "Bób 🚀"]);
    let path = link.trim().strip_prefix(server.url()).expect("the server's address");
    let page = server.client().request(Method::GET, path).send().await.expect("an answer");
    assert!(page.text().await.expect("a page").contains("Bób 🚀"));
    let data = server.data().to_str().expect("a path");
    let elsewhere = houston(
        Path::new("/"),
        &[("ROCKET_DATA_DIR", data)],
        &["users", "link", "Ada", "--url", "https://chat.example.org/"],
    );
    assert!(text(&elsewhere.stdout).starts_with("https://chat.example.org/links/"));
    let opened = server.client().request(Method::POST, path).send().await.expect("an answer");
    assert!(opened.status().is_success() || opened.status().is_redirection(), "{opened:?}");
}

#[rocket::async_test]
async fn health_is_that_of_the_server_on_the_directory() {
    let mut server = Server::start().await;
    done(server.data(), &["health"]);
    let away = server.data().join("houston.db");
    fs::rename(&away, server.data().join("away.db")).expect("it is moved");
    crate::server::until("it is not ready", async || !server.client().is_ready().await).await;
    refused(server.data(), &["health"], "503");
    fs::rename(server.data().join("away.db"), &away).expect("it is moved back");
    crate::server::until("it is ready", async || server.client().is_ready().await).await;
    done(server.data(), &["health"]);
    server.kill();
    refused(server.data(), &["health"], "does not answer");
}

#[rocket::async_test]
async fn only_the_token_in_the_directory_opens_the_operators_routes() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let file = server.data().join("operator-token");
    let mode = fs::metadata(&file).expect("a token").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = fs::read_to_string(&file).expect("a token").trim().to_owned();
    let operator = server.client().with_token(&token);
    assert_eq!(operator.get("/api/operator/users").await.expect("an answer").status, 200);
    let nobody = server.client();
    let zeros = server.client().with_token(&"0".repeat(64));
    let empty = server.client().with_token("");
    for stranger in [&ada, &nobody, &zeros, &empty] {
        for path in ["/api/operator/users", "/api/operator/channels", "/api/operator/hooks"] {
            stranger.get(path).await.expect("an answer").refused(401, "sign-in-required");
        }
        for (method, path) in [
            (Method::DELETE, "/api/operator/users/Ada"),
            (Method::DELETE, "/api/operator/channels/launch"),
            (Method::POST, "/api/operator/users/Ada/links"),
            (Method::DELETE, "/api/operator/hooks/h"),
            (Method::PUT, "/api/operator/hooks/h/pause"),
            (Method::DELETE, "/api/operator/hooks/h/pause"),
        ] {
            let answer = stranger.request(method, path).send().await.expect("an answer");
            assert_eq!(answer.status(), 401, "{path}");
        }
    }
    // It is nobody's session.
    for path in ["/api/session", "/api/channels", "/api/users", "/api/channels/general/messages"] {
        assert_eq!(operator.get(path).await.expect("an answer").status, 401, "{path}");
    }
    let mut server = server;
    server.kill();
    let server = server.restart().await;
    let before = server.client().with_token(&token).get("/api/operator/users").await;
    assert_eq!(before.expect("an answer").status, 401, "each start makes another");
}

#[test]
fn without_data_nothing_is_made() {
    let nothing = tempfile::tempdir().expect("a temporary directory");
    let missing = nothing.path().join("missing");
    for arguments in [
        &["users", "list"][..],
        &["channels", "list"],
        &["users", "remove", "Ada"],
        &["channels", "remove", "launch"],
        &["users", "link", "Ada"],
        &["hooks", "list"],
        &["hooks", "remove", "h"],
        &["hooks", "pause", "h"],
        &["hooks", "resume", "h"],
    ] {
        refused(nothing.path(), arguments, "there is no database in");
        refused(&missing, arguments, "there is no database in");
    }
    assert_eq!(fs::read_dir(nothing.path()).expect("a directory").count(), 0);
}
