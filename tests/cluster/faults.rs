//! Tests of the log while servers fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use houston::backends::jetstream::connection::{Nats, Options};
use houston::backends::jetstream::log::JetStreamLog;
use houston::domain::entry::Entry;
use houston::domain::ids::{OpId, Seq};
use houston::engine::log::{AppendError, Expect, Feed, Log};
use rocket::tokio::time::{Instant, timeout};
use serde_json::{Value, json};

use crate::contract::log::*;
use crate::log::{PATIENT, prefix};
use crate::meddler::{Meddler, Trick};
use crate::nats::{Servers, until};

/// Number of writers of each node in a test.
const WRITERS: usize = 16;

/// A node for a test: a log over a connection of its own, and what it has followed.
struct Node {
    log: Arc<JetStreamLog>,
    feed: BoxStream<'static, Feed>,
}

impl Node {
    async fn of(servers: &Servers, prefix: &str) -> Self {
        let nats = servers.connect(prefix).await;
        let log = Arc::new(JetStreamLog::open(&nats, PATIENT).await.expect("a log"));
        let feed = log.follow(Seq(0));
        Self { log, feed }
    }

    /// Follows up to this entry.
    async fn follow(&mut self, last: Seq) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        while entries.last().is_none_or(|entry| entry.seq < last) {
            entries.extend(next(&mut self.feed).await);
        }
        entries
    }
}

/// Appends from all writers of a node until there are enough, each again while it is not known to be
/// stored, and returns what was acknowledged.
async fn write(log: &JetStreamLog, enough: usize, done: &AtomicUsize) -> Vec<(OpId, Seq)> {
    let write = async |writer: usize| {
        let mut acknowledged = Vec::new();
        while done.fetch_add(1, Ordering::Relaxed) < enough {
            let draft = draft(marker(writer), Expect::Any);
            let appended = log.append(draft.clone()).await.expect("it outlasts an election");
            acknowledged.push((draft.op, appended.seq));
        }
        acknowledged
    };
    join_all((0..WRITERS).map(write)).await.concat()
}

/// Two nodes write while something happens to the servers once a quarter of it is done. All that was
/// acknowledged is there once, at its place, for both.
async fn nothing_is_lost_while(appends: usize, servers: &mut Servers, fault: Fault) {
    let prefix = prefix();
    let nats = servers.connect(&prefix).await;
    let mut nodes = [Node::of(servers, &prefix).await, Node::of(servers, &prefix).await];
    let done = AtomicUsize::new(0);
    let logs = [nodes[0].log.clone(), nodes[1].log.clone()];
    let breaks = async {
        until("some are appended", async || done.load(Ordering::Relaxed) > appends / 4).await;
        let leader = servers.leader(&nats).await;
        match fault {
            Fault::Killed => {
                servers.kill(leader);
                until("it goes on", async || done.load(Ordering::Relaxed) > appends / 2).await;
                servers.restart(leader).await;
            }
            Fault::Frozen => {
                servers.freeze(leader);
                until("it goes on", async || done.load(Ordering::Relaxed) > appends / 2).await;
                servers.thaw(leader);
            }
            Fault::Retired => servers.retire(leader),
        }
    };
    let (one, other, ()) =
        futures::join!(write(&logs[0], appends, &done), write(&logs[1], appends, &done), breaks);
    let mut acknowledged = [one, other].concat();
    acknowledged.sort_by_key(|(_, seq)| *seq);
    assert_eq!(acknowledged.len(), appends);
    let last = acknowledged.last().expect("entries").1;
    let followed = [nodes[0].follow(last).await, nodes[1].follow(last).await];
    let order = |entries: &[Entry]| -> Vec<_> {
        entries.iter().map(|entry| (entry.op, entry.seq)).collect()
    };
    assert_eq!(order(&followed[0]), acknowledged);
    assert_eq!(order(&followed[1]), acknowledged);
    let ops: HashMap<_, _> = acknowledged.into_iter().collect();
    assert_eq!(ops.len(), appends, "none is there twice");
}

/// What happens to the server that leads.
#[derive(Clone, Copy)]
enum Fault {
    Killed,
    Frozen,
    Retired,
}

#[rocket::async_test]
async fn an_election_loses_doubles_and_reorders_nothing() {
    let mut servers = Servers::start(3).await;
    nothing_is_lost_while(2_000, &mut servers, Fault::Killed).await;
}

#[rocket::async_test]
async fn a_leader_that_was_frozen_and_one_that_retires_change_nothing() {
    let mut servers = Servers::start(3).await;
    nothing_is_lost_while(1_000, &mut servers, Fault::Frozen).await;
    nothing_is_lost_while(1_000, &mut servers, Fault::Retired).await;
}

#[rocket::async_test]
async fn without_a_majority_nothing_is_acknowledged_and_it_heals_by_itself() {
    let mut servers = Servers::start(3).await;
    let prefix = prefix();
    let mut node = Node::of(&servers, &prefix).await;
    let first = node.log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    servers.kill(0);
    servers.kill(1);

    let lost = draft(marker(2), Expect::Absent);
    let refused = node.log.append(lost.clone()).await.expect_err("there is no majority");
    assert!(matches!(refused, AppendError::Unknown | AppendError::Unavailable), "{refused}");
    assert!(!node.log.is_writable());

    servers.restart(0).await;
    servers.restart(1).await;
    until("it can be written", async || node.log.is_writable()).await;
    let again = node.log.append(lost.clone()).await.expect("the same again");
    let entries = node.follow(again.seq).await;
    let known: Vec<_> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(known, [first, again.seq], "it is there once");
}

#[rocket::async_test]
async fn a_consumer_that_is_deleted_behind_the_log_is_replaced_at_once() {
    let nats = Servers::shared().await.connect(&prefix()).await;
    let log = JetStreamLog::open(&nats, PATIENT).await.expect("a log");
    let mut feed = log.follow(Seq(0));
    assert_eq!(next(&mut feed).await, None, "caught up");
    for n in 0..3 {
        delete_consumers(&nats).await;
        let seq = log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq;
        let since = Instant::now();
        assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(seq), "the next, and once");
        // Three heartbeats, and a moment for a busy machine.
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    }
}

/// Deletes each consumer of the log's stream, as an operator may.
pub(crate) async fn delete_consumers(nats: &Nats) {
    let stream = format!("{}-log", nats.prefix());
    let names: Value = nats
        .jetstream()
        .request(format!("CONSUMER.NAMES.{stream}"), &json!({}))
        .await
        .expect("an answer");
    for name in names["consumers"].as_array().expect("names") {
        let name = name.as_str().expect("a name");
        let deleted = nats.jetstream().delete_consumer_from_stream(name, &stream).await;
        assert!(deleted.expect("an answer").success);
    }
}

#[rocket::async_test]
async fn an_acknowledgement_that_is_lost_is_no_second_entry() {
    let servers = Servers::shared().await;
    let options = servers.options(&prefix());
    let meddler = Meddler::before(&options.servers[0]).await;
    let only = Options { servers: vec![meddler.url.clone()], ..options };
    let nats = Nats::connect(&only).await.expect("a connection");
    let log = JetStreamLog::open(&nats, PATIENT).await.expect("a log");
    log.append(draft(marker(1), Expect::Absent)).await.expect("appended");

    meddler.plan(Trick::CutBeforeAcknowledgement);
    let draft = draft(marker(2), Expect::Absent);
    let appended = log.append(draft.clone()).await.expect("it is sent again");
    assert!(meddler.has_played(), "one was stolen");

    assert!(!appended.repeated, "it is this append that stored it");
    let repeated = log.append(draft).await.expect("and again by somebody who does not know");
    assert_eq!((repeated.seq, repeated.repeated), (appended.seq, true));
    let seqs = kept_seqs(&log).await;
    assert_eq!((seqs.len(), seqs.last()), (2, Some(&appended.seq)));
}

#[rocket::async_test]
async fn deliveries_that_are_lost_or_doubled_are_given_out_once_and_in_order() {
    let servers = Servers::shared().await;
    let options = servers.options(&prefix());
    let meddler = Meddler::before(&options.servers[0]).await;
    let only = Options { servers: vec![meddler.url.clone()], ..options };
    let log = JetStreamLog::open(&Nats::connect(&only).await.expect("a connection"), PATIENT).await;
    let log = log.expect("a log");
    let append = async |n| log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq;
    let mut appended = vec![append(0).await];
    let mut feed = log.follow(Seq(0));
    assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(appended[0]));
    assert_eq!(next(&mut feed).await, None, "caught up");
    for (n, trick) in [Trick::LoseDelivery, Trick::DoubleDelivery].into_iter().enumerate() {
        meddler.plan(trick);
        for more in 1..=20 {
            appended.push(append(20 * n + more).await);
        }
    }
    for seq in &appended[1..] {
        assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(*seq));
    }
    assert!(meddler.has_played());
}

#[rocket::async_test]
async fn what_was_erased_in_turn_goes_on_in_order_through_an_election() {
    let mut servers = Servers::start(3).await;
    let prefix = prefix();
    let nats = servers.connect(&prefix).await;
    let log = JetStreamLog::open(&nats, PATIENT).await.expect("a log");
    let appends = (0..400).map(|n| log.append(draft(marker(n), Expect::Any)));
    let mut spent: Vec<_> =
        join_all(appends).await.into_iter().map(|it| it.expect("appended").seq).collect();
    let last = *spent.iter().max().expect("entries");
    // Not that of their numbers.
    spent.sort_by_key(|seq| (seq.0 % 7, seq.0));
    for chunk in spent.chunks(25) {
        log.erase(last, chunk.to_vec());
    }

    let mut killed = None;
    until("all is erased", async || {
        let Some(erased) = erased(&nats).await else { return false };
        let gone: Vec<_> = spent.iter().map(|seq| erased.contains(&seq.0)).collect();
        assert!(gone.is_sorted_by(|a, b| a >= b), "the first of them are gone");
        let count = gone.iter().filter(|it| **it).count();
        if count > 50 && killed.is_none() {
            let leader = servers.leader(&nats).await;
            servers.kill(leader);
            killed = Some(leader);
        }
        count == spent.len()
    })
    .await;
    assert!(killed.is_some(), "there was an election");
}

/// The sequences that the leader has no entry of.
async fn erased(nats: &Nats) -> Option<Vec<u64>> {
    let name = format!("STREAM.INFO.{}-log", nats.prefix());
    let info = nats.jetstream().request(name, &json!({ "deleted_details": true })).await;
    let info: Value = info.ok()?;
    let state = info.get("state")?;
    let deleted = state["deleted"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    Some((1..state["first_seq"].as_u64()?).chain(deleted).collect())
}

#[rocket::async_test]
async fn a_stream_that_is_made_anew_ends_what_follows_it() {
    let prefix = prefix();
    let nats = Servers::shared().await.connect(&prefix).await;
    let log = JetStreamLog::open(&nats, PATIENT).await.expect("a log");
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let mut feed = log.follow(Seq(0));
    assert_eq!(next(&mut feed).await.map(|entry| entry.seq), Some(seq));
    assert_eq!(next(&mut feed).await, None, "caught up");

    nats.jetstream().delete_stream(format!("{prefix}-log")).await.expect("deleted");
    let other = JetStreamLog::open(&nats, PATIENT).await.expect("another log");

    let ends = timeout(DEADLINE, feed.next()).await.expect("in time");
    assert_eq!(ends, None);
    assert_ne!(other.epoch(), log.epoch());
    assert_ne!(other.starts(), log.starts());
}
