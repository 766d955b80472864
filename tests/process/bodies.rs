//! Tests of bodies that come to a halt: they are given up, and what they held is free again.

use std::time::{Duration, Instant};

use futures::future::join_all;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;

use crate::server::{DEADLINE, Server};

/// The longest pause of a body in these tests, in seconds.
const SILENCE: &str = "1";

async fn server() -> Server {
    Server::with(&[("ROCKET_BODY_SILENCE_SECONDS", SILENCE)]).await
}

/// The beginning of a request whose `Content-Length` promises more.
async fn begins(server: &Server, request: &str, headers: &str, body: &str) -> TcpStream {
    let address = server.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let head =
        format!("{request} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 10000\r\n{headers}\r\n");
    connection.write_all(head.as_bytes()).await.expect("the head is sent");
    connection.write_all(body.as_bytes()).await.expect("half of the body is sent");
    connection
}

/// Reads the answer, up to the end of the connection.
async fn answered(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // Closed with bytes that nobody has read, a connection ends with an error: what came counts.
    let _ = timeout(DEADLINE, connection.read_to_end(&mut answer)).await.expect("in time");
    String::from_utf8(answer).expect("text")
}

const PART: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
const GENERAL: &str = "POST /api/channels/general/messages";

#[rocket::async_test]
async fn four_uploads_that_halt_between_two_parts_keep_nobody_from_uploading() {
    let server = server().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.as_ref().expect("a token");
    let headers = format!(
        "Authorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    );
    let body = format!("{PART}a file\r\n");
    let halted = (0..4).map(|_| begins(&server, GENERAL, &headers, &body));
    let mut halted = join_all(halted).await;

    for answer in join_all(halted.iter_mut().map(answered)).await {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("/problems/request-timeout"), "{answer}");
    }

    let again = (0..4).map(|_| async {
        let whole = format!("{PART}a file\r\n--b--\r\n");
        let request = ada.request(reqwest::Method::POST, "/api/channels/general/messages");
        let request = request.header("Content-Type", "multipart/form-data; boundary=b");
        request.body(whole).send().await.expect("an answer").status()
    });
    for status in join_all(again).await {
        assert_eq!(status, 201);
    }
    let files = std::fs::read_dir(server.data().join("files")).expect("a directory").count();
    assert_eq!(files, 4, "nothing stays of what was given up");
}

#[rocket::async_test]
async fn wherever_a_body_halts_it_is_given_up() {
    let server = server().await;
    let ada = server.client().signed_in_as("Ada").await;
    let signed = format!("Authorization: Bearer {}\r\n", ada.token.as_ref().expect("a token"));
    let of = |kind: &str| format!("{signed}Content-Type: {kind}\r\n");
    let form = of("multipart/form-data; boundary=b");
    let preamble = "x".repeat(2_000);
    let sign_in = "Content-Type: application/json\r\n";
    let page = "Content-Type: application/x-www-form-urlencoded\r\n";
    let begun = Instant::now();
    let cases = [
        ("before its first byte", GENERAL, &*form, ""),
        ("before its first byte of JSON", "POST /api/session", sign_in, ""),
        ("after its first bytes", GENERAL, &form, "--b"),
        ("before a part", GENERAL, &form, &preamble),
        ("in the head of a part", GENERAL, &form, &PART[..30]),
        ("in a part", GENERAL, &form, &format!("{PART}half of")),
        ("in JSON", GENERAL, &of("application/json"), r#"{"text": "half of"#),
        ("in a text", GENERAL, &of("text/plain"), "half of what was to be said"),
        ("in a form", GENERAL, &of("application/x-www-form-urlencoded"), "text=half+of+what"),
        ("at signing in", "POST /api/session", sign_in, r#"{"display_name": "Half"#),
        ("at signing in on the page", "POST /sign-in", page, "display_name=Half+of"),
    ];
    let halts = cases.map(|(place, request, headers, body)| {
        let (server, headers, body) = (&server, headers.to_owned(), body.to_owned());
        async move {
            let answer = answered(&mut begins(server, request, &headers, &body).await).await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{place}: {answer}");
            assert!(answer.to_lowercase().contains("connection: close"), "{place}: {answer}");
        }
    });
    join_all(halts).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "by this server's limit, not the usual one");
}

#[rocket::async_test]
async fn a_refused_body_that_halts_gets_its_refusal() {
    let server = server().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.as_ref().expect("a token");
    let headers = format!(
        "Authorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    );
    let nowhere = "POST /api/channels/nowhere/messages";
    let mut halted = begins(&server, nowhere, &headers, &format!("{PART}half of")).await;
    let answer = answered(&mut halted).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[rocket::async_test]
async fn what_follows_a_refused_form_is_not_read_as_a_request() {
    let server = server().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.as_ref().expect("a token");
    let headers = format!(
        "Authorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    );
    // Of a file that has grown since its length was announced.
    let grown = format!("{PART}{}\r\n--b--\r\n", "x".repeat(15_000));
    for (request, status) in [(GENERAL, "400"), ("POST /api/channels/nowhere/messages", "404")] {
        let answer = answered(&mut begins(&server, request, &headers, &grown).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}
