//! Tests of erasing while several nodes read.

use futures::StreamExt;
use futures::future::join_all;
use houston::backends::jetstream::connection::Nats;
use houston::backends::jetstream::log::JetStreamLog;
use houston::domain::ids::Seq;
use houston::engine::log::{AppendError, Expect, Feed, Log};
use rocket::tokio::runtime;
use rocket::tokio::time::{sleep, timeout};
use serde_json::{Value, json};

use crate::contract::log::*;
use crate::faults::delete_consumers;
use crate::log::{PATIENT, QUICK, prefix};
use crate::nats::{Servers, until};

async fn open(nats: &Nats) -> JetStreamLog {
    JetStreamLog::open(nats, PATIENT).await.expect("a log")
}

/// The number of entries that the servers have.
async fn stored(nats: &Nats) -> u64 {
    let name = format!("STREAM.INFO.{}-log", nats.prefix());
    let info: Value = nats.jetstream().request(name, &json!({})).await.expect("an answer");
    info["state"]["messages"].as_u64().expect("a number")
}

/// A message and its deletion, which both are spent by the latter.
async fn append_two(log: &JetStreamLog) -> [Seq; 2] {
    let message = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
    let deletion = log.append(draft(change(message), Expect::Absent)).await.expect("appended").seq;
    [message, deletion]
}

/// A node that has read a message and finds its deletion erased would keep the message for ever.
#[rocket::async_test]
async fn nothing_is_erased_before_every_node_has_read_why() {
    let prefix = prefix();
    let servers = Servers::shared().await;
    let (here, there) = (servers.connect(&prefix).await, servers.connect(&prefix).await);
    let (log, slow) = (open(&here).await, open(&there).await);
    let mut held_back = slow.follow(Seq(0));
    assert_eq!(next(&mut held_back).await, None, "caught up");
    let [message, deletion] = append_two(&log).await;
    assert_eq!(next(&mut held_back).await.map(|entry| entry.seq), Some(message));

    log.erase(deletion, vec![message, deletion]);
    // So long that it would have been erased.
    sleep(PATIENT.beat * 15).await;
    assert_eq!(stored(&here).await, 2);

    assert_eq!(next(&mut held_back).await.map(|entry| entry.seq), Some(deletion));
    until("both are erased", async || stored(&here).await == 0).await;
}

/// What is spent and still there is in nobody's way, and what is not is.
#[rocket::async_test]
async fn an_append_does_not_wait_for_what_is_to_be_erased() {
    let prefix = prefix();
    let servers = Servers::shared().await;
    let (here, there) = (servers.connect(&prefix).await, servers.connect(&prefix).await);
    let (log, slow) = (open(&here).await, open(&there).await);
    let mut held_back = slow.follow(Seq(0));
    assert_eq!(next(&mut held_back).await, None, "caught up");
    let append = async |expect| log.append(draft(marker(1), expect)).await;
    let claimed = append(Expect::Absent).await.expect("absent").seq;
    let changed = append(Expect::At(claimed)).await.expect("at").seq;
    let refused = append(Expect::Any).await.expect("any").seq;

    log.erase(refused, vec![refused]);
    let conflict = append(Expect::At(claimed)).await;
    assert_eq!(conflict, Err(AppendError::Conflict(Some(changed))), "the last that counts");
    let left = append(Expect::At(changed)).await.expect("at the last that counts").seq;
    log.erase(left, vec![claimed, changed, left]);
    let conflict = append(Expect::At(left)).await;
    assert_eq!(conflict, Err(AppendError::Conflict(None)), "it is spent itself");
    let again = append(Expect::Absent).await.expect("absent again").seq;
    let conflict = append(Expect::Absent).await;
    assert_eq!(conflict, Err(AppendError::Conflict(Some(again))));

    assert_eq!(stored(&here).await, 5, "nothing is erased yet");
    for seq in [claimed, changed, refused, left, again] {
        assert_eq!(next(&mut held_back).await.map(|entry| entry.seq), Some(seq));
    }
    until("all that is spent is erased", async || stored(&here).await == 1).await;
}

/// The first of two nodes erases; the other one, which finds the same entries spent, once it is gone.
#[rocket::async_test]
async fn what_a_node_left_is_erased_by_another() {
    let prefix = prefix();
    let servers = Servers::shared().await;
    let nats = servers.connect(&prefix).await;
    let first = JetStreamLog::open(&nats, QUICK).await.expect("a log");
    let second = JetStreamLog::open(&nats, QUICK).await.expect("a log");
    let [message, deletion] = append_two(&first).await;
    for log in [&first, &second] {
        log.erase(deletion, vec![message]);
    }
    until("the first one erases", async || stored(&nats).await == 1).await;

    drop(first);
    second.erase(deletion, vec![deletion]);

    until("the second one erases", async || stored(&nats).await == 0).await;
}

/// A node whose process is stopped for so long that the others do not wait for it.
#[test]
fn a_node_that_was_away_for_too_long_finds_out() {
    let away = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let here = runtime::Runtime::new().expect("a runtime");
    let prefix = prefix();
    let (nats, log) = here.block_on(async {
        let nats = Servers::shared().await.connect(&prefix).await;
        let log = JetStreamLog::open(&nats, QUICK).await.expect("a log");
        (nats, log)
    });
    let options = here.block_on(Servers::shared()).options(&prefix);
    let [message, deletion] = here.block_on(append_two(&log));
    // Its runtime runs only within `block_on`: outside it is frozen.
    let (_frozen, mut feed) = away.block_on(async {
        let nats = Nats::connect(&options).await.expect("a connection");
        let frozen = JetStreamLog::open(&nats, QUICK).await.expect("a log");
        let mut feed = frozen.follow(Seq(0));
        for seq in [message, deletion] {
            assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(seq));
        }
        assert_eq!(next(&mut feed).await, None, "caught up");
        (frozen, feed)
    });

    let last = here.block_on(async {
        delete_consumers(&nats).await;
        let [message, deletion] = append_two(&log).await;
        log.erase(deletion, vec![message, deletion]);
        until("it is not waited for", async || stored(&nats).await == 2).await;
        log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq
    });

    away.block_on(async {
        let found = timeout(DEADLINE, feed.next()).await.expect("in time");
        assert_eq!(found, Some(Feed::Incomplete), "not {last}");
        assert_eq!(feed.next().await, None);
    });
}

/// Whoever erases it has not heard of the reader yet.
#[rocket::async_test]
async fn who_reads_while_something_is_erased_finds_out() {
    let nats = Servers::shared().await.connect(&prefix()).await;
    let log = open(&nats).await;
    let [message, deletion] = append_two(&log).await;
    let kept = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let mut feed = log.follow(Seq(0));
    assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(message));

    let stream = nats.jetstream().get_stream_no_info(format!("{}-log", nats.prefix())).await;
    let stream = stream.expect("a stream");
    for seq in [message, deletion] {
        assert!(stream.delete_message(seq.0).await.expect("an answer"));
    }

    let rest: Vec<_> = timeout(DEADLINE, feed.collect()).await.expect("it ends");
    assert_eq!(rest.last(), Some(&Feed::Incomplete), "{rest:?}");
    assert!(rest.iter().all(|fed| !matches!(fed, Feed::CaughtUp(_))), "{rest:?}");
    assert_eq!(kept_seqs(&log).await, [kept], "the next time");
}

/// A node that begins to read is not heard at once. It notices, and the next time it is waited for.
#[rocket::async_test]
async fn who_reads_while_something_is_erased_reads_again() {
    let prefix = prefix();
    let nats = Servers::shared().await.connect(&prefix).await;
    let log = open(&nats).await;
    let appends = (0..400).map(|n| log.append(draft(marker(n), Expect::Any)));
    let mut seqs: Vec<_> =
        join_all(appends).await.into_iter().map(|it| it.expect("appended").seq).collect();
    seqs.sort_unstable();
    let last = *seqs.last().expect("entries");
    log.erase(last, seqs[..300].to_vec());
    until("some are erased", async || stored(&nats).await < 390).await;

    let reader = open(&nats).await;
    let mut attempts = 1;
    let (read, _feed) = loop {
        let mut feed = reader.follow(Seq(0));
        let mut read = Vec::new();
        let end = loop {
            match timeout(DEADLINE, feed.next()).await.expect("in time").expect("it goes on") {
                Feed::Entry(entry) => read.push(entry.seq),
                end => break end,
            }
        };
        if end == Feed::CaughtUp(last) {
            break (read, feed);
        }
        assert_eq!(end, Feed::Incomplete);
        attempts += 1;
    };

    assert!(attempts <= 3, "{attempts} attempts");
    assert!(seqs.ends_with(&read), "the first ones are missing, and nothing else: {read:?}");
    assert!(read.len() as u64 >= stored(&nats).await, "all that is kept");
    until("the rest is erased once all have read it", async || stored(&nats).await == 100).await;
}
