//! Tests of the log's contract, the same for each implementation.

pub(crate) mod memory;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::StreamExt;
use houston::backends::sqlite::Sqlite;
use houston::domain::entry::{Entry, Key};
use houston::domain::ids::{ChannelId, OpId, Seq, Start, UserId};
use houston::domain::time::Timestamp;
use houston::engine::log::{AppendError, Draft, Expect, Feed, KEPT_STARTS, Log};
use rocket::tokio::time::{sleep, timeout};
use rusqlite::Connection;
use uuid::Uuid;

use self::memory::Memory;
use crate::contract::contract;

/// The deadline of every wait.
const DEADLINE: Duration = Duration::from_secs(30);

contract! {{
    sqlite => |directory| Sqlite::open(directory).expect("a log"),
    memory_model => |_| Memory::default(),
} {
    sequences_grow_and_times_are_the_clocks,
    the_same_op_is_stored_once,
    expectations_are_checked_with_the_append,
    of_many_who_expect_the_same_one_succeeds,
    a_follower_gets_what_is_kept_and_then_what_comes,
    many_followers_get_the_same,
    nothing_goes_by_itself,
    erasing_removes_and_renumbers_nothing,
    an_append_after_an_erase_finds_it_erased,
    an_append_before_an_erase_finds_it_there,
    what_is_spent_goes_though_nothing_is_appended,
    what_is_spent_goes_in_order,
    catching_up_reaches_what_was_erased,
    a_body_that_is_too_large_is_refused,
    it_runs_in_a_start_and_can_be_written,
}}

async fn sequences_grow_and_times_are_the_clocks(log: Arc<dyn Log>) {
    let begun = Timestamp::from(Utc::now());
    let mut last = Seq(0);
    for n in 0..20 {
        let appended = log.append(draft(marker(n), Expect::Any)).await.expect("appended");
        assert!(appended.seq > last && !appended.repeated);
        last = appended.seq;
    }
    let entries = kept(&*log, Seq(0)).await;
    assert!(entries.is_sorted_by(|a, b| a.seq < b.seq), "{entries:?}");
    let ended = Timestamp::from(Utc::now());
    assert!(entries.iter().all(|entry| begun <= entry.at && entry.at <= ended), "{entries:?}");
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
    let (key, body, op) = (draft.key.to_string(), draft.body.clone(), draft.op);
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

/// The log keeps everything until it is told to erase it: retention is decided by others.
async fn nothing_goes_by_itself(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for _ in 0..103 {
        let seq = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
        let changed = log.append(draft(change(seq), Expect::Absent)).await.expect("appended").seq;
        let marked = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
        seqs.extend([seq, changed, marked]);
    }
    assert_eq!(kept_seqs(&*log).await, seqs);
}

async fn erasing_removes_and_renumbers_nothing(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for key in [marker(1), messages(), marker(2), change(Seq(2))] {
        seqs.push(log.append(draft(key, Expect::Any)).await.expect("appended").seq);
    }
    log.erase(vec![seqs[3], seqs[1]]);
    log.erase(vec![seqs[1], Seq(999), Seq(u64::MAX)]);
    let next = log.append(draft(marker(3), Expect::Any)).await.expect("appended").seq;
    assert!(next > seqs[3]);
    assert_eq!(kept_seqs(&*log).await, [seqs[0], seqs[2], next]);
}

async fn an_append_after_an_erase_finds_it_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    log.erase(vec![seq]);
    log.append(draft(marker(1), Expect::Absent)).await.expect("absent again");
}

async fn an_append_before_an_erase_finds_it_there(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    let before = log.append(draft(marker(1), Expect::At(seq)));
    log.erase(vec![seq]);
    let after = log.append(draft(marker(1), Expect::At(seq)));
    let before = before.await.expect("it was there").seq;
    assert_eq!(after.await, Err(AppendError::Conflict(Some(before))));
}

async fn what_is_spent_goes_though_nothing_is_appended(log: Arc<dyn Log>) {
    let spent = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let stays = log.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    log.erase(vec![spent]);
    until_kept(&*log, &[stays]).await;
}

/// A look at any time finds some of the first entries erased and all of the rest there.
async fn what_is_spent_goes_in_order(log: Arc<dyn Log>) {
    let mut spent = Vec::new();
    for n in 0..100 {
        spent.push(log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq);
    }
    // Not that of their numbers.
    spent.sort_by_key(|seq| (seq.0 % 7, seq.0));
    let last = *spent.last().expect("entries");
    for (n, seq) in spent.iter().enumerate() {
        log.erase(vec![*seq]);
        if n % 3 == 0 {
            let noise = log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq;
            log.erase(vec![noise]);
        }
        let kept = kept_seqs(&*log).await;
        let there: Vec<_> = spent.iter().map(|seq| kept.contains(seq)).collect();
        assert!(there.is_sorted(), "{there:?}");
    }
    log.append(draft(marker(0), Expect::Any)).await.expect("appended");
    assert!(!kept_seqs(&*log).await.contains(&last));
}

async fn catching_up_reaches_what_was_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    log.erase(vec![seq]);
    until_kept(&*log, &[]).await;
    let first = timeout(DEADLINE, log.follow(Seq(0)).next()).await.expect("in time");
    assert_eq!(first, Some(Feed::CaughtUp(seq)));
}

async fn it_runs_in_a_start_and_can_be_written(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let starts = log.starts();
    assert!(starts.last().is_some_and(|start| start.after < seq), "{starts:?}");
    assert!(log.is_writable());
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

#[rocket::async_test]
async fn what_is_spent_when_a_log_is_closed_is_erased() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    let seq = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
    log.erase(vec![seq]);
    drop(log);
    let log = Sqlite::open(directory.path()).expect("the same log");
    assert_eq!(kept_seqs(&log).await, []);
}

#[rocket::async_test]
async fn each_opening_is_a_start_and_all_are_remembered() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut starts: Vec<Start> = Vec::new();
    let mut last = Seq(0);
    for _ in 0..3 {
        let log = Sqlite::open(directory.path()).expect("a log");
        let present = log.starts();
        let (new, before) = present.split_last().expect("a start");
        assert_eq!(before, starts);
        assert_eq!(new.after, last);
        assert!(before.iter().all(|start| start.id != new.id), "{present:?}");
        starts = present;
        last = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
        // What was given out counts, whether it is kept or not.
        log.erase(vec![last]);
    }
}

#[rocket::async_test]
async fn a_start_is_on_disk_before_anything_else_happens() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    let id: u32 = database(directory.path())
        .query_row("select id from start", [], |row| row.get(0))
        .expect("a start");
    assert_eq!(log.starts().iter().map(|start| start.id.0).collect::<Vec<_>>(), [id]);
}

#[rocket::async_test]
async fn the_oldest_of_too_many_starts_is_forgotten() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    drop(Sqlite::open(directory.path()).expect("a log"));
    database(directory.path())
        .execute_batch(
            "delete from start;
             with recursive n(n) as (select 1 union all select n + 1 from n where n < 1000)
             insert into start (id, after) select n, 0 from n",
        )
        .expect("a thousand starts");
    let starts = Sqlite::open(directory.path()).expect("the same log").starts();
    assert_eq!((starts.len(), starts[0].id.0), (KEPT_STARTS, 2));
}

/// The tables as version 1 created them.
const FIRST_SCHEMA: &str = "
    pragma journal_mode = wal;
    create table meta (name text primary key, value any) strict, without rowid;
    create table log (
        seq integer primary key autoincrement, key text not null, at integer not null,
        op text not null, body text not null
    ) strict;
    create index log_by_key on log (key, seq);
    pragma user_version = 1;
    insert into meta values ('epoch', 7);
    insert into log (seq, key, at, op, body) values (41, 'c.a.m', 1, 'x', '{}');
    insert into log (key, at, op, body) values ('c.a.m', 2, 'y', '{}');
    delete from log where seq = 42;
";

#[rocket::async_test]
async fn a_log_of_the_first_version_is_opened() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    database(directory.path()).execute_batch(FIRST_SCHEMA).expect("a log");
    let log = Sqlite::open(directory.path()).expect("the same log");
    assert_eq!(log.epoch().0, 7);
    assert_eq!(log.starts().iter().map(|start| start.after).collect::<Vec<_>>(), [Seq(42)]);
    let appended = log.append(draft(messages(), Expect::At(Seq(41)))).await.expect("appended");
    assert_eq!(kept_seqs(&log).await, [Seq(41), Seq(43)]);
    assert_eq!(appended.seq, Seq(43));
}

#[rocket::async_test]
async fn what_cannot_be_read_is_passed_on() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    drop(Sqlite::open(directory.path()).expect("a log"));
    database(directory.path())
        .execute_batch(
            "insert into log (key, at, op, body) values
                 ('c.a.m', 1, 'no uuid', '{}'), ('nonsense', -5, '', 'no JSON'),
                 (cast(x'63ff' as text), 1, cast(x'ff' as text), cast(x'ff' as text))",
        )
        .expect("three rows");
    let log = Sqlite::open(directory.path()).expect("the same log");
    let last = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
    let entries = kept(&log, Seq(0)).await;
    let nil = OpId(Uuid::nil());
    let expected = [("c.a.m", 1, "{}"), ("nonsense", -5, "no JSON"), ("c\u{fffd}", 1, "\u{fffd}")];
    for ((entry, (key, at, body)), seq) in entries.iter().zip(expected).zip(1..) {
        let (key, at, body) = (key.into(), Timestamp::from_millis(at), body.into());
        assert_eq!(*entry, Entry { seq: Seq(seq), at, op: nil, key, body });
    }
    assert_eq!(entries.last().map(|entry| entry.seq), Some(last));
}

#[rocket::async_test]
async fn a_clock_that_was_ahead_leaves_no_wrong_times_behind() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    drop(Sqlite::open(directory.path()).expect("a log"));
    let in_2037 = 2_114_380_800_000_i64;
    database(directory.path())
        .execute("insert into log (key, at, op, body) values ('c.a.m', ?1, '', '{}')", [in_2037])
        .expect("a row");
    let log = Sqlite::open(directory.path()).expect("the same log");
    log.append(draft(messages(), Expect::Any)).await.expect("appended");
    let at = kept(&log, Seq(1)).await[0].at;
    assert!(at <= Timestamp::from(Utc::now()), "{at}");
}

/// Commits fail as on a full disk: only where something is added.
#[rocket::async_test]
async fn while_commits_fail_it_cannot_be_written_and_then_what_was_spent_is_erased() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    let spent = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let stays = log.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    let outsider = database(directory.path());
    outsider
        .execute_batch(
            "create trigger a before insert on log begin select raise(abort, 'full'); end;
             create trigger b before insert on meta begin select raise(abort, 'full'); end",
        )
        .expect("two triggers");
    log.erase(vec![spent]);
    for _ in 0..2 {
        let refused = log.append(draft(marker(3), Expect::Any)).await;
        assert_eq!(refused, Err(AppendError::Unavailable));
        assert!(!log.is_writable());
        assert_eq!(kept_seqs(&log).await, [spent, stays], "nothing of it was done");
        // So long that it has tried by itself.
        sleep(Duration::from_millis(1_500)).await;
        assert!(!log.is_writable());
    }

    outsider.execute_batch("drop trigger a; drop trigger b").expect("no triggers");

    let heals = async {
        while !log.is_writable() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, heals).await.expect("in time, and by itself");
    assert_eq!(kept_seqs(&log).await, [stays]);
}

#[rocket::async_test]
async fn what_is_not_where_it_was_is_not_written_until_it_is_back() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    let log = Sqlite::open(&here).expect("a log");
    let files = ["", "houston.db", "houston.db-wal", "houston.db-shm"];
    for (n, name) in files.into_iter().enumerate() {
        let (from, to) = (here.join(name), there.join(name));
        fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        fs::rename(&from, &to).expect("it is moved");
        if n > 0 {
            fs::write(&from, "another").expect("another in its place");
        }
        let refused = log.append(draft(messages(), Expect::Any)).await;
        assert_eq!(refused, Err(AppendError::Unavailable), "{name:?}");
        assert!(!log.is_writable());

        fs::rename(&to, &from).expect("it is moved back");

        log.append(draft(messages(), Expect::Any)).await.expect("appended");
        assert!(log.is_writable());
    }
    drop(log);
    let log = Sqlite::open(&here).expect("the same log");
    assert_eq!(kept(&log, Seq(0)).await.len(), files.len());
}

#[rocket::async_test]
async fn the_database_may_be_a_link_to_another_disk() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    fs::create_dir(&here).expect("a directory");
    fs::create_dir(&there).expect("a directory");
    fs::write(there.join("houston.db"), "").expect("an empty file");
    symlink(there.join("houston.db"), here.join("houston.db")).expect("a link");
    let log = Sqlite::open(&here).expect("a log");
    log.append(draft(messages(), Expect::Any)).await.expect("appended");
    fs::remove_file(there.join("houston.db-wal")).expect("it is there");
    let refused = log.append(draft(messages(), Expect::Any)).await;
    assert_eq!(refused, Err(AppendError::Unavailable));
}

#[rocket::async_test]
async fn that_it_was_moved_is_noticed_though_nothing_is_appended() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    let log = Sqlite::open(&here).expect("a log");
    let becomes = async |writable| {
        while log.is_writable() != writable {
            sleep(Duration::from_millis(10)).await;
        }
    };
    fs::rename(&here, &there).expect("it is moved");
    timeout(DEADLINE, becomes(false)).await.expect("in time");
    fs::rename(&there, &here).expect("it is moved back");
    timeout(DEADLINE, becomes(true)).await.expect("in time");
}

/// The data directory is moved away under a server, another one starts in its place, then the first
/// one ends.
#[rocket::async_test]
async fn closing_what_was_moved_leaves_what_is_in_its_place_alone() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    let moved = Sqlite::open(&here).expect("a log");
    moved.append(draft(messages(), Expect::Any)).await.expect("appended");
    fs::rename(&here, &there).expect("it is moved");
    let present = Sqlite::open(&here).expect("another log");
    let seq = present.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;

    drop(moved);

    let next = present.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    drop(present);
    let present = Sqlite::open(&here).expect("the other log");
    assert_eq!(kept_seqs(&present).await, [seq, next]);
    let moved = Sqlite::open(&there).expect("the first log");
    assert_eq!(kept(&moved, Seq(0)).await.len(), 1);
}

/// The commits follow each other so closely that no concurrent checkpoint reaches the end.
#[rocket::async_test]
async fn the_write_ahead_log_stays_small() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    write_without_a_pause(&log).await;
    let bytes = |name| directory.path().join(name).metadata().expect("a file").len();
    assert!(bytes("houston.db") < 2 * 1024 * 1024, "{} bytes", bytes("houston.db"));
    assert!(bytes("houston.db-wal") < 24 * 1024 * 1024, "{} bytes", bytes("houston.db-wal"));
}

/// Two hundred commits are enough for a concurrent checkpoint, and too few for one by the writer.
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
    timeout(DEADLINE, moved()).await.expect("in time");
}

/// The reader is a program outside of the server, such as a backup.
#[rocket::async_test]
async fn who_reads_the_database_keeps_no_writer_waiting() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = Sqlite::open(directory.path()).expect("a log");
    log.append(draft(messages(), Expect::Any)).await.expect("appended");
    let reader = Connection::open(directory.path().join("houston.db")).expect("the database");
    let count = || reader.query_row("select count(*) from log", [], |row| row.get::<_, i64>(0));
    reader.execute_batch("begin").expect("a transaction");
    assert_eq!(count(), Ok(1));
    timeout(DEADLINE, write_without_a_pause(&log)).await.expect("in time");
    assert_eq!(count(), Ok(1), "it still sees what it saw");
    reader.execute_batch("commit").expect("the end");

    write_without_a_pause(&log).await;
    let bytes = directory.path().join("houston.db-wal").metadata().expect("a file").len();
    assert!(bytes < 24 * 1024 * 1024, "{bytes} bytes");
}

/// Appends twenty thousand messages of 3 kB from a hundred tasks, and erases each at once.
async fn write_without_a_pause(log: &Sqlite) {
    let body = "x".repeat(3_000);
    let write = async || {
        for _ in 0..200 {
            let next = Draft { body: body.clone(), ..draft(messages(), Expect::Any) };
            log.erase(vec![log.append(next).await.expect("appended").seq]);
        }
    };
    futures::future::join_all((0..100).map(|_| write())).await;
}

#[rocket::async_test]
async fn a_log_is_one_processs_at_a_time() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _log = Sqlite::open(directory.path()).expect("a log");
    for removed in ["", "houston.lock"] {
        if !removed.is_empty() {
            fs::remove_file(directory.path().join(removed)).expect("removed");
        }
        let refused = Sqlite::open(directory.path()).err().expect("it is in use").to_string();
        assert!(refused.contains("is in use by another Houston"), "{refused}");
    }
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

fn change(message: Seq) -> Key {
    Key::Change(channel("a"), message)
}

fn marker(n: usize) -> Key {
    Key::ReadMarker(UserId::from(n.to_string()), channel("a"))
}

/// Opens the database of a log from outside.
fn database(directory: &Path) -> Connection {
    Connection::open(directory.join("houston.db")).expect("the database")
}

async fn kept_seqs(log: &dyn Log) -> Vec<Seq> {
    kept(log, Seq(0)).await.iter().map(|entry| entry.seq).collect()
}

async fn until_kept(log: &dyn Log, expected: &[Seq]) {
    let comes = async {
        while kept_seqs(log).await != expected {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, comes).await.expect("in time");
}

/// Reads all entries that the log keeps now.
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
    let next = timeout(DEADLINE, follower.next()).await.expect("an entry in time");
    match next.expect("the log goes on") {
        Feed::Entry(entry) => Some(entry),
        Feed::CaughtUp(_) => None,
    }
}
