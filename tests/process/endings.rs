//! Tests of starting and ending: signals, and starts that are refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::join_all;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{DEADLINE, Server, refused_start, until};
use crate::streams::may_open_many_files;

#[rocket::async_test]
async fn asked_to_end_it_ends_its_streams_and_exits_well() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let mut feeds = Vec::new();
    for _ in 0..10 {
        feeds.push(ada.listens("general", None).await);
    }

    server.terminate();

    for feed in &mut feeds {
        assert!(feed.next().await.is_none(), "the stream has ended");
    }
    assert_eq!(server.ended().await.code(), Some(0));
}

#[rocket::async_test]
async fn a_second_process_on_the_same_data_is_refused() {
    let server = Server::start().await;
    is_refused(server.data(), "is in use by another Houston: stop that one first");
    fs::remove_file(server.data().join("houston.lock")).expect("it is there");
    is_refused(server.data(), "is in use by another Houston");
    assert!(server.client().is_ready().await, "the first goes on");
}

/// An earlier version locks the file `houston.lock` alone.
#[test]
fn an_earlier_houston_on_the_same_data_is_noticed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let lock = fs::File::create(directory.path().join("houston.lock")).expect("a file");
    lock.lock().expect("it is locked");
    is_refused(directory.path(), "is in use by another Houston");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "in the way").expect("a file");
    is_refused(&file.join("data"), "cannot be written");
}

#[test]
fn data_of_a_newer_houston_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = database(directory.path());
    file.pragma_update(None, "user_version", 99).expect("a newer schema");
    drop(file);
    is_refused(directory.path(), "written by a newer Houston; this one knows 2: run the newer one");
}

#[test]
fn data_that_is_no_log_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("houston.db"), "not a database, but text".repeat(99))
        .expect("a file");
    is_refused(directory.path(), "(file is not a database); put it back from a backup");
}

#[test]
fn the_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    database(directory.path()).execute_batch("create table recipes (name)").expect("a table");
    is_refused(directory.path(), "none of Houston's (a database of something else)");
}

#[rocket::async_test]
async fn a_damaged_database_is_refused() {
    let data = data_of_a_server_that_was_killed().await;
    let damaged = ["log", "log_by_key"].map(|name| {
        // Closing it moves what is in the write-ahead log into the database.
        database(data.path())
            .query_row("select rootpage from sqlite_schema where name = ?1", [name], |row| {
                row.get(0)
            })
            .map(|page: usize| (page - 1) * 4_096)
            .expect("a page")
    });
    let file = data.path().join("houston.db");
    let whole = fs::read(&file).expect("the database");
    for at in damaged {
        let mut bytes = whole.clone();
        bytes[at..at + 64].fill(0xa5);
        fs::write(&file, bytes).expect("the database");
        is_refused(data.path(), "it is damaged");
    }
    fs::write(&file, whole).expect("the database");
    drop(Server::start_on(data).await);
}

#[rocket::async_test]
async fn what_is_left_of_a_store_without_its_database_is_refused() {
    let data = data_of_a_server_that_was_killed().await;
    let file = data.path().join("houston.db");
    for database in ["missing", "empty"] {
        let remedy = "put the database back from a backup, or move everything out";
        let says = |left: &str| {
            format!("has {left}, but `houston.db`, which that belongs to, is {database}: {remedy}")
        };
        if database == "missing" {
            fs::remove_file(&file).expect("it is there");
        } else {
            fs::write(&file, "").expect("an empty file");
        }
        is_refused(data.path(), &says("a write-ahead log"));
        fs::write(data.path().join("files/f00d"), "a file").expect("a file");
        is_refused(data.path(), &says("files and a write-ahead log"));
        let wal = data.path().join("houston.db-wal");
        let log = fs::read(&wal).expect("a write-ahead log");
        fs::remove_file(&wal).expect("it is there");
        is_refused(data.path(), &says("files"));
        fs::write(&wal, log).expect("the log");
        fs::remove_file(data.path().join("files/f00d")).expect("it is there");
    }
}

/// The new database is one that SQLite can open, and is empty.
#[test]
fn what_is_left_of_a_store_beside_a_new_database_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    database(directory.path()).execute_batch("create table a (b); drop table a").expect("it");
    fs::write(directory.path().join("houston.db-wal"), "what was written".repeat(999)).expect("it");
    let says = "has a write-ahead log, but `houston.db`, which that belongs to, is empty";
    is_refused(directory.path(), says);
}

#[rocket::async_test]
async fn a_new_database_is_not_put_beside_the_files_of_another() {
    let mut server = Server::start().await;
    server.kill();
    let data = server.into_data();
    fs::create_dir_all(data.path().join("files")).expect("a directory");
    database(data.path())
        .execute_batch("delete from log; delete from sqlite_sequence")
        .expect("it");
    fs::write(data.path().join("files/f00d"), "a file").expect("a file");
    is_refused(data.path(), "has files, but `houston.db`, which that belongs to, is empty");
}

/// The data directory of a killed server, with messages in the write-ahead log.
async fn data_of_a_server_that_was_killed() -> TempDir {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    for n in 0..20 {
        ada.puts("general", &format!("m{n}"), &"x".repeat(3_000)).await.expect("kept");
    }
    server.kill();
    server.into_data()
}

fn database(data: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(data.join("houston.db")).expect("a file");
    database.pragma_query_value(None, "user_version", |_| Ok(())).expect("a database");
    database
}

/// Checks that a server refuses to start there, says why, and leaves everything as it was.
#[track_caller]
fn is_refused(data: &Path, says: &str) {
    let before = content(data);
    let (status, said) = refused_start(data);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(says), "{said:?}");
    assert!(content(data) == before, "something has changed: {:?}", content(data).keys());
}

/// Lists every file in a directory but the one that SQLite makes anew whenever it reads.
fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut content = BTreeMap::new();
    for file in fs::read_dir(directory).into_iter().flatten() {
        let path = file.expect("a file").path();
        if path.is_dir() {
            content.extend(self::content(&path));
        } else if !path.ends_with("houston.db-shm") {
            content.insert(path.clone(), fs::read(path).expect("a file"));
        }
    }
    content
}

/// The number of streams that are open when the server is told to end.
const STREAMS: usize = 1_000;
/// The first part of an upload: so much that Rocket hands it over before more has come.
const HALF: &str = match std::str::from_utf8(&[b'x'; 600]) {
    Ok(half) => half,
    Err(_) => "",
};
/// The time in which it has to end: the grace that Rocket gives to what is under way, and as much
/// again for a busy machine.
const MUST_END_WITHIN: Duration = Duration::from_secs(10);

#[rocket::async_test]
async fn with_a_thousand_streams_and_uploads_under_way_it_ends_in_time() {
    may_open_many_files();
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::start_on(data).await;
    let visitor = server.client();
    let people = (0..STREAMS / 50).map(|n| format!("User {n}"));
    let people = join_all(people.map(|name| async { visitor.signed_in_as(&{ name }).await })).await;
    let streams = people.iter().flat_map(|it| (0..50).map(move |_| it.listens("general", None)));
    let streams = join_all(streams).await;
    // One upload that halts, one that trickles, and one that will be done.
    let begins = async |person: &Client, promised: usize| {
        let mut connection = TcpStream::connect(server.address()).await.expect("a connection");
        let token = person.token.as_deref().expect("a token");
        let head = format!(
            "PUT /channels/general/a.bin HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {promised}\r\n\r\n{HALF}"
        );
        connection.write_all(head.as_bytes()).await.expect("sent");
        connection
    };
    let halts = begins(&people[0], 1_000_000).await;
    let mut trickles = begins(&people[1], 1_000_000).await;
    let mut ends = begins(&people[2], 2 * HALF.len()).await;
    let uploads = || async { server.metric("houston_uploads_under_way").await };
    until("the uploads have begun", async || uploads().await == 3).await;

    let begun = Instant::now();
    server.terminate();
    let trickling = rocket::tokio::spawn(async move {
        while trickles.write_all(b"x").await.is_ok() {
            rocket::tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    ends.write_all(HALF.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    let _ = timeout(DEADLINE, ends.read_to_string(&mut answer)).await.expect("in time");
    assert!(answer.starts_with("HTTP/1.1 201 "), "what can be done is done: {answer}");
    let retries = join_all(streams.into_iter().map(|mut feed| async move {
        let last = feed.last().await;
        let retry = last.strip_prefix("retry: ").unwrap_or_else(|| panic!("{last:?} at its end"));
        retry.parse::<u32>().expect("milliseconds")
    }));
    let retries = timeout(DEADLINE, retries).await.expect("all end in time");
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(begun.elapsed() < MUST_END_WITHIN, "{:?}", begun.elapsed());

    let (first, last) = (retries.iter().min(), retries.iter().max());
    assert!(retries.iter().all(|it| (1_000..=4_000).contains(it)), "{first:?} {last:?}");
    let soon = retries.iter().filter(|it| **it < 3_000).count();
    assert!((STREAMS / 4..STREAMS * 3 / 4).contains(&soon), "they are spread: {soon}");
    drop(halts);
    trickling.abort();
}
