//! The process is asked to end, or cannot begin.

use std::fs;

use crate::server::{Server, refused_start};

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
    let (status, said) = refused_start(server.data());
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("is in use by another Houston"), "{said:?}");
    assert!(server.client().is_ready().await, "the first goes on");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "in the way").expect("a file");
    let (status, said) = refused_start(&file.join("data"));
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("cannot be written"), "{said:?}");
}

#[test]
fn data_of_a_newer_houston_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = rusqlite::Connection::open(directory.path().join("houston.db")).expect("a file");
    file.pragma_update(None, "user_version", 99).expect("a newer schema");
    drop(file);
    let (status, said) = refused_start(directory.path());
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("written by a newer Houston"), "{said:?}");
}

#[test]
fn data_that_is_no_log_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("houston.db"), "not a database, but text".repeat(99))
        .expect("a file");
    let (status, said) = refused_start(directory.path());
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("cannot be opened"), "{said:?}");
}
