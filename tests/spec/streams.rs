//! Tests of event streams: live, resumed, reset.

use std::time::Instant;

use futures::future::join_all;
use houston::engine::presence::MAX_NAMED;
use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Feed, Person, Workspace, event};

#[rocket::async_test]
async fn everyone_in_a_channel_sees_a_message_at_once() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let (mut to_ada, mut to_bob) = (ada.listens("general").await, bob.listens("general").await);

    let message = ada.posts("general", "hello\nworld").await;

    assert_eq!(to_ada.next_named("message").await.data, message);
    assert_eq!(to_bob.next_named("message").await.data, message);
}

#[rocket::async_test]
async fn asking_for_the_head_of_a_stream_joins_nothing() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    for path in ["/api/channels/general/events", "/api/events"] {
        assert_eq!(bob.asks(Method::Head, path, &[], "").await.status, 200, "{path}");
        assert_eq!(workspace.visitor().asks(Method::Head, path, &[], "").await.status, 401);
    }
    assert_eq!(bob.asks(Method::Head, "/api/channels/none/events", &[], "").await.status, 404);
    assert!(!online(&ada, &bob).await);
}

#[rocket::async_test]
async fn a_stream_is_not_kept_or_changed_on_its_way() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let answer = ada.asks(Method::Head, "/api/channels/general/events", &[], "").await;
    assert_eq!(answer.header("Content-Type"), Some("text/event-stream"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store, no-transform"));
    assert_eq!(answer.header("X-Accel-Buffering"), Some("no"));
}

#[rocket::async_test]
async fn without_a_cursor_a_stream_starts_now_and_with_0_at_the_beginning() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "one").await;
    let mut now = ada.listens("general").await;
    let mut all = ada.opens("/api/channels/general/events?after=0", &[]).await;
    ada.posts("general", "two").await;

    assert_eq!(now.next_lasting().await, event("message", "two"));
    assert_eq!(all.next_lasting().await, event("message", "one"));
    assert_eq!(all.next_lasting().await, event("message", "two"));
}

#[rocket::async_test]
async fn who_has_heard_all_that_is_stored_hears_no_earlier_change_again() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for id in ["m1", "m2", "m3"] {
        ada.puts("general", id, id).await;
    }
    ada.delete("/api/channels/general/messages/m2").await;
    ada.puts("general", "m1", "m1, edited").await;
    let mut all = ada.opens("/api/channels/general/events?after=0", &[]).await;
    assert_eq!(all.next_lasting().await, event("message", "m1, edited"));
    assert_eq!(all.next_lasting().await, event("message", "m3"));
    let seen = all.last_id.clone().expect("an id");

    let mut feed = ada.listens_after("general", &seen).await;

    ada.posts("general", "m4").await;
    assert_eq!(feed.next_lasting().await, event("message", "m4"));
}

#[rocket::async_test]
async fn the_cursor_of_a_history_continues_it() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "one").await;
    let (_, cursor) = ada.history("general").await;
    ada.posts("general", "two").await;

    let path = format!("/api/channels/general/events?after={cursor}");
    let mut feed = ada.opens(&path, &[]).await;

    assert_eq!(feed.next_lasting().await, event("message", "two"));
}

#[rocket::async_test]
async fn last_event_id_counts_more_than_the_query() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "one").await;
    let (_, cursor) = ada.history("general").await;
    let path = "/api/channels/general/events?after=0";
    let mut feed = ada.opens(path, &[("Last-Event-ID", &cursor)]).await;
    ada.posts("general", "two").await;
    assert_eq!(feed.next_lasting().await, event("message", "two"));
}

#[rocket::async_test]
async fn who_comes_back_misses_nothing_and_sees_nothing_twice() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let seen = goes_away(&ada).await;

    let mut feed = ada.listens_after("general", &seen).await;

    returned(&ada, &mut feed).await;
}

#[rocket::async_test]
async fn who_comes_back_after_a_restart_misses_nothing_either() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let seen = goes_away(&ada).await;
    let token = ada.token.clone().expect("a token");
    drop(ada);

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    let mut feed = ada.listens_after("general", &seen).await;
    returned(&ada, &mut feed).await;
}

#[rocket::async_test]
async fn a_cursor_that_points_at_what_was_erased_holds_after_a_restart() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("general", "seen").await;
    bob.delete("/api/session").await;
    let (_, cursor) = ada.history("general").await;
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    let mut feed = ada.listens_after("general", &cursor).await;
    ada.posts("general", "next").await;
    assert_eq!(feed.next_lasting().await, event("message", "next"));
}

/// Opens a stream and leaves it, before something happens. Returns the last event that was seen.
async fn goes_away(ada: &Person) -> String {
    let mut feed = ada.listens("general").await;
    ada.puts("general", "edited", "draft").await;
    ada.puts("general", "deleted", "oops").await;
    feed.next_lasting().await;
    feed.next_lasting().await;
    let seen = feed.last_id.clone().expect("an id");
    drop(feed);
    ada.posts("general", "one").await;
    ada.puts("general", "edited", "final").await;
    ada.deletes("general", "deleted").await;
    ada.puts("general", "fleeting", "never seen").await;
    ada.deletes("general", "fleeting").await;
    ada.posts("general", "two").await;
    seen
}

/// Checks what a listener is sent who comes back after [`goes_away`].
async fn returned(ada: &Person, feed: &mut Feed<'_>) {
    assert_eq!(feed.next_lasting().await, event("message", "one"));
    assert_eq!(feed.next_lasting().await, event("message-updated", "final"));
    assert_eq!(feed.next_lasting().await, event("message-deleted", "deleted"));
    assert_eq!(feed.next_lasting().await, event("message", "two"));
    ada.posts("general", "live").await;
    assert_eq!(feed.next_lasting().await, event("message", "live"));
}

#[rocket::async_test]
async fn a_cursor_older_than_what_is_kept_means_a_reset_and_all_that_is_stored() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "seen").await;
    let (_, seen) = ada.history("general").await;
    for n in 0..101 {
        ada.posts("general", &n.to_string()).await;
    }

    let mut feed = ada.listens_after("general", &seen).await;

    assert_eq!(feed.next_lasting().await, event("reset", "too-old"));
    let after_reset = feed.last_id.clone().expect("a reset has an id");
    for n in 1..101 {
        assert_eq!(feed.next_lasting().await, event("message", &n.to_string()));
    }

    let mut broken = ada.listens_after("general", &after_reset).await;
    assert_eq!(broken.next_lasting().await, event("message", "1"), "a reset can be resumed, too");
}

#[rocket::async_test]
async fn exactly_a_hundred_missed_messages_are_no_gap() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "seen").await;
    let (_, seen) = ada.history("general").await;
    for n in 0..100 {
        ada.posts("general", &n.to_string()).await;
    }
    let mut feed = ada.listens_after("general", &seen).await;
    for n in 0..100 {
        assert_eq!(feed.next_lasting().await, event("message", &n.to_string()));
    }
}

#[rocket::async_test]
async fn a_cursor_that_is_none_of_this_stream_means_a_reset() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("ops").await;
    ada.posts("general", "stored").await;
    let (_, of_ops) = ada.history("ops").await;
    let other_store = Workspace::start().await;
    let (_, of_other_store) = other_store.signed_in_as("Ada").await.history("general").await;
    let (_, own) = ada.history("general").await;
    let (epoch, _) = own.split_once('-').expect("an epoch");
    let future = format!("{epoch}-999999");
    for cursor in ["garbage", "-1", "17", "💥", &of_ops, &of_other_store, &future] {
        let mut feed = ada.listens_after("general", cursor).await;
        assert_eq!(feed.next_lasting().await, event("reset", "unknown-cursor"), "{cursor:?}");
        assert_eq!(feed.next_lasting().await, event("message", "stored"), "{cursor:?}");
    }
    let mut everywhere = ada.opens("/api/events?after=garbage", &[]).await;
    assert_eq!(everywhere.next_lasting().await, event("reset", "unknown-cursor"));
}

#[rocket::async_test]
async fn joins_and_leaves_are_announced_once_per_person() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut feed = ada.listens("general").await;
    let joined = feed.next_named("joined").await;
    assert_eq!(joined.data, json!({ "user": ada.user, "online": 1 }));
    assert_eq!(joined.id, None, "presence does not last");

    let (first, second) = (bob.listens("general").await, bob.listens("general").await);
    assert_eq!(feed.next_named("joined").await.data, json!({ "user": bob.user, "online": 2 }));
    let online = ada.get("/api/channels/general").await.json()["online"].clone();
    assert_eq!(online, json!([ada.user, bob.user]));

    drop(first);
    drop(second);
    let next = feed.next().await.expect("an event");
    assert_eq!((&*next.name, next.data), ("left", json!({ "user": bob.user, "online": 1 })));
    let online = ada.get("/api/channels/general").await.json()["online"].clone();
    assert_eq!(online, json!([ada.user]));
}

#[rocket::async_test]
async fn a_reload_announces_nothing() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let first = bob.listens("general").await;
    let mut feed = ada.listens("general").await;
    feed.next_named("joined").await;
    drop(first);
    let _second = bob.listens("general").await;
    let carol = workspace.signed_in_as("Carol").await;
    let third = carol.listens("general").await;
    drop(third);

    assert_eq!(feed.next().await.expect("an event").data["user"], carol.user);
    assert_eq!(feed.next_named("left").await.data["user"], carol.user, "and not Bob");
}

#[rocket::async_test]
async fn of_many_people_it_is_told_how_many_they_are_and_not_who_each_is() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let (mut everywhere, mut here) = (ada.listens_everywhere().await, ada.listens("general").await);
    let names = (1..300).map(|n| format!("User {n}"));
    let crowd = join_all(names.map(|name| async { workspace.signed_in_as(&{ name }).await })).await;

    let begun = Instant::now();
    let mut feeds = Vec::new();
    for person in &crowd {
        feeds.push(person.listens("general").await);
    }

    for (feed, named) in [(&mut here, "joined"), (&mut everywhere, "online")] {
        let told = until_told_of(300, feed).await;
        let names = told.iter().filter(|name| *name == named).count();
        assert_eq!(names, MAX_NAMED, "up to so many each is told");
        let seconds = usize::try_from(begun.elapsed().as_secs()).expect("few");
        assert!(told.len() - names <= seconds + 2, "at most once a second: {told:?}");
    }

    drop(feeds);
    let told = until_told_of(1, &mut here).await;
    let names = told.iter().filter(|name| *name == "left").count();
    assert_eq!(names, MAX_NAMED - 1, "and again each of the last");
    until_told_of(1, &mut everywhere).await;
    let online = ada.get("/api/channels/general").await.json()["online"].clone();
    assert_eq!(online, json!([ada.user]));
}

/// Reads until so many people are counted, and returns the names of the events until then.
async fn until_told_of(people: usize, feed: &mut Feed<'_>) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let heard = feed.next().await.expect("the stream goes on");
        told.push(heard.name);
        if told.last().is_some_and(|name| name == "presence") && heard.data["online"] == people {
            return told;
        }
    }
}

#[rocket::async_test]
async fn what_happens_everywhere_is_on_one_stream() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut feed = ada.listens_everywhere().await;
    assert_eq!(feed.next_named("online").await.data, json!({ "user": ada.user }));

    let ops = bob.creates("ops").await;
    assert_eq!(feed.next_named("channel-created").await.data["id"], ops["id"]);
    let message = bob.posts("ops", "@ada look").await;
    assert_eq!(
        feed.next_named("activity").await.data,
        json!({
            "channel": "ops",
            "channel_id": ops["id"],
            "unread": 1,
            "mentions": 1,
            "last_message_at": message["sent_at"],
        })
    );
    bob.patch("/api/channels/ops", json!({ "topic": "pagers" })).await;
    assert_eq!(feed.next_named("channel-updated").await.data["topic"], "pagers");
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    assert_eq!(feed.next_named("renamed").await.data["user"]["display_name"], "Robert");
    let stream = bob.listens("ops").await;
    assert_eq!(feed.next_named("online").await.data["user"]["id"], *bob.id());
    assert!(online(&ada, &bob).await);
    drop(stream);
    assert_eq!(feed.next_named("offline").await.data["user"]["id"], *bob.id());
    assert!(!online(&ada, &bob).await);
}

async fn online(asks: &Person, whom: &Person) -> bool {
    let users = asks.get("/api/users").await.json();
    let users = users["users"].as_array().expect("users").clone();
    users.iter().any(|user| user["id"] == *whom.id() && user["online"] == json!(true))
}

#[rocket::async_test]
async fn what_happened_everywhere_can_be_resumed() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut feed = ada.listens_everywhere().await;
    ada.creates("one").await;
    assert_eq!(feed.next_lasting().await, event("channel-created", &id_of(&ada, "one").await));
    let seen = feed.last_id.clone().expect("an id");
    drop(feed);
    ada.creates("two").await;

    let mut feed = ada.opens("/api/events", &[("Last-Event-ID", &seen)]).await;

    assert_eq!(feed.next_lasting().await, event("channel-created", &id_of(&ada, "two").await));
}

#[rocket::async_test]
async fn what_somebody_reads_is_told_to_them_alone() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let (mut adas, mut bobs) = (ada.listens_everywhere().await, bob.listens_everywhere().await);
    let message = ada.posts("general", "hello").await;
    assert_eq!(bobs.next_named("activity").await.data["unread"], 1);
    assert_eq!(adas.next_named("activity").await.data["unread"], 0);
    let seen = bobs.last_id.clone().expect("an id");

    bob.put("/api/channels/general/read", json!({ "message": message["id"] })).await;
    assert_eq!(bobs.next_named("activity").await.data["unread"], 0);
    ada.creates("one").await;

    assert_eq!(bobs.next_lasting().await.0, "channel-created");
    assert_eq!(adas.next_lasting().await.0, "channel-created");
    // The marker comes first. Whoever has heard of it only has not missed the channel, and whoever
    // has heard of both hears of neither again.
    let mut again = bob.opens("/api/events", &[("Last-Event-ID", &seen)]).await;
    assert_eq!(again.next_lasting().await.0, "activity");
    let seen = again.last_id.clone().expect("an id");
    let mut again = bob.opens("/api/events", &[("Last-Event-ID", &seen)]).await;
    again.next_named("channel-created").await;
    let seen = again.last_id.clone().expect("an id");
    let mut again = bob.opens("/api/events", &[("Last-Event-ID", &seen)]).await;
    let two = ada.creates("two").await;
    let heard = again.next_lasting().await;
    assert_eq!(heard, event("channel-created", two["id"].as_str().expect("an id")));
}

/// The read markers of a thousand users must not make others miss events.
#[rocket::async_test]
async fn what_others_read_hides_nothing_from_who_comes_back() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut feed = ada.listens_everywhere().await;
    ada.creates("one").await;
    assert_eq!(feed.next_lasting().await.0, "channel-created");
    let seen = feed.last_id.clone().expect("an id");
    drop(feed);
    let earlier = ada.posts("general", "from ada").await;
    bob.posts("general", "from bob").await;
    bob.put("/api/channels/general/read", json!({ "message": earlier["id"] })).await;

    let mut feed = ada.opens("/api/events", &[("Last-Event-ID", &seen)]).await;

    assert_eq!(feed.next_named("activity").await.data["unread"], 1);
}

async fn id_of(asks: &Person, channel: &str) -> String {
    match asks.channel(channel).await["id"].clone() {
        Value::String(id) => id,
        other => panic!("no id: {other}"),
    }
}

#[rocket::async_test]
async fn signing_out_ends_ones_streams_and_no_others() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let (mut one, mut two) = (ada.listens("general").await, ada.listens_everywhere().await);
    let mut bobs = bob.listens("general").await;

    ada.delete("/api/session").await;

    one.ends().await;
    two.ends().await;
    bob.posts("general", "still here").await;
    assert_eq!(bobs.next_lasting().await, event("message", "still here"));
    ada.get("/api/channels/general/events").await.refused(401, "sign-in-required");
}

#[rocket::async_test]
async fn a_reader_that_is_too_slow_is_reset_and_goes_on() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut slow = ada.listens("general").await;
    // More than a ring keeps and a connection buffers, in texts that are as long as can be.
    for n in 0..700 {
        ada.posts("general", &format!("{n} {}", "x".repeat(3_900))).await;
    }
    let mut told = Vec::new();
    loop {
        let (name, said) = slow.next_lasting().await;
        let last = said.starts_with("699 ");
        told.push((name, said));
        if last {
            break;
        }
    }
    let reset = told.iter().position(|(name, _)| name == "reset").expect("a reset");
    assert_eq!(told[reset], event("reset", "too-slow"));
    let after: Vec<_> = told[reset + 1..].iter().map(|(_, said)| said.clone()).collect();
    assert_eq!(after, ada.reads("general").await, "then everything that is stored, once");
}

/// The number of streams that a user may have open, by default.
const STREAMS_PER_USER: usize = 64;

#[rocket::async_test]
async fn one_stream_too_many_ends_the_users_oldest_and_nobody_elses() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut bobs = bob.listens("general").await;
    let mut oldest = ada.listens("general").await;
    let mut streams = Vec::new();
    for n in 0..STREAMS_PER_USER {
        streams.push(match n % 2 {
            0 => ada.listens_everywhere().await,
            _ => ada.listens("general").await,
        });
    }
    oldest.ends().await;
    assert_eq!(open_streams(&ada).await, STREAMS_PER_USER + 1, "Bob's, too");

    ada.posts("general", "Is anybody here?").await;
    assert_eq!(bobs.next_named("message").await.data["text"], "Is anybody here?");
    let last = streams.last_mut().expect("a stream");
    assert_eq!(last.next_named("message").await.data["text"], "Is anybody here?");
    let (mut second, mut third) = (streams.remove(0), streams.remove(0));
    drop(ada.listens("general").await);
    second.ends().await;
    assert_eq!(third.next_named("message").await.data["text"], "Is anybody here?");
}

#[rocket::async_test]
async fn past_the_streams_in_all_a_client_is_asked_to_come_back_later() {
    let workspace = Workspace::with(|settings| settings.merge(("max_streams", 3))).await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let streams = [
        ada.listens("general").await,
        ada.listens_everywhere().await,
        bob.listens("general").await,
    ];
    for path in ["/api/events", "/api/channels/general/events"] {
        let refused = bob.get(path).await;
        refused.refused(503, "too-busy");
        assert!(refused.header("Retry-After").is_some(), "{refused:?}");
    }
    bob.posts("general", "All else works").await;
    drop(streams);
    // What has ended is noticed soon.
    while bob.asks(Method::Head, "/api/events", &[], "").await.status != 200
        || open_streams(&ada).await > 0
    {
        rocket::tokio::task::yield_now().await;
    }
    drop(bob.listens_everywhere().await);
}

async fn open_streams(person: &Person) -> usize {
    let metrics = person.get("/metrics").await.text;
    let mut lines = metrics.lines();
    let streams = lines.find_map(|line| line.strip_prefix("houston_streams ")).expect("a number");
    streams.parse().expect("a number")
}
