//! Tests of the connection to NATS servers, and of what whoever runs them is told.

use std::fs;
use std::net::SocketAddr;

use houston::backends::jetstream::connection::{ConnectError, Nats, Options};
use rcgen::generate_simple_self_signed;
use rocket::tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use rocket::tokio::net::TcpListener;

use crate::nats::Servers;

#[rocket::async_test]
async fn a_server_that_is_too_old_is_refused() {
    for (version, refused) in [("2.10.27", true), ("2.11.9", true), ("2.12.0", false)] {
        let server = pretend_to_be(version, 1024 * 1024).await;
        let outcome = Nats::connect(&options(server)).await;
        let told = outcome.as_ref().err().map(ToString::to_string);
        assert_eq!(outcome.is_err(), refused, "{told:?}");
        if let Some(told) = told {
            assert!(told.contains(version) && told.contains("2.12 or newer"), "{told}");
        }
    }
}

#[rocket::async_test]
async fn a_server_that_takes_only_small_messages_is_refused() {
    let server = pretend_to_be("2.15.1", 65_536).await;
    let refused = Nats::connect(&options(server)).await.expect_err("too small").to_string();
    assert!(
        refused.contains("at most 65536 bytes") && refused.contains("max_payload"),
        "{refused}"
    );
}

#[rocket::async_test]
async fn who_cannot_be_reached_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let servers = vec![format!("nats://ada:secret@{address}")];
    let refused = Nats::connect(&Options { servers, ..Options::default() }).await;
    let refused = refused.expect_err("nobody is there");
    assert!(matches!(refused, ConnectError::Unreachable { .. }));
    let told = refused.to_string();
    assert!(told.contains(&address.to_string()) && !told.contains("secret"), "{told}");
}

#[rocket::async_test]
async fn a_password_or_a_token_in_the_address_is_the_login() {
    for (configuration, login) in [
        ("authorization { user: ada, password: \"p@ss\" }", "ada:p%40ss"),
        ("authorization { token: s3cret }", "s3cret"),
    ] {
        let server = Servers::alone_with(configuration).await;
        let with = |login: &str| {
            let servers = vec![format!("nats://{login}127.0.0.1:{}", server.port())];
            Options { servers, ..Options::default() }
        };
        Nats::connect(&with(&format!("{login}@"))).await.expect("it is known");
        for unknown in ["", "eve:x@", "eve@"] {
            let refused = Nats::connect(&with(unknown)).await.expect_err("unknown");
            assert!(matches!(refused, ConnectError::Refused), "{unknown:?}: {refused}");
        }
    }
}

#[rocket::async_test]
async fn a_server_is_trusted_by_the_certificate_that_is_given() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        fs::write(&path, content).expect("writable");
        path
    };
    let pair = || generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a pair");
    let (own, foreign) = (pair(), pair());
    let certificate = file("cert.pem", &own.cert.pem());
    let key = file("key.pem", &own.signing_key.serialize_pem());
    let configuration = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
        certificate.display(),
        key.display()
    );
    let server = Servers::alone_with(&configuration).await;
    let servers = vec![format!("tls://localhost:{}", server.port())];
    let trusting = |ca| Options { ca: Some(ca), servers: servers.clone(), ..Options::default() };

    Nats::connect(&trusting(certificate)).await.expect("it is trusted");

    let refused = Nats::connect(&trusting(file("other.pem", &foreign.cert.pem()))).await;
    let told = refused.expect_err("another one").to_string();
    assert!(told.contains("certificate"), "{told}");
}

#[rocket::async_test]
async fn a_file_that_is_missing_is_named() {
    let missing = || Some("/nonexistent/file".into());
    for options in [
        Options { credentials: missing(), ..Options::default() },
        Options { ca: missing(), ..Options::default() },
    ] {
        let refused = Nats::connect(&options).await.expect_err("missing").to_string();
        assert!(refused.contains("`/nonexistent/file`"), "{refused}");
    }
}

fn options(server: SocketAddr) -> Options {
    Options { servers: vec![format!("nats://{server}")], ..Options::default() }
}

/// A server that says who it is and answers pings, and does nothing else.
async fn pretend_to_be(version: &'static str, max_payload: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    rocket::tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a client");
        let (reader, mut writer) = connection.into_split();
        let info = format!(
            "INFO {{\"server_id\":\"x\",\"version\":\"{version}\",\"headers\":true,\
             \"max_payload\":{max_payload},\"jetstream\":true}}\r\n"
        );
        writer.write_all(info.as_bytes()).await.expect("written");
        let mut lines = BufReader::new(reader).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("PING") {
                writer.write_all(b"PONG\r\n").await.expect("written");
            }
        }
    });
    address
}
