//! Tests of restoring messages that were deleted a moment ago.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use houston::domain::attachment::FileName;
use houston::domain::channel::ChannelRef;
use houston::domain::ids::{AttachmentId, Epoch, MessageId, Seq, Start};
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::blobs::Blobs as _;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::log::{AppendError, Appended, Draft, Feed as LogFeed, Log};
use houston::engine::{Device, Engine, EngineError, MessageDraft, SignedInAs};
use rocket::http::Method;
use rocket::tokio::time::sleep;
use serde_json::{Value, json};

use crate::blobs::memory::Memory as Blobs;
use crate::harness::{Feed, Person, Workspace, event};
use crate::log::memory::Memory;

const M1: &str = "/api/channels/general/messages/m1";

fn url_of(message: &Value) -> &str {
    message["attachments"][0]["url"].as_str().expect("a file")
}

#[rocket::async_test]
async fn a_message_is_restored_at_its_old_place_with_all_that_it_had() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("general", "before").await;
    ada.sends_as(Method::Put, M1, "helo", &[("plan.txt", b"plot")]).await;
    ada.puts("general", "m1", "hello @Bob").await;
    bob.put(&format!("{M1}/reactions/x"), json!({})).await;
    ada.posts("general", "after").await;
    let (before, _) = ada.history("general").await;
    let (mut here, mut everywhere) = (bob.listens("general").await, bob.listens_everywhere().await);

    ada.deletes("general", "m1").await;
    let deleted = here.next_named("message-deleted").await.data;
    assert_eq!(everywhere.next_named("activity").await.data["unread"], 2);
    let restored = ada.restores("general", "m1").await;

    assert_eq!(restored, before[1]);
    let heard = here.next_named("message-restored").await;
    assert_eq!((&heard.data, &heard.data["seq"]), (&restored, &deleted["seq"]));
    assert!(heard.id.is_some());
    let told = everywhere.next_named("activity").await.data;
    assert_eq!((&told["unread"], &told["mentions"]), (&json!(3), &json!(1)));
    assert_eq!(bob.history("general").await.0, before);
    assert_eq!(bob.get(M1).await.json(), restored);
    assert_eq!(bob.get(url_of(&restored)).await.text, "plot");
    assert_eq!(bob.get("/api/search?q=plan.txt").await.json()["messages"][0], restored);
}

#[rocket::async_test]
async fn nobody_sees_a_deleted_message_anywhere() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let start = ada.history("general").await.1;
    let message = ada.sends_as(Method::Put, M1, "hushhush @Bob", &[("plot.txt", b"plot")]).await;
    let message = message.json();
    let (_, seen) = ada.history("general").await;
    ada.deletes("general", "m1").await;
    ada.posts("general", "next").await;

    for person in [&ada, &bob] {
        person.get(M1).await.refused(404, "no-such-message");
        person.get(url_of(&message)).await.refused(404, "no-such-attachment");
        person.delete(M1).await.refused(404, "no-such-message");
        person.put(&format!("{M1}/reactions/x"), json!({})).await.refused(404, "no-such-message");
        let marked = person.put("/api/channels/general/read", json!({ "message": "m1" })).await;
        marked.refused(404, "no-such-message");
        for words in ["hushhush", "plot.txt"] {
            let found = person.get(&format!("/api/search?q={words}")).await.json();
            assert_eq!(found["messages"], json!([]));
        }
        let page = person.page("/channels/general").await;
        assert!(page.text.contains("next") && !page.text.contains("hushhush"), "{page:?}");
        assert_eq!(person.reads("general").await, ["next"]);
        for cursor in [&start, "0", "nonsense"] {
            let path = format!("/api/channels/general/events?after={cursor}");
            let mut feed = person.opens(&path, &[]).await;
            let mut heard = feed.next_lasting().await;
            if heard.0 == "reset" {
                heard = feed.next_lasting().await;
            }
            assert_eq!(heard, event("message", "next"), "{cursor}");
        }
        let mut feed = person.listens_after("general", &seen).await;
        assert_eq!(feed.next_lasting().await, event("message-deleted", "m1"));
        assert_eq!(feed.next_lasting().await, event("message", "next"));
    }
    let general = bob.channel("general").await;
    assert_eq!((&general["unread"], &general["mentions"]), (&json!(1), &json!(0)));
    assert_eq!(bob.lists_channels().await[0], general);
}

#[rocket::async_test]
async fn only_whoever_deleted_a_message_can_restore_it() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    ada.creates("ops").await;
    for (deleter, others) in [(&bob, [&ada, &eve]), (&ada, [&bob, &eve])] {
        bob.puts("ops", "m1", "hello").await;
        deleter.deletes("ops", "m1").await;
        for other in others {
            other.tries_to_restore("ops", "m1").await.refused(404, "no-such-message");
        }
        let visitor = workspace.visitor();
        visitor.tries_to_restore("ops", "m1").await.refused(401, "sign-in-required");
        deleter.restores("ops", "m1").await;
        for other in others {
            other.tries_to_restore("ops", "m1").await.refused(404, "no-such-message");
        }
        assert_eq!(eve.reads("ops").await, ["hello"]);
    }
}

#[rocket::async_test]
async fn where_there_is_nothing_to_restore_there_is_no_such_message() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.puts("general", "there", "never deleted").await;
    ada.creates("gone").await;
    ada.puts("gone", "m1", "with its channel").await;
    ada.deletes("gone", "m1").await;
    ada.delete("/api/channels/gone").await;
    ada.creates("gone").await;
    for (channel, id) in [
        ("general", "never"),
        ("general", "there"),
        ("general", "a.b"),
        ("general", "%C3%A9"),
        ("gone", "m1"),
        ("@Ada", "m1"),
    ] {
        ada.tries_to_restore(channel, id).await.refused(404, "no-such-message");
    }
    ada.tries_to_restore("none", "m1").await.refused(404, "no-such-channel");
    ada.tries_to_restore("@Nobody", "m1").await.refused(404, "no-such-user");
}

#[rocket::async_test]
async fn restoring_again_changes_nothing() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.puts("general", "m1", "hello").await;
    ada.deletes("general", "m1").await;
    let mut feed = ada.listens("general").await;
    let many = (0..20).map(|_| ada.restores("general", "m1"));
    let restored = futures::future::join_all(many).await;
    assert!(restored.iter().all(|message| *message == restored[0]), "{restored:?}");
    assert_eq!(feed.next_lasting().await, event("message-restored", "hello"));
    let edited = ada.puts("general", "m1", "edited").await.json();
    assert_eq!(ada.restores("general", "m1").await, edited, "as it is by then");
    assert_eq!(feed.next_lasting().await, event("message-updated", "edited"));
    ada.posts("general", "next").await;
    assert_eq!(feed.next_lasting().await, event("message", "next"));
}

#[rocket::async_test]
async fn a_restored_message_is_a_message_like_others() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "hello").await;
    ada.puts("general", "m2", "edited before").await;
    ada.puts("general", "m2", "edited").await;
    for (id, before) in [("m1", "hello"), ("m2", "edited")] {
        let reaction = format!("/api/channels/general/messages/{id}/reactions/x");
        for round in 0..3 {
            ada.deletes("general", id).await;
            let restored = ada.restores("general", id).await;
            assert_eq!(restored["reactions"], json!([]), "{id}, round {round}");
            let same = ada.puts("general", id, restored["text"].as_str().expect("a text")).await;
            assert_eq!((same.status, same.json()), (200, restored), "{id}, round {round}");
            assert_eq!(bob.put(&reaction, json!({})).await.status, 204);
            ada.deletes("general", id).await;
            let restored = ada.restores("general", id).await;
            assert_eq!(restored["reactions"][0]["users"], json!([bob.user]));
            assert_eq!(bob.delete(&reaction).await.status, 204);
            bob.puts("general", id, "stolen").await.refused(403, "not-yours");
            let edited = ada.puts("general", id, &format!("{before} {round}")).await;
            assert_eq!(edited.status, 200, "{edited:?}");
        }
    }
    assert_eq!(bob.reads("general").await, ["hello 2", "edited 2"]);
    let read = bob.put("/api/channels/general/read", json!({ "message": "m1" })).await;
    assert_eq!((read.status, &bob.channel("general").await["unread"]), (204, &json!(1)));
}

#[rocket::async_test]
async fn what_has_the_id_by_now_stays_and_the_latest_of_that_id_is_restored() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "first").await;
    ada.deletes("general", "m1").await;
    bob.puts("general", "m1", "Bob's").await;
    ada.tries_to_restore("general", "m1").await.refused(404, "no-such-message");
    assert_eq!(ada.reads("general").await, ["Bob's"]);
    bob.deletes("general", "m1").await;
    assert_eq!(ada.restores("general", "m1").await["text"], "first");
    bob.tries_to_restore("general", "m1").await.refused(404, "no-such-message");
    ada.deletes("general", "m1").await;
    ada.puts("general", "m1", "second").await;
    ada.deletes("general", "m1").await;
    assert_eq!(ada.restores("general", "m1").await["text"], "second");
    assert_eq!(bob.reads("general").await, ["second"]);
}

#[rocket::async_test]
async fn restored_messages_push_out_the_oldest_and_are_pushed_out_themselves() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let put = async |from: u32, to: u32| {
        for n in from..to {
            ada.puts("general", &format!("m{n}"), &n.to_string()).await;
        }
    };
    let keeps = async |expected: &mut dyn Iterator<Item = u32>| {
        let expected: Vec<_> = expected.map(|n| n.to_string()).collect();
        assert_eq!(ada.reads("general").await, expected);
    };
    put(0, 100).await;
    ada.deletes("general", "m0").await;
    ada.deletes("general", "m50").await;
    put(100, 102).await;
    keeps(&mut (1..102).filter(|n| *n != 50)).await;

    ada.tries_to_restore("general", "m0").await.refused(404, "no-such-message");
    ada.restores("general", "m50").await;
    keeps(&mut (2..102)).await;

    ada.deletes("general", "m2").await;
    ada.deletes("general", "m3").await;
    put(102, 104).await;
    ada.tries_to_restore("general", "m3").await.refused(404, "no-such-message");
    ada.deletes("general", "m60").await;
    // Nothing was pushed out that is newer: it has a place again.
    ada.restores("general", "m3").await;
    keeps(&mut (3..104).filter(|n| *n != 60)).await;
    ada.restores("general", "m60").await;
    keeps(&mut (4..104)).await;
    for gone in ["m0", "m2", "m3"] {
        ada.tries_to_restore("general", gone).await.refused(404, "no-such-message");
    }
}

/// Cuts of a listener: who comes back from any of them sees the same as who was never away.
#[rocket::async_test]
async fn who_comes_back_sees_what_was_restored_from_wherever_they_were_cut_off() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut cursors = vec![ada.history("general").await.1];
    for (what, id, text) in [
        ("put", "m1", "one"),
        ("put", "m2", "two"),
        ("delete", "m1", ""),
        ("put", "m3", "three"),
        ("restore", "m1", ""),
        ("put", "m2", "two, edited"),
        ("delete", "m2", ""),
        ("restore", "m2", ""),
        ("put", "m1", "one, edited"),
        ("delete", "m1", ""),
        ("restore", "m1", ""),
        ("delete", "m2", ""),
    ] {
        match what {
            "put" => drop(ada.puts("general", id, text).await),
            "delete" => ada.deletes("general", id).await,
            _ => drop(ada.restores("general", id).await),
        }
        cursors.push(ada.history("general").await.1);
    }
    let token = ada.token.clone().expect("a token");
    let heard = all_heard(&ada, &cursors).await;
    let restored = |text: &str| event("message-restored", text);
    let expected = [
        vec![event("message", "one, edited"), event("message", "three")],
        vec![event("message", "three"), restored("one, edited")],
        vec![event("message", "three"), restored("one, edited"), event("message-deleted", "m2")],
    ];
    assert_eq!(heard[..3], expected);
    let last = vec![restored("one, edited"), event("message-deleted", "m2")];
    assert!(heard[4..11].iter().all(|heard| *heard == last), "{heard:?}");
    assert_eq!(heard[11..], [vec![event("message-deleted", "m2")], vec![]]);
    drop(ada);

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(all_heard(&ada, &cursors).await, heard, "the same after a restart");
}

/// Reads what listeners from these cursors have missed.
async fn all_heard(ada: &Person, cursors: &[String]) -> Vec<Vec<(String, String)>> {
    let mut all = Vec::new();
    for cursor in cursors {
        let mut feed = ada.listens_after("general", cursor).await;
        let end = ada.posts("general", "end").await;
        all.push(until(&mut feed, &end).await);
        ada.deletes("general", end["id"].as_str().expect("an id")).await;
    }
    all
}

/// Reads the lasting events before the one about this message or channel.
async fn until(feed: &mut Feed<'_>, last: &Value) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    loop {
        let next = feed.next().await.expect("the stream goes on");
        if next.data["id"] == last["id"] {
            return heard;
        }
        if next.id.is_some() {
            let said = next.data["text"].as_str().or(next.data["id"].as_str());
            heard.push((next.name, said.unwrap_or_default().to_owned()));
        }
    }
}

#[rocket::async_test]
async fn what_is_unread_counts_a_restored_message_as_before() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "one @Bob").await;
    ada.puts("general", "m2", "two").await;
    ada.puts("general", "m3", "three @Bob").await;
    let counts = async || {
        let general = bob.channel("general").await;
        let number = |field: &str| general[field].as_u64().expect("a number");
        (number("unread"), number("mentions"))
    };
    let change = async |id: &str, deleted: (u64, u64), restored: (u64, u64)| {
        ada.deletes("general", id).await;
        assert_eq!(counts().await, deleted, "{id} is deleted");
        ada.restores("general", id).await;
        assert_eq!(counts().await, restored, "{id} is restored");
    };
    assert_eq!(counts().await, (3, 2));
    for (id, deleted) in [("m1", (2, 1)), ("m2", (2, 2)), ("m3", (2, 1))] {
        change(id, deleted, (3, 2)).await;
    }
    bob.put("/api/channels/general/read", json!({ "message": "m2" })).await;
    for (id, deleted) in [("m1", (1, 1)), ("m2", (1, 1)), ("m3", (0, 0))] {
        change(id, deleted, (1, 1)).await;
    }
    let last = ada.channel("general").await["last_message_at"].clone();
    ada.deletes("general", "m3").await;
    assert_ne!(ada.channel("general").await["last_message_at"], last);
    ada.restores("general", "m3").await;
    assert_eq!(ada.channel("general").await["last_message_at"], last);
}

#[rocket::async_test]
async fn who_comes_back_to_what_happens_everywhere_is_told_of_the_counts() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut feed = bob.listens_everywhere().await;
    ada.puts("general", "m1", "hello").await;
    feed.next_named("activity").await;
    let before = feed.last_id.clone().expect("an id");
    ada.deletes("general", "m1").await;
    feed.next_named("activity").await;
    let between = feed.last_id.clone().expect("an id");
    ada.restores("general", "m1").await;
    feed.next_named("activity").await;
    let after = feed.last_id.clone().expect("an id");
    drop(feed);
    for (cursor, is_told) in [(before, true), (between, true), (after, false)] {
        let mut feed = bob.opens("/api/events", &[("Last-Event-ID", &cursor)]).await;
        let end = ada.creates(&format!("end-{cursor}")).await;
        let told = until(&mut feed, &end).await;
        let activity = told.iter().filter(|(name, _)| name == "activity").count();
        assert_eq!(activity, usize::from(is_told), "{told:?}");
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[rocket::async_test]
async fn a_restart_takes_away_no_time_and_no_file() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "before").await;
    ada.sends_as(Method::Put, M1, "helo", &[("plan.txt", b"plot")]).await;
    let message = ada.puts("general", "m1", "hello").await.json();
    let (before, _) = ada.history("general").await;
    let (_, seen) = ada.history("general").await;
    ada.deletes("general", "m1").await;
    let token = ada.token.clone().expect("a token");
    drop(ada);

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(ada.reads("general").await, ["before"]);
    ada.get(url_of(&message)).await.refused(404, "no-such-attachment");
    assert_eq!(ada.restores("general", "m1").await, message);
    assert_eq!(ada.get(url_of(&message)).await.text, "plot");
    drop(ada);

    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(ada.history("general").await.0, before);
    assert_eq!(ada.get(url_of(&message)).await.text, "plot");
    let mut feed = ada.listens_after("general", &seen).await;
    assert_eq!(feed.next_lasting().await, event("message-restored", "hello"));
    assert_eq!(ada.restores("general", "m1").await, message, "it is known to be restored");
    assert_eq!(ada.puts("general", "m1", "edited").await.status, 200);
}

#[rocket::async_test]
async fn in_a_direct_conversation_the_two_alone_are_told() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    ada.puts("@Bob", "m1", "between us").await;
    let id = format!("id:{}", text_of(&ada.channel("@Bob").await["id"]));
    let (mut eves, mut here) = (eve.listens_everywhere().await, bob.listens("@Ada").await);
    let mut bobs = bob.listens_everywhere().await;
    ada.deletes("@Bob", "m1").await;
    for path in ["@Bob", "@Ada", &id] {
        let refused = eve.tries_to_restore(path, "m1").await;
        let slug = if path == id { "no-such-channel" } else { "no-such-message" };
        refused.refused(404, slug);
    }
    bob.tries_to_restore("@Ada", "m1").await.refused(404, "no-such-message");
    let restored = ada.restores(&id, "m1").await;
    assert_eq!((&restored["channel"], &restored["text"]), (&json!(id), &json!("between us")));
    assert_eq!(here.next_lasting().await, event("message-deleted", "m1"));
    assert_eq!(here.next_lasting().await, event("message-restored", "between us"));
    let told = bobs.next_named("activity").await.data;
    assert_eq!((&told["channel"], &told["unread"]), (&json!("@Ada"), &json!(1)));
    let end = ada.creates("end").await;
    assert_eq!(eves.next_lasting().await, event("channel-created", text_of(&end["id"])));
}

#[rocket::async_test]
async fn what_can_be_restored_counts_against_the_limits_and_is_bounded_itself() {
    let workspace = Workspace::with(|settings| {
        settings
            .merge(("rate_limits", false))
            .merge(("max_kept_text", "64 KiB"))
            .merge(("max_total_size", "1000 B"))
    })
    .await;
    let ada = workspace.signed_in_as("Ada").await;
    let text = "x".repeat(3_900);
    let mut deleted = 0;
    let refused = loop {
        let answer = ada.puts("general", &format!("m{deleted}"), &text).await;
        if answer.status != 201 {
            break answer;
        }
        ada.deletes("general", &format!("m{deleted}")).await;
        deleted += 1;
    };
    refused.refused(413, "too-large");
    assert!(deleted < 9, "{deleted} texts of 7.8 kB with their HTML are in half of 64 KiB");
    let file = ada.sends("general", "", &[("a.txt", &[b'a'; 400])]).await.json();
    ada.deletes("general", text_of(&file["id"])).await;
    let more = ada.sends("general", "", &[("b.txt", &[b'b'; 400])]).await;
    more.refused(413, "too-large");
    ada.restores("general", text_of(&file["id"])).await;

    ada.creates("many").await;
    for n in 0..101 {
        ada.puts("many", &format!("m{n}"), "x").await;
        ada.deletes("many", &format!("m{n}")).await;
    }
    ada.tries_to_restore("many", "m0").await.refused(404, "no-such-message");
    ada.restores("many", "m2").await;
    ada.tries_to_restore("many", "m1").await.refused(404, "no-such-message");
    ada.restores("many", "m100").await;
}

const FILES: FileLimits =
    FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };

/// An engine whose process can be killed.
struct House {
    log: Arc<Memory>,
    blobs: Arc<Blobs>,
    engine: Engine,
    ada: Session,
}

impl House {
    async fn start() -> Self {
        let log = Arc::<Memory>::default();
        Self::on(log.clone(), log).await
    }

    async fn on(log: Arc<Memory>, port: Arc<dyn Log>) -> Self {
        let blobs = Arc::<Blobs>::default();
        let engine = open(port, &blobs).await;
        let name = "Ada".parse().expect("a name");
        let SignedInAs::New(ada) =
            engine.sign_in(name, None, Device::default()).await.expect("she signs in")
        else {
            panic!("nobody is signed in");
        };
        let ada = engine.session(&ada.token).expect("a session");
        Self { log, blobs, engine, ada }
    }

    /// Starts again on what the log and the files are now. What still runs has copies of its own.
    async fn restarted(self) -> Self {
        let (log, blobs) = (Arc::new(self.log.copied()), Arc::new(self.blobs.copied()));
        let engine = open(log.clone(), &blobs).await;
        Self { log, blobs, engine, ada: self.ada }
    }

    /// Puts a message with a file under this id, and returns the file's id.
    async fn puts(&self, id: &str) -> AttachmentId {
        let admission = self.engine.admit_upload(&self.ada, &general()).expect("admitted");
        let bytes = stream::iter([Ok("plot".into())]);
        let file = admission.receive(FileName::from("plan.txt"), bytes).await;
        let file = file.expect("received");
        let attachment = file.attachment().id.clone();
        let text = "hushhush".parse::<Text>().expect("a text");
        let draft = MessageDraft { files: Some(vec![file]), ..text.into() };
        self.engine.put(&self.ada, &general(), &message_id(id), draft).await.expect("kept");
        attachment
    }

    async fn deletes(&self, id: &str) {
        self.engine.delete(&self.ada, &general(), &message_id(id)).await.expect("deleted");
    }

    async fn restores(&self, id: &str) -> Result<(), EngineError> {
        self.engine.restore(&self.ada, &general(), &message_id(id)).await.map(drop)
    }

    async fn has_file(&self, id: &AttachmentId) -> bool {
        self.blobs.open(id).await.is_ok()
    }

    /// The number of the log's entries with the text.
    async fn telling(&self) -> usize {
        let mut feed = self.log.follow(Seq(0));
        let mut telling = 0;
        while let LogFeed::Entry(entry) = feed.next().await.expect("the log goes on") {
            telling += usize::from(entry.body.contains("hushhush"));
        }
        telling
    }
}

async fn open(log: Arc<dyn Log>, blobs: &Arc<Blobs>) -> Engine {
    let engine = Engine::start(log, blobs.clone(), None, FILES, Bounds::default()).await;
    engine.expect("an engine")
}

fn general() -> ChannelRef {
    ChannelRef::from("general")
}

fn message_id(id: &str) -> MessageId {
    id.parse().expect("an id")
}

/// Time is not waited for: it goes on when nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn what_was_deleted_is_there_for_fifteen_seconds_and_gone_within_a_minute() {
    let house = House::start().await;
    let (kept, gone) = (house.puts("m1").await, house.puts("m2").await);
    house.deletes("m1").await;
    house.deletes("m2").await;
    sleep(Duration::from_millis(14_900)).await;
    assert!(house.has_file(&kept).await && house.has_file(&gone).await);
    assert_eq!(house.telling().await, 2);
    house.restores("m1").await.expect("restored");

    // Nothing is said meanwhile.
    sleep(Duration::from_secs(45)).await;

    assert!(house.has_file(&kept).await && !house.has_file(&gone).await);
    assert_eq!(house.telling().await, 1);
    assert_eq!(house.restores("m2").await, Err(EngineError::NoSuchMessage));
    house.deletes("m1").await;
    sleep(Duration::from_mins(1)).await;
    assert!(!house.has_file(&kept).await);
    assert_eq!(house.telling().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_before_a_start_is_gone_within_a_minute_after_it() {
    let house = House::start().await;
    let file = house.puts("m1").await;
    house.deletes("m1").await;
    sleep(Duration::from_secs(10)).await;
    let house = Box::pin(house.restarted()).await;
    assert!(house.has_file(&file).await);
    assert_eq!(house.telling().await, 1);
    house.restores("m1").await.expect("restored");
    house.deletes("m1").await;
    let house = Box::pin(house.restarted()).await;
    sleep(Duration::from_mins(1)).await;
    assert!(!house.has_file(&file).await);
    assert_eq!(house.telling().await, 0);
    assert_eq!(house.restores("m1").await, Err(EngineError::NoSuchMessage));
    let house = Box::pin(house.restarted()).await;
    assert_eq!(house.telling().await, 0);
    assert_eq!(house.engine.history(&house.ada, &general()).expect("a history").messages.len(), 0);
}

/// A log that erases nothing, as one whose process is killed before it does.
struct Unerased(Arc<Memory>);

impl Log for Unerased {
    fn epoch(&self) -> Epoch {
        self.0.epoch()
    }

    fn starts(&self) -> Vec<Start> {
        self.0.starts()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.0.append(draft)
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, LogFeed> {
        self.0.follow(after)
    }

    fn erase(&self, _: Seq, _: Vec<Seq>) {}

    fn is_writable(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_kept_from_being_erased_is_erased_at_the_start() {
    let log = Arc::<Memory>::default();
    let house = House::on(log.clone(), Arc::new(Unerased(log))).await;
    let file = house.puts("m1").await;
    house.deletes("m1").await;
    sleep(Duration::from_mins(1)).await;
    assert!(!house.has_file(&file).await, "its time is over");
    assert_eq!(house.telling().await, 1, "but its entry is there");

    let house = Box::pin(house.restarted()).await;

    assert_eq!(house.telling().await, 0);
    assert_eq!(house.restores("m1").await, Err(EngineError::NoSuchMessage));
}
