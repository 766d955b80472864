//! What every log promises: the same tests for each implementation.

pub(crate) mod memory;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use houston::backends::sqlite::Sqlite;
use houston::domain::entry::{Entry, Erase, Key};
use houston::domain::ids::{ChannelId, OpId, Seq, UserId};
use houston::engine::log::{AppendError, Draft, Expect, Feed, Log};
use rocket::tokio::time::{sleep, timeout};
use rusqlite::Connection;
use uuid::Uuid;

use self::memory::Memory;
use crate::contract::contract;

contract! {{
    sqlite => |directory| Sqlite::open(directory).expect("a log"),
    memory_model => |_| Memory::default(),
} {
    sequences_grow_and_times_never_go_back,
    the_same_op_is_stored_once,
    expectations_are_checked_with_the_append,
    of_many_who_expect_the_same_one_succeeds,
    a_follower_gets_what_is_kept_and_then_what_comes,
    many_followers_get_the_same,
    a_channel_keeps_its_last_hundred_messages_and_their_changes,
    other_keys_keep_their_last_entry,
    erasing_removes_and_renumbers_nothing,
    an_append_after_an_erase_finds_it_erased,
    catching_up_reaches_what_was_erased,
    a_body_that_is_too_large_is_refused,
}}

async fn sequences_grow_and_times_never_go_back(log: Arc<dyn Log>) {
    let mut last = Seq(0);
    for n in 0..20 {
        let appended = log.append(draft(marker(n), Expect::Any)).await.expect("appended");
        assert!(appended.seq > last && !appended.repeated);
        last = appended.seq;
    }
    let entries = kept(&*log, Seq(0)).await;
    assert!(entries.is_sorted_by(|a, b| a.seq < b.seq && a.at <= b.at), "{entries:?}");
}

async fn the_same_op_is_stored_once(log: Arc<dyn Log>) {
    let first = log.append(draft(messages(), Expect::Any));
    let op = OpId(Uuid::now_v7());
    let same = || Draft { op, ..draft(messages(), Expect::Any) };
    first.await.expect("appended");
    let appended = log.append(same()).await.expect("appended");
    let repeated = log.append(same()).await.expect("repeated");
    assert_eq!((repeated.seq, repeated.repeated), (appended.seq, true));
    let at_once = futures::future::join_all((0..10).map(|_| log.append(same()))).await;
    assert!(at_once.iter().all(|it| it.is_ok_and(|it| it.seq == appended.seq)), "{at_once:?}");
    assert_eq!(kept(&*log, Seq(0)).await.len(), 2);
}

async fn expectations_are_checked_with_the_append(log: Arc<dyn Log>) {
    let key = marker(1);
    let refused = log.append(draft(key.clone(), Expect::At(Seq(1)))).await;
    assert_eq!(refused, Err(AppendError::Conflict(None)));
    let first = log.append(draft(key.clone(), Expect::Absent)).await.expect("absent").seq;
    let refused = log.append(draft(key.clone(), Expect::Absent)).await;
    assert_eq!(refused, Err(AppendError::Conflict(Some(first))));
    let second = log.append(draft(key.clone(), Expect::At(first))).await.expect("at").seq;
    let refused = log.append(draft(key, Expect::At(first))).await;
    assert_eq!(refused, Err(AppendError::Conflict(Some(second))));
}

async fn of_many_who_expect_the_same_one_succeeds(log: Arc<dyn Log>) {
    let attempts = (0..200).map(|_| log.append(draft(marker(1), Expect::Absent)));
    let outcomes = futures::future::join_all(attempts).await;
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.ok()).collect();
    assert_eq!(won.len(), 1);
    let lost = Err(AppendError::Conflict(Some(won[0].seq)));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == lost).count(), 199);
}

async fn a_follower_gets_what_is_kept_and_then_what_comes(log: Arc<dyn Log>) {
    let before = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let seen = log.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    let mut follower = log.follow(before);
    assert_eq!(next(&mut follower).await.map(|entry| entry.seq), Some(seen));
    assert_eq!(next(&mut follower).await, None, "caught up");
    let appends = (3..60).map(|n| log.append(draft(marker(n), Expect::Any)));
    let mut seqs: Vec<_> = futures::future::join_all(appends)
        .await
        .iter()
        .map(|it| it.expect("appended").seq)
        .collect();
    seqs.sort_unstable();
    for seq in seqs {
        assert_eq!(next(&mut follower).await.map(|entry| entry.seq), Some(seq));
    }
}

async fn many_followers_get_the_same(log: Arc<dyn Log>) {
    let mut followers: Vec<_> = (0..3).map(|_| log.follow(Seq(0))).collect();
    let draft = draft(marker(1), Expect::Any);
    let (key, body, op) = (draft.key.clone(), draft.body.clone(), draft.op);
    let seq = log.append(draft).await.expect("appended").seq;
    for follower in &mut followers {
        let entry = loop {
            if let Some(entry) = next(follower).await {
                break entry;
            }
        };
        let expected = Entry { seq, at: entry.at, op, key: key.clone(), body: body.clone() };
        assert_eq!(entry, expected);
    }
}

async fn a_channel_keeps_its_last_hundred_messages_and_their_changes(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for _ in 0..103 {
        let seq = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
        log.append(draft(change(seq), Expect::Absent)).await.expect("appended");
        seqs.push(seq);
    }
    let mut kept_of: HashMap<Key, Vec<Seq>> = HashMap::new();
    for entry in kept(&*log, Seq(0)).await {
        kept_of.entry(entry.key).or_default().push(entry.seq);
    }
    assert_eq!(kept_of[&messages()], seqs[3..]);
    assert!(seqs[..3].iter().all(|seq| !kept_of.contains_key(&change(*seq))));
    assert!(seqs[3..].iter().all(|seq| kept_of.contains_key(&change(*seq))));
}

async fn other_keys_keep_their_last_entry(log: Arc<dyn Log>) {
    for _ in 0..3 {
        log.append(draft(marker(1), Expect::Any)).await.expect("appended");
    }
    let last = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let kept: Vec<_> = kept(&*log, Seq(0)).await.iter().map(|entry| entry.seq).collect();
    assert_eq!(kept, [last]);
}

async fn erasing_removes_and_renumbers_nothing(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for key in [marker(1), messages(), marker(2), change(Seq(2)), other_messages()] {
        seqs.push(log.append(draft(key, Expect::Any)).await.expect("appended").seq);
    }
    let what = vec![Erase::One(seqs[0]), Erase::Conversation(channel("a")), Erase::Key(marker(9))];
    log.erase(what).await.expect("erased");
    log.erase(vec![Erase::One(seqs[0])]).await.expect("erasing twice is harmless");
    let next = log.append(draft(marker(3), Expect::Any)).await.expect("appended").seq;
    assert!(next > seqs[4]);
    let kept: Vec<_> = kept(&*log, Seq(0)).await.iter().map(|entry| entry.seq).collect();
    assert_eq!(kept, [seqs[2], seqs[4], next]);
}

async fn an_append_after_an_erase_finds_it_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    drop(log.erase(vec![Erase::One(seq)]));
    log.append(draft(marker(1), Expect::Absent)).await.expect("absent again");
}

async fn catching_up_reaches_what_was_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    log.erase(vec![Erase::One(seq)]).await.expect("erased");
    let first = timeout(Duration::from_secs(30), log.follow(Seq(0)).next()).await.expect("in time");
    assert_eq!(first, Some(Feed::CaughtUp(seq)));
}

async fn a_body_that_is_too_large_is_refused(log: Arc<dyn Log>) {
    let body = "x".repeat(Draft::MAX_BODY_BYTES + 1);
    let refused = log.append(Draft { body, ..draft(marker(1), Expect::Any) }).await;
    assert_eq!(refused, Err(AppendError::TooLarge));
    assert!(kept(&*log, Seq(0)).await.is_empty());
}

#[rocket::async_test]
async fn what_was_appended_is_there_after_opening_again() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    let epoch = log.epoch();
    let before = Draft { op: OpId(Uuid::now_v7()), ..draft(messages(), Expect::Any) };
    let seq = log.append(before.clone()).await.expect("appended").seq;
    drop(log);

    let log = Sqlite::open(directory.path()).expect("the same log");
    assert_eq!(log.epoch(), epoch);
    let repeated = log.append(before).await.expect("repeated");
    assert_eq!((repeated.seq, repeated.repeated), (seq, true), "an op is remembered");
    assert_eq!(kept(&log, Seq(0)).await.len(), 1);
}

/// Commits follow each other so closely that no checkpoint beside them reaches the end.
#[rocket::async_test]
async fn the_write_ahead_log_stays_small() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    write_without_a_pause(&log).await;
    let bytes = |name| directory.path().join(name).metadata().expect("a file").len();
    assert!(bytes("houston.db") < 2 * 1024 * 1024, "{} bytes", bytes("houston.db"));
    assert!(bytes("houston.db-wal") < 24 * 1024 * 1024, "{} bytes", bytes("houston.db-wal"));
}

/// Two hundred commits: enough for a checkpoint beside them, too few for one by the writer.
#[rocket::async_test]
async fn a_checkpoint_runs_beside_the_writer() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    for _ in 0..200 {
        let body = "x".repeat(3_000);
        log.append(Draft { body, ..draft(messages(), Expect::Any) }).await.expect("appended");
    }
    let bytes = |name| directory.path().join(name).metadata().expect("a file").len();
    assert!(bytes("houston.db-wal") < 2_048 * 4_096, "{} bytes", bytes("houston.db-wal"));
    let moved = async || {
        while bytes("houston.db") < 200 * 1_024 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), moved()).await.expect("in time");
}

/// A backup, say.
#[rocket::async_test]
async fn who_reads_the_database_keeps_no_writer_waiting() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    log.append(draft(messages(), Expect::Any)).await.expect("appended");
    let reader = Connection::open(directory.path().join("houston.db")).expect("the database");
    let count = || reader.query_row("select count(*) from log", [], |row| row.get::<_, i64>(0));
    reader.execute_batch("begin").expect("a transaction");
    assert_eq!(count(), Ok(1));
    timeout(Duration::from_secs(30), write_without_a_pause(&log)).await.expect("in time");
    assert_eq!(count(), Ok(1), "it still sees what it saw");
    reader.execute_batch("commit").expect("the end");

    write_without_a_pause(&log).await;
    let bytes = directory.path().join("houston.db-wal").metadata().expect("a file").len();
    assert!(bytes < 24 * 1024 * 1024, "{bytes} bytes");
}

/// Twenty thousand messages of 3 kB from a hundred tasks.
async fn write_without_a_pause(log: &Sqlite) {
    let body = "x".repeat(3_000);
    let write = async || {
        for _ in 0..200 {
            let next = Draft { body: body.clone(), ..draft(messages(), Expect::Any) };
            log.append(next).await.expect("appended");
        }
    };
    futures::future::join_all((0..100).map(|_| write())).await;
}

#[rocket::async_test]
async fn a_log_is_one_processs_at_a_time() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _log = Sqlite::open(directory.path()).expect("a log");
    let refused = Sqlite::open(directory.path()).err().expect("it is in use").to_string();
    assert!(refused.ends_with("is in use by another Houston"), "{refused}");
}

fn draft(key: Key, expect: Expect) -> Draft {
    Draft { op: OpId(Uuid::now_v7()), key, body: r#"{"v":1}"#.into(), expect }
}

fn channel(id: &str) -> ChannelId {
    ChannelId::from(id.to_owned())
}

fn messages() -> Key {
    Key::Messages(channel("a"))
}

fn other_messages() -> Key {
    Key::Messages(channel("ab"))
}

fn change(message: Seq) -> Key {
    Key::Change(channel("a"), message)
}

fn marker(n: usize) -> Key {
    Key::ReadMarker(UserId::from(n.to_string()), channel("a"))
}

/// What the log keeps now.
async fn kept(log: &dyn Log, after: Seq) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut follower = log.follow(after);
    while let Some(entry) = next(&mut follower).await {
        entries.push(entry);
    }
    entries
}

/// The next entry; `None` when caught up.
async fn next(follower: &mut (impl StreamExt<Item = Feed> + Unpin)) -> Option<Entry> {
    let next = timeout(Duration::from_secs(30), follower.next()).await.expect("an entry in time");
    match next.expect("the log goes on") {
        Feed::Entry(entry) => Some(entry),
        Feed::CaughtUp(_) => None,
    }
}
