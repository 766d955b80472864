//! Tests over TLS, and of the absence of HTTP/2.

use std::process::Command;

use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;

use crate::server::{DEADLINE, Server, until};

/// Sends a request as a browser would, with the cookie jar in the server's data directory.
fn asks(server: &Server, arguments: &[&str]) -> String {
    let jar = server.data().join("cookies");
    let url = server.url();
    let ran = Command::new("curl")
        .args(["--silent", "--insecure", "--http2", "--include"])
        .args(["--header", &format!("Origin: {url}"), "--header", "Content-Type: application/json"])
        .arg("--cookie")
        .arg(&jar)
        .arg("--cookie-jar")
        .arg(&jar)
        .args(arguments)
        .output()
        .expect("curl runs");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[rocket::async_test]
async fn a_browser_can_sign_in_and_post_over_tls() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let server = Server::with_tls(&made.cert.pem(), &made.signing_key.serialize_pem());
    let at = |path: &str| format!("{}{path}", server.url());
    until("the server is ready", async || asks(&server, &[&at("/readyz")]).contains("200")).await;

    let signed_in = asks(&server, &["--data", r#"{"display_name": "Ada"}"#, &at("/api/session")]);
    assert!(signed_in.starts_with("HTTP/1.1 201"), "{signed_in}");
    assert!(signed_in.to_lowercase().contains("; secure"), "{signed_in}");
    let posted =
        asks(&server, &["--data", r#"{"text": "hi"}"#, &at("/api/channels/general/messages")]);
    assert!(posted.starts_with("HTTP/1.1 201"), "{posted}");
    let link = asks(&server, &["--request", "POST", &at("/api/session/links")]);
    assert!(link.contains(&format!("\"url\":\"{}/links/", server.url())), "{link}");
    let foreign = ["--header", "Origin: https://evil.example", "--data", r#"{"text": "no"}"#];
    let refused = asks(&server, &[&foreign[..], &[&at("/api/channels/general/messages")]].concat());
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
}

#[rocket::async_test]
async fn whoever_begins_to_speak_http_2_is_not_answered_in_it() {
    let server = Server::start().await;
    let address = server.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat();
    connection.write_all(&preface).await.expect("the preface is sent");
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, connection.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", answer.escape_ascii());
}
