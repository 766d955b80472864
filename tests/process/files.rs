//! Tests of files, large ones and many, on a real disk.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::future::join_all;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use reqwest::{Body, Method};
use rocket::tokio;

use crate::client::{Answer, Client};
use crate::server::{Server, until};

const MIB: usize = 1024 * 1024;
/// The memory that the server may take beyond what it takes when idle, in bytes.
const MEMORY: u64 = 10 * MIB as u64;

/// A file of this many bytes, different for each `n`, as it is read piece by piece.
fn pieces(n: u8, bytes: usize) -> impl Iterator<Item = Bytes> + Send + 'static {
    const PIECE: usize = 64 * 1024;
    let piece: Bytes = (0..PIECE).map(|at| u8::try_from(at % 251).expect("small") ^ n).collect();
    let lengths = (0..bytes).step_by(PIECE).map(move |at| (bytes - at).min(PIECE));
    lengths.map(move |length| piece.slice(..length))
}

impl Client {
    /// Sends a message with one file.
    async fn uploads(&self, path: &str, n: u8, bytes: usize) -> Result<Answer, reqwest::Error> {
        let head =
            "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        let form = [Bytes::from(head)].into_iter();
        let form = form.chain(pieces(n, bytes)).chain([Bytes::from("\r\n--part--\r\n")]);
        let body = Body::wrap_stream(stream::iter(form.map(Ok::<_, std::io::Error>)));
        let kind = "multipart/form-data; boundary=part";
        let request = self.request(Method::POST, path).header("Content-Type", kind).body(body);
        Answer::of(request.send().await?).await
    }

    async fn downloads(&self, path: &str, n: u8, bytes: usize) {
        let response = self.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let mut given = response.bytes_stream();
        let mut expected = pieces(n, bytes).flatten();
        while let Some(chunk) = given.try_next().await.expect("all of it") {
            assert!(
                chunk.iter().copied().eq(expected.by_ref().take(chunk.len())),
                "the same bytes"
            );
        }
        assert!(expected.next().is_none(), "all of it");
    }
}

const GENERAL: &str = "/api/channels/general/messages";

fn file_url(answer: &Answer) -> String {
    answer.json["attachments"][0]["url"].as_str().expect("a file").into()
}

#[rocket::async_test]
async fn a_large_file_comes_and_goes_without_being_held_in_memory() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    ada.uploads(GENERAL, 0, MIB).await.expect("an answer");
    let idle = server.memory_peak_from_now();
    let sent = ada.uploads(GENERAL, 1, 20 * MIB).await.expect("an answer");
    assert_eq!(sent.status, 201, "{sent:?}");
    ada.downloads(&file_url(&sent), 1, 20 * MIB).await;
    let needed = server.memory_peak().saturating_sub(idle);
    assert!(needed < MEMORY, "{needed} bytes beyond the {idle} of idling");
}

#[rocket::async_test]
async fn what_is_far_too_large_is_refused_without_being_held_in_memory() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    // What the first upload of a server needs once.
    ada.uploads(GENERAL, 3, 200 * MIB).await.expect("an answer").refused(413, "too-large");
    let idle = server.memory_peak_from_now();
    let uploads = (0..3).map(|n| ada.uploads(GENERAL, n, 200 * MIB));
    for refused in join_all(uploads).await {
        refused.expect("an answer").refused(413, "too-large");
    }
    let needed = server.memory_peak().saturating_sub(idle);
    assert!(needed < MEMORY, "{needed} bytes beyond the {idle} of idling");
    until("nothing of it stays", async || stored(&server).is_empty()).await;
}

#[rocket::async_test]
async fn a_head_that_never_ends_is_refused_without_being_held_in_memory() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let idle = server.memory_peak_from_now();
    let head = [Bytes::from("--part\r\nX-Long: ")].into_iter().chain(pieces(7, 200 * MIB));
    let body = Body::wrap_stream(stream::iter(head.map(Ok::<_, std::io::Error>)));
    let kind = "multipart/form-data; boundary=part";
    let request = ada.request(Method::POST, GENERAL).header("Content-Type", kind).body(body);
    let answer = Answer::of(request.send().await.expect("an answer")).await.expect("a body");
    answer.refused(400, "malformed-request");
    let needed = server.memory_peak().saturating_sub(idle);
    assert!(needed < MEMORY, "{needed} bytes beyond the {idle} of idling");
}

#[rocket::async_test]
async fn whoever_hangs_up_leaves_no_file() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let head = "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
    let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from(head))]);
    let begun = begun.chain(stream::iter(pieces(0, MIB).map(Ok))).chain(stream::pending());
    let kind = "multipart/form-data; boundary=part";
    let request = ada.request(Method::POST, GENERAL).header("Content-Type", kind);
    let upload = tokio::spawn(request.body(Body::wrap_stream(begun)).send());
    until("it has begun", async || !stored(&server).is_empty()).await;
    upload.abort();
    until("nothing of it stays", async || stored(&server).is_empty()).await;
}

#[rocket::async_test]
async fn where_a_file_cannot_be_stored_nothing_of_it_stays() {
    let server = Server::with_files_of_at_most(512).await;
    let ada = server.client().signed_in_as("Ada").await;
    let refused = ada.uploads(GENERAL, 0, MIB).await.expect("an answer");
    refused.refused(503, "storage-unavailable");
    until("nothing of it stays", async || stored(&server).is_empty()).await;
    server.has_room_again();
    assert_eq!(ada.uploads(GENERAL, 0, MIB).await.expect("an answer").status, 201);
}

#[rocket::async_test]
async fn killed_during_uploads_it_has_the_files_of_its_messages_and_no_others() {
    const CLIENTS: u8 = 8;
    for kill_after in [1, 10, 40] {
        let mut server = Server::start().await;
        let visitor = server.client();
        let mut clients = Vec::new();
        for n in 0..CLIENTS {
            clients.push(visitor.signed_in_as(&format!("Client {n}")).await);
        }
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let uploads = clients.iter().cloned().zip(0..).map(|(client, n)| {
            let acknowledged = acknowledged.clone();
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for _ in 0..12 {
                    match client.uploads(GENERAL, n, usize::from(n) * 100_000).await {
                        Ok(answer) if answer.is_kept() => {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                            sent.push((file_url(&answer), n));
                        }
                        _ => break,
                    }
                }
                sent
            })
        });
        let uploads: Vec<_> = uploads.collect();
        let enough = || acknowledged.load(Ordering::Relaxed) >= kill_after;
        until("enough is acknowledged", async || enough()).await;

        server.kill();

        let sent = join_all(uploads).await.into_iter().flat_map(|sent| sent.expect("no panic"));
        let sent: Vec<_> = sent.collect();
        assert!(sent.len() < 12 * usize::from(CLIENTS), "it was killed while uploading went on");
        let token = clients[0].token.clone().expect("a token");
        drop(clients);
        let server = server.restart().await;
        let reader = server.client().with_token(&token);
        for (url, n) in &sent {
            reader.downloads(url, *n, usize::from(*n) * 100_000).await;
        }
        let messages = reader.messages("general").await;
        let kept = messages.iter().map(|message| message["attachments"][0]["id"].clone());
        let kept: HashSet<_> = kept.map(|id| id.as_str().expect("an id").to_owned()).collect();
        assert_eq!(stored(&server), kept, "no file without its message, no message without its");
    }
}

/// Lists the files in the data directory.
fn stored(server: &Server) -> HashSet<String> {
    let files = fs::read_dir(server.data().join("files")).expect("a directory of files");
    let name = |file: std::io::Result<fs::DirEntry>| file.expect("a file").file_name();
    files.map(|file| name(file).into_string().expect("an id")).collect()
}

/// Runs curl with these arguments and a file of this many bytes. Returns its standard output, with
/// the status of the answer at the end.
fn curl(bytes: usize, arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("a b.bin"), vec![7; bytes]).expect("writable");
    let ran = std::process::Command::new("curl")
        .args(["-s", "-w", "%{http_code}", "--max-time", "60"])
        .args(arguments)
        .current_dir(directory.path())
        .output()
        .expect("curl runs");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[rocket::async_test]
async fn curl_sends_files_of_any_size_and_learns_why_one_is_refused() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let auth = format!("Authorization: Bearer {}", ada.token.as_deref().expect("a token"));
    let at = |path: &str| format!("{}{path}", server.url());
    let (folder, channel) = (at("/channels/general/"), at("/channels/general"));
    for (bytes, arguments, ends) in [
        (10, &["-T", "a b.bin", &folder, "-H", &auth][..], "/a%20b.bin\n201"),
        // A body of this size is announced by `Expect: 100-continue`.
        (5_000_000, &["-T", "a b.bin", &folder, "-H", &auth], "/a%20b.bin\n201"),
        (10, &["-T", "a b.bin", &channel, "-H", &auth], "201"),
        (10, &["-T", "a b.bin", &channel, "-H", &auth, "-H", "Expect: 100-continue"], "201"),
        (10, &["-T", "a b.bin", &channel, "-H", &auth, "-H", "Transfer-Encoding: chunked"], "201"),
        (10, &["-T", "a b.bin", &folder], "401"),
        (5_000_000, &["-T", "a b.bin", &folder], "401"),
        (27_000_000, &["-T", "a b.bin", &folder, "-H", &auth], "413"),
        (27_000_000, &["-T", "a b.bin", &folder, "-H", &auth, "-H", "Expect:"], "413"),
    ] {
        let said = curl(bytes, arguments);
        assert!(said.ends_with(ends), "{arguments:?}: {said}");
    }
    assert_eq!(ada.messages("general").await.len(), 5);
}

#[rocket::async_test]
async fn curl_follows_a_channel_until_the_server_ends() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let auth = format!("Authorization: Bearer {}", ada.token.as_deref().expect("a token"));
    let url = format!("{}/channels/general?follow=1", server.url());
    let mut curl = std::process::Command::new("curl")
        .args(["-sN", "--max-time", "60", "-H", &auth, &url])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("curl runs");
    crate::server::until("it listens", async || server.metric("houston_streams").await == 1).await;
    ada.puts("general", "m1", "Hello").await.expect("an answer");
    crate::server::until("it is told", async || server.metric("houston_messages").await == 1).await;
    server.terminate();
    assert!(server.ended().await.success());
    let status = curl.wait().expect("curl ends");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut curl.stdout.take().expect("piped"), &mut said)
        .expect("text");
    assert!(status.success(), "the answer has an end: {status:?} {said}");
    assert!(said.ends_with("Z Ada: Hello\n"), "{said}");
}
