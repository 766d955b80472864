//! Tests of the log in SQLite, beyond the contract that it shares with every other log.

pub(crate) mod memory;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use houston::backends::sqlite::Sqlite;
use houston::domain::entry::Entry;
use houston::domain::ids::{OpId, Seq, Start};
use houston::domain::time::Timestamp;
use houston::engine::log::{AppendError, Draft, Expect, KEPT_STARTS, Log};
use rocket::tokio::time::{sleep, timeout};
use rusqlite::Connection;
use uuid::Uuid;

use self::memory::Memory;
use crate::contract::log::*;
use crate::contract::log_contract;

log_contract! {{
    sqlite => async |directory| Sqlite::open(directory).expect("a log"),
    memory_model => async |_| Memory::default(),
}}

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
    log.erase(seq, vec![seq]);
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
        log.erase(last, vec![last]);
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
    log.erase(spent, vec![spent]);
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
            let seq = log.append(next).await.expect("appended").seq;
            log.erase(seq, vec![seq]);
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

/// Opens the database of a log from outside.
fn database(directory: &Path) -> Connection {
    Connection::open(directory.join("houston.db")).expect("the database")
}
