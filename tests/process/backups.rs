//! Tests of `houston backup`: consistent while much goes on, and complete.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use futures::future::join_all;
use reqwest::Method;
use rocket::tokio;
use rocket::tokio::task::spawn_blocking;
use serde_json::Value;

use crate::client::{Answer, Client};
use crate::command::{houston_on, text};
use crate::server::{PNG, PREVIEWING, Server, site, until};

const CLIENTS: usize = 10;
const POSTS: usize = 2_000;
const UPLOADS: usize = 200;
/// Number of channels, so many that each keeps all that is sent to it.
const CHANNELS: usize = 25;

/// The bytes of a file of this name, different for each.
fn bytes_of(name: &str) -> Vec<u8> {
    let seed = name.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31) ^ u32::from(byte));
    let length = 1 + usize::try_from(seed % 60_000).expect("small");
    (0..length).map(|at| u8::try_from((at ^ seed as usize) % 256).expect("a byte")).collect()
}

impl Client {
    /// Puts a message with one file of this name.
    pub(crate) async fn puts_file(&self, channel: &str, id: &str, name: &str) -> Answer {
        let head = format!(
            "--part\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nfile {name}\r\n--part\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let body = [head.as_bytes(), &bytes_of(name), b"\r\n--part--\r\n"].concat();
        let path = format!("/api/channels/{channel}/messages/{id}");
        let request = self.request(Method::PUT, &path).body(Bytes::from(body));
        let request = request.header("Content-Type", "multipart/form-data; boundary=part");
        Answer::of(request.send().await.expect("an answer")).await.expect("a body")
    }

    /// Checks that every file of these messages can be read, as it was sent.
    pub(crate) async fn has_the_files_of(&self, messages: &[Value]) -> usize {
        let mut files = 0;
        for file in messages.iter().flat_map(|it| it["attachments"].as_array().expect("files")) {
            let url = file["url"].as_str().expect("a URL");
            let answer = self.request(Method::GET, url).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{file}");
            let given = answer.bytes().await.expect("bytes");
            assert_eq!(given, bytes_of(file["name"].as_str().expect("a name")), "{file}");
            files += 1;
        }
        files
    }
}

/// What is acknowledged, with the number of those that are.
type Sent = Vec<(String, Value)>;

async fn post(client: Client, n: usize, count: Arc<AtomicUsize>) -> Sent {
    let mut sent = Vec::new();
    for post in (n..POSTS).step_by(CLIENTS) {
        let channel = format!("channel-{}", post % CHANNELS);
        let text = format!("post {post}");
        let answer = client.puts(&channel, &format!("m{post}"), &text).await.expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        sent.push((channel, answer.json));
        if (post / CLIENTS) % (POSTS / UPLOADS) == n {
            let channel = format!("channel-{}", (post / 10) % CHANNELS);
            let answer = client.puts_file(&channel, &format!("f{post}"), &format!("f{post}")).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            sent.push((channel, answer.json));
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
    sent
}

/// Replaces the file of one message, again and again: each is removed at once.
async fn churn(client: Client, n: usize, over: Arc<AtomicBool>) -> usize {
    let mut replaced = 0;
    while !over.load(Ordering::Relaxed) {
        let name = format!("churn-{n}-{replaced}");
        let answer = client.puts_file("churn", &format!("c{n}"), &name).await;
        assert!(answer.is_kept(), "{answer:?}");
        replaced += 1;
    }
    replaced
}

#[rocket::async_test]
async fn a_backup_while_much_goes_on_has_all_that_was_acknowledged_before() {
    let mut server = Server::start().await;
    let visitor = server.client();
    let names: Vec<_> = (0..CLIENTS).map(|n| format!("Client {n}")).collect();
    let clients = join_all(names.iter().map(|name| visitor.signed_in_as(name))).await;
    for n in 0..CHANNELS {
        clients[0].creates(&format!("channel-{n}")).await;
    }
    clients[0].creates("churn").await;
    let (count, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let posting = clients.iter().enumerate();
    let posting: Vec<_> =
        posting.map(|(n, client)| tokio::spawn(post(client.clone(), n, count.clone()))).collect();
    let churning: Vec<_> =
        (0..2).map(|n| tokio::spawn(churn(clients[n].clone(), n, over.clone()))).collect();
    let backups = tempfile::tempdir().expect("a temporary directory");

    // Several, each with what was there before it.
    let mut made: Vec<(std::path::PathBuf, Vec<(String, Value)>)> = Vec::new();
    for (n, enough) in [POSTS / 5, POSTS / 2].into_iter().enumerate() {
        until("enough is acknowledged", async || count.load(Ordering::Relaxed) >= enough).await;
        let mut before = Vec::new();
        for channel in 0..CHANNELS {
            let channel = format!("channel-{channel}");
            let kept = clients[1].messages(&channel).await;
            before.extend(kept.into_iter().map(|message| (channel.clone(), message)));
        }
        let (data, file) = (server.data().to_owned(), backups.path().join(format!("{n}.tar")));
        let arguments = file.to_str().expect("a path").to_owned();
        let ran = spawn_blocking(move || houston_on(&data, &["backup", &arguments])).await;
        let ran = ran.expect("it ran");
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        made.push((file, before));
    }
    assert!(count.load(Ordering::Relaxed) < POSTS, "it went on meanwhile");
    let sent = join_all(posting).await.into_iter().flat_map(|sent| sent.expect("all are kept"));
    let sent: Vec<_> = sent.collect();
    over.store(true, Ordering::Relaxed);
    let replaced: usize = join_all(churning).await.into_iter().map(|it| it.expect("fine")).sum();
    assert_eq!(sent.len(), POSTS + UPLOADS);
    assert!(replaced > 20, "{replaced} files came and went");
    // A cursor from after the backups, of the same start.
    let mut feed = clients[0].listens("channel-0", None).await;
    clients[0].puts("channel-0", "last", "after all").await.expect("an answer");
    let cursor = feed.next().await.expect("an event").id;
    drop(feed);
    let left: Vec<_> = fs::read_dir(server.data()).expect("a directory").collect();
    assert!(left.iter().flatten().all(|it| !it.file_name().to_string_lossy().starts_with('.')));
    server.kill();

    for (file, before) in made {
        assert!(before.len() > POSTS / 10, "{} were there before", before.len());
        let rights = fs::metadata(&file).expect("a backup").permissions().mode();
        assert_eq!(rights & 0o077, 0, "nobody else may read it");
        let data = tempfile::tempdir().expect("a temporary directory");
        let ran = houston_on(data.path(), &["restore", file.to_str().expect("a path")]);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        let token = clients[0].token.clone().expect("a token");
        let server = Server::start_on(data).await;
        let reader = server.client().with_token(&token);
        let mut kept = Vec::new();
        for channel in (0..CHANNELS).map(|n| format!("channel-{n}")) {
            let messages = reader.messages(&channel).await;
            kept.extend(messages.into_iter().map(|message| (channel.clone(), message)));
        }
        for message in &before {
            assert!(kept.contains(message), "{message:?} is lost");
        }
        for message in &kept {
            assert!(sent.contains(message), "{message:?} is new");
        }
        let messages: Vec<_> = kept.into_iter().map(|(_, message)| message).collect();
        let files = reader.has_the_files_of(&messages).await;
        assert!(files >= UPLOADS / 20, "{files} files");
        let churned = reader.messages("churn").await;
        assert_eq!(reader.has_the_files_of(&churned).await, 2);
        let stored = fs::read_dir(server.data().join("files")).expect("a directory").count();
        assert_eq!(stored, files + 2, "no file that nobody needs");
        let mut feed = reader.listens("channel-0", Some(&cursor)).await;
        assert_eq!(feed.next().await.expect("an event").name, "reset", "{cursor} is of no past");
    }
}

#[rocket::async_test]
async fn pictures_of_previews_are_backed_up() {
    let site = site().await;
    let mut server = Server::with(&PREVIEWING).await;
    let ada = server.client().signed_in_as("Ada").await;
    ada.puts("general", "m1", &site).await.expect("an answer");
    until("it has a preview", async || {
        ada.messages("general").await[0]["previews"][0]["picture"].is_object()
    })
    .await;
    let kept = ada.messages("general").await;
    let backup = tempfile::tempdir().expect("a temporary directory");
    let file = backup.path().join("b.tar");
    let file = file.to_str().expect("a path");
    let ran = houston_on(server.data(), &["backup", file]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    server.kill();
    let data = tempfile::tempdir().expect("a temporary directory");
    let ran = houston_on(data.path(), &["restore", file]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let server = Server::start_on(data).await;
    let reader = server.client().with_token(&ada.token.expect("a token"));
    assert_eq!(reader.messages("general").await, kept);
    let path = kept[0]["previews"][0]["picture"]["url"].as_str().expect("a path");
    let picture = reader.request(Method::GET, path).send().await.expect("an answer");
    assert_eq!((picture.status().as_u16(), &*picture.bytes().await.expect("bytes")), (200, PNG));
}

#[rocket::async_test]
async fn a_stopped_directory_is_backed_up_as_it_is() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    for n in 0..3 {
        assert_eq!(ada.puts_file("general", &format!("m{n}"), &format!("f{n}")).await.status, 201);
    }
    let kept = ada.messages("general").await;
    // With a write-ahead log that was left behind.
    server.kill();
    let (token, data) = (ada.token.clone().expect("a token"), server.into_data());
    let file = data.path().join("own.tar");
    let arguments = ["backup", file.to_str().expect("a path")];
    for _ in 0..2 {
        let ran = houston_on(data.path(), &arguments);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains("backed up 3 messages and 3 files"));
    }
    let there = tempfile::tempdir().expect("a temporary directory");
    let restored = houston_on(there.path(), &["restore", arguments[1]]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    for data in [there, data] {
        let server = Server::start_on(data).await;
        let ada = server.client().with_token(&token);
        assert_eq!(ada.messages("general").await, kept);
        assert_eq!(ada.has_the_files_of(&kept).await, 3);
    }
}

#[rocket::async_test]
async fn a_backup_goes_through_pipes() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    assert_eq!(ada.puts_file("general", "m1", "f1").await.status, 201);
    let kept = ada.messages("general").await;
    let there = tempfile::tempdir().expect("a temporary directory");
    let script = format!(
        "set -euo pipefail; ROCKET_DATA_DIR={} {houston} backup - | \
         ROCKET_DATA_DIR={} {houston} restore -",
        server.data().display(),
        there.path().display(),
        houston = env!("CARGO_BIN_EXE_houston"),
    );
    let ran = spawn_blocking(move || {
        std::process::Command::new("bash").args(["-c", &script]).current_dir("/").output()
    });
    let ran = ran.await.expect("it ran").expect("bash runs");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let token = ada.token.clone().expect("a token");
    let server = Server::start_on(there).await;
    assert_eq!(server.client().with_token(&token).messages("general").await, kept);
}

#[rocket::async_test]
async fn a_lost_file_is_named_and_the_rest_is_backed_up() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let lost = ada.puts_file("general", "m1", "f1").await.json["attachments"][0]["id"].clone();
    assert_eq!(ada.puts_file("general", "m2", "f2").await.status, 201);
    server.terminate();
    server.ended().await;
    let data = server.into_data();
    let lost = lost.as_str().expect("an id");
    fs::remove_file(data.path().join("files").join(lost)).expect("a file");
    let (file, there) = (data.path().join("b.tar"), tempfile::tempdir().expect("a directory"));
    let ran = houston_on(data.path(), &["backup", file.to_str().expect("a path")]);
    assert!(ran.status.success() && text(&ran.stderr).contains(lost), "{}", text(&ran.stderr));
    let ran = houston_on(there.path(), &["restore", file.to_str().expect("a path")]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

#[test]
fn what_cannot_be_backed_up_is_refused_and_nothing_is_made() {
    let nothing = tempfile::tempdir().expect("a temporary directory");
    let damaged = tempfile::tempdir().expect("a temporary directory");
    fs::write(damaged.path().join("houston.db"), [7; 8_192]).expect("writable");
    let missing = nothing.path().join("missing");
    for (data, told) in [
        (nothing.path(), "there is no database in"),
        (&missing, "there is no database in"),
        (damaged.path(), "it is damaged, or none of Houston's"),
    ] {
        let ran = houston_on(data, &["backup", "/tmp/houston-never.tar"]);
        assert_eq!(ran.status.code(), Some(1));
        assert!(text(&ran.stderr).contains(told), "{}", text(&ran.stderr));
        assert!(!Path::new("/tmp/houston-never.tar").exists());
        assert!(!Path::new("/tmp/houston-never.tar.part").exists());
    }
    assert!(!missing.exists(), "no directory is made for it");
}

#[rocket::async_test]
async fn a_backup_that_cannot_be_written_leaves_nothing() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    assert_eq!(ada.puts_file("general", "m1", "f1").await.status, 201);
    let to = tempfile::tempdir().expect("a temporary directory");
    let file = to.path().join("b.tar");
    for (limit, file) in [("16", file.clone()), ("unlimited", to.path().join("missing/b.tar"))] {
        let script = format!(
            "trap '' XFSZ; ulimit -S -f {limit}; ROCKET_DATA_DIR={} exec {} backup {}",
            server.data().display(),
            env!("CARGO_BIN_EXE_houston"),
            file.display(),
        );
        let ran =
            std::process::Command::new("bash").args(["-c", &script]).current_dir("/").output();
        let ran = ran.expect("bash runs");
        assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
        assert_eq!(fs::read_dir(to.path()).expect("a directory").count(), 0);
    }
    let left = fs::read_dir(server.data()).expect("a directory").flatten();
    let left = left.filter(|it| it.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "nothing temporary stays");
}
