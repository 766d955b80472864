//! Starting again: cursors across restarts, pasts that were undone, what time ends.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use houston::backends::sqlite::Sqlite;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::{Device, Engine};
use rocket::http::Method;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::timeout;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::blobs::memory::Memory as Blobs;
use crate::harness::{Person, Workspace};

const DEADLINE: Duration = Duration::from_secs(30);

/// A copy of a data directory whose server has ended.
fn copy_of(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary directory");
    for name in ["houston.db", "houston.db-wal"] {
        let from = data.join(name);
        if from.exists() {
            fs::copy(from, copy.path().join(name)).expect("a copy");
        }
    }
    copy
}

/// The same, as if all of it had happened so many days earlier.
fn aged(data: &Path, days: i64) -> TempDir {
    let copy = copy_of(data);
    let database = Connection::open(copy.path().join("houston.db")).expect("a database");
    let millis = days * 24 * 60 * 60 * 1_000;
    database.execute("update log set at = at - ?1", [millis]).expect("earlier");
    let sessions = "update log set body = json_set(body, '$.sessions[0].used_at', \
                    json_extract(body, '$.sessions[0].used_at') - ?1) where key like 'd.u.%'";
    database.execute(sessions, [millis]).expect("used earlier");
    copy
}

/// Ends the server, and gives the data directory as it is then.
async fn ended(workspace: Workspace, change: impl FnOnce(&Path) -> TempDir) -> TempDir {
    let workspace = workspace.restarted().await;
    change(workspace.data())
}

fn token(person: &Person) -> String {
    person.token.clone().expect("a token")
}

#[rocket::async_test]
async fn a_cursor_from_a_past_that_was_undone_means_a_reset() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "before").await;
    let token = token(&ada);
    drop(ada);
    let workspace = workspace.restarted().await;
    let backup = copy_of(workspace.data());
    let person = workspace.holder_of(&token);
    person.posts("general", "undone").await;
    let (_, cursor) = person.history("general").await;
    let everywhere = person.listens_everywhere().await.last_id.clone().expect("an id");

    let restored = Workspace::over(backup).await;
    let ada = restored.holder_of(&token);
    ada.posts("general", "after").await;
    ada.posts("general", "and more").await;

    let mut feed = ada.listens_after("general", &cursor).await;
    assert_eq!(feed.next_named("reset").await.data["reason"], "unknown-cursor");
    assert_eq!(feed.next_named("message").await.data["text"], "before");
    assert_eq!(feed.next_named("message").await.data["text"], "after");
    let mut feed = ada.opens("/api/events", &[("Last-Event-ID", &everywhere)]).await;
    assert_eq!(feed.next_named("reset").await.data["reason"], "unknown-cursor");
}

#[rocket::async_test]
async fn a_cursor_beyond_the_head_of_its_start_means_a_reset() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "hello").await;
    let (_, cursor) = ada.history("general").await;
    let (of, seq) = cursor.rsplit_once('-').expect("parts");
    let beyond = format!("{of}-{}", seq.parse::<u64>().expect("a number") + 1_000);
    let mut feed = ada.listens_after("general", &beyond).await;
    assert_eq!(feed.next_named("reset").await.data["reason"], "unknown-cursor");
}

#[rocket::async_test]
async fn who_is_cut_off_before_the_first_event_resumes_as_well() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "heard").await;
    for path in ["/api/channels/general/events", "/api/events"] {
        let feed = ada.opens(path, &[]).await;
        let begun = feed.last_id.clone().expect("where it begins");
        drop(feed);
        let sent = ada.posts("general", "missed").await;
        let mut feed = ada.opens(path, &[("Last-Event-ID", &begun)]).await;
        let (name, _) = feed.next_lasting().await;
        assert!(["message", "activity"].contains(&&*name), "{name}: {sent}");
    }
    // A reset that was not heard comes again.
    let path = "/api/channels/general/events";
    let feed = ada.opens(path, &[("Last-Event-ID", "nonsense")]).await;
    let begun = feed.last_id.clone().expect("where it begins");
    drop(feed);
    let mut feed = ada.opens(path, &[("Last-Event-ID", &begun)]).await;
    feed.next_named("reset").await;
}

#[rocket::async_test]
async fn a_stream_of_everything_resumes_after_a_restart() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("old").await;
    ada.creates("gone").await;
    let seen = bob.listens_everywhere().await.last_id.clone().expect("an id");
    ada.creates("new").await;
    ada.patch("/api/channels/old", json!({ "topic": "changed" })).await;
    ada.posts("old", "hello").await;
    ada.posts("@Bob", "just us").await;
    ada.patch("/api/session", json!({ "display_name": "Countess" })).await;
    assert_eq!(ada.delete("/api/channels/gone").await.status, 204);
    let token = token(&bob);
    drop((ada, bob));

    let workspace = workspace.restarted().await;

    let bob = workspace.holder_of(&token);
    let mut feed = bob.opens("/api/events", &[("Last-Event-ID", &seen)]).await;
    let mut told = Vec::new();
    while told.len() < 7 {
        let heard = feed.next().await.expect("an event");
        if !["online", "offline", "reset"].contains(&&*heard.name) {
            told.push((heard.name, heard.data));
        }
        assert_ne!(told.last().map(|(name, _)| &**name), Some("reset"));
    }
    let named = |event: &str, name: &str| {
        told.iter()
            .any(|(told, data)| told == event && (data["name"] == name || data["channel"] == name))
    };
    assert!(named("channel-created", "new"), "{told:?}");
    assert!(named("channel-updated", "old"), "{told:?}");
    assert!(named("activity", "old"), "{told:?}");
    assert!(named("channel-created", "@Countess"), "{told:?}");
    assert!(named("activity", "@Countess"), "{told:?}");
    assert!(named("channel-deleted", "gone"), "{told:?}");
    let renamed = |(name, data): &(String, Value)| {
        name == "renamed" && data["user"]["display_name"] == "Countess"
    };
    assert!(told.iter().any(renamed), "{told:?}");
}

#[rocket::async_test]
async fn a_session_that_nobody_uses_ends_and_frees_its_name() {
    let workspace = Workspace::start().await;
    let ada = token(&workspace.signed_in_as("Ada").await);
    let data = ended(workspace, |data| aged(data, 181)).await;
    let log = || Arc::new(Sqlite::open(data.path()).expect("the store"));
    let start = async |log: Arc<Sqlite>, session_sweep_delay| {
        let bounds = Bounds { session_sweep_delay, ..Bounds::default() };
        let files = FileLimits { max_file_bytes: 1, max_message_files: 1, max_total_bytes: 1 };
        Engine::start(log, Arc::<Blobs>::default(), None, files, bounds).await.expect("an engine")
    };
    let engine = start(log(), Bounds::default().session_sweep_delay).await;
    assert!(engine.session(&ada).is_some(), "a start with a wrong clock ends nobody's session");
    drop(engine);

    let engine = start(log(), Duration::ZERO).await;

    let ends = async {
        while engine.session(&ada).is_some() {
            yield_now().await;
        }
    };
    timeout(DEADLINE, ends).await.expect("it ends");
    let name = "Ada".parse().expect("a name");
    assert!(engine.sign_in(name, None, Device::default()).await.is_ok(), "the name is free");
}

#[rocket::async_test]
async fn the_use_of_a_session_that_a_wrong_clock_noted_is_noted_anew() {
    let workspace = Workspace::start().await;
    let ada = token(&workspace.signed_in_as("Ada").await);
    // Ten years ahead.
    let data = ended(workspace, |data| aged(data, -3_650)).await;
    let workspace = Workspace::over(data).await;
    assert_eq!(workspace.holder_of(&ada).get("/api/session").await.status, 200);
    let data = ended(workspace, copy_of).await;
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    let used = "select max(json_extract(body, '$.sessions[0].used_at')) from log \
                where key like 'd.u.%' and seq = (select max(seq) from log where key like 'd.u.%')";
    let used: i64 = database.query_row(used, [], |row| row.get(0)).expect("a time");
    assert!(used <= chrono::Utc::now().timestamp_millis(), "{used}");
}

#[rocket::async_test]
async fn using_a_session_renews_it_and_its_cookie_at_most_once_a_day() {
    let workspace = Workspace::start().await;
    let ada = token(&workspace.signed_in_as("Ada").await);
    let data = ended(workspace, |data| aged(data, 179)).await;
    let workspace = Workspace::over(data).await;
    let visitor = workspace.visitor();
    let cookie = format!("session={ada}");
    let headers = [("Cookie", &*cookie), ("Host", "localhost")];
    let asks = || visitor.asks(Method::Get, "/api/session", &headers, "");

    let first = asks().await;
    assert_eq!(first.status, 200);
    let renewed = first.header("Set-Cookie").expect("a cookie");
    assert!(renewed.starts_with(&cookie) && renewed.contains("Max-Age=31536000"), "{renewed}");
    assert_eq!(asks().await.header("Set-Cookie"), None);

    drop(visitor);
    let data = ended(workspace, |data| aged(data, 2)).await;
    let workspace = Workspace::over(data).await;
    assert_eq!(workspace.holder_of(&ada).get("/api/session").await.status, 200, "it was renewed");
}

#[rocket::async_test]
async fn a_channel_without_a_creator_belongs_to_everybody() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("ops").await;
    bob.posts("ops", "hello").await;
    bob.patch("/api/channels/ops", json!({ "topic": "x" })).await.refused(403, "not-yours");
    ada.delete("/api/session").await;

    assert_eq!(bob.channel("ops").await["created_by"], json!(null));
    assert_eq!(bob.patch("/api/channels/ops", json!({ "topic": "ours" })).await.status, 200);
    bob.delete("/api/channels/ops").await.refused(403, "not-allowed");
    bob.delete("/api/channels/general").await.refused(403, "not-allowed");

    let token = token(&bob);
    drop((ada, bob));
    let data = ended(workspace, |data| aged(data, 8)).await;
    let workspace = Workspace::over(data).await;
    let bob = workspace.holder_of(&token);
    assert_eq!(bob.delete("/api/channels/ops").await.status, 204, "nobody has spoken for a week");
}

#[rocket::async_test]
async fn what_a_full_channel_keeps_is_the_same_before_and_after_a_restart() {
    let workspace = Workspace::start().await;
    let mut people = Vec::new();
    for n in 0..20 {
        people.push(workspace.signed_in_as(&format!("User {n}")).await);
    }
    for n in 0..100 {
        people[0].puts("general", &format!("m{n}"), "hello").await;
    }
    for round in 0..10 {
        // Twenty put one new id at once; and a deletion races a message.
        let id = format!("new{round}");
        let puts = people.iter().map(|person| person.puts("general", &id, "mine"));
        let statuses: Vec<_> = futures::future::join_all(puts).await;
        let created = statuses.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(created, 1, "one of them wins");
        let path = format!("/api/channels/general/messages/m{}", 50 + round);
        let post = people[1].posts("general", "racing");
        let (deleted, _) = futures::future::join(people[0].delete(&path), post).await;
        assert!([204, 404].contains(&deleted.status));
    }
    let (before, _) = people[0].history("general").await;
    let (token, seen) = (token(&people[0]), before[20]["seq"].clone());
    drop(people);

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    let (after, cursor) = ada.history("general").await;
    assert_eq!(after, before, "{seen}");
    let mut feed = ada.listens_after("general", &cursor).await;
    ada.posts("general", "next").await;
    assert_eq!(feed.next_lasting().await.0, "message", "no reset");
}
