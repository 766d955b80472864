//! Tests of the log of the process: no secrets in it.

use std::fs;

use reqwest::Method;
use serde_json::json;

use crate::client::Client;
use crate::server::{Server, until};

/// Reads the server's log, once it has written all about the requests so far.
async fn log(server: &Server) -> String {
    server.client().get("/api/the-end").await.expect("an answer");
    let log = || fs::read_to_string(server.data().join("log")).expect("a log");
    until("all is logged", async || log().contains("GET /api/the-end")).await;
    log()
}

async fn link(person: &Client, server: &Server) -> (String, String) {
    let made = person.post("/api/session/links", json!({})).await.expect("an answer");
    let link = made.json["url"].as_str().expect("a link");
    let path = link.strip_prefix(server.url()).expect("of this server");
    (path.to_owned(), path.strip_prefix("/links/").expect("a secret").to_owned())
}

#[rocket::async_test]
async fn a_links_secret_is_not_logged() {
    let server = Server::that_logs("normal").await;
    let ada = server.client().signed_in_as("Ada").await;
    let (path, secret) = link(&ada, &server).await;
    let unknown = Method::from_bytes(b"PROPFIND").expect("a method");
    for method in [Method::HEAD, Method::GET, Method::PUT, unknown, Method::POST] {
        server.client().request(method, &path).send().await.expect("an answer");
    }
    for odd in [format!("{path}/?more"), format!("/{path}"), format!("/links//{secret}|")] {
        server.client().request(Method::GET, &odd).send().await.expect("an answer");
    }
    let log = log(&server).await;
    assert!(log.contains("/links/") && !log.contains(&secret), "{log}");
}

#[rocket::async_test]
async fn a_hooks_secret_is_not_logged() {
    for level in ["debug", "normal"] {
        let server = Server::that_logs(level).await;
        let ada = server.client().signed_in_as("Ada").await;
        let made = ada.post("/api/channels/general/hooks", json!({ "name": "CI" })).await;
        let made = made.expect("an answer");
        let url = made.json["url"].as_str().expect("an address");
        let secret = url.rsplit('/').next().expect("a secret").to_owned();
        let unknown = Method::from_bytes(b"PROPFIND").expect("a method");
        for method in [Method::POST, Method::GET, Method::PUT, unknown] {
            for path in ["/hooks", "//hooks/", "/api/v1/matrix/hook"] {
                let path = format!("{path}/{secret}");
                let request = server.client().request(method.clone(), &path);
                request.body("x").send().await.expect("an answer");
            }
        }
        let log = log(&server).await;
        assert!(log.contains("/hooks/") && !log.contains(&secret), "{log}");
    }
}

#[rocket::async_test]
async fn at_no_level_is_a_secret_logged() {
    for level in ["debug", "normal", "critical"] {
        let server = Server::that_logs(level).await;
        let visitor = server.client();
        let ada = visitor.signed_in_as("Ada").await;
        let token = ada.token.clone().expect("a token");
        ada.puts("general", "m1", "hello").await.expect("an answer");
        let cookie = format!("session={token}; other=1");
        let here = visitor.request(Method::GET, "/").header("Cookie", &cookie);
        assert_eq!(here.send().await.expect("an answer").status(), 200);
        let nowhere = visitor.request(Method::GET, "/nowhere").header("Cookie", &cookie);
        nowhere.send().await.expect("an answer");
        let unknown = Method::from_bytes(b"PROPFIND").expect("a method");
        ada.request(unknown, "/api/session").header("Cookie", &cookie).send().await.expect("it");
        let (path, link_secret) = link(&ada, &server).await;
        visitor.request(Method::POST, &path).send().await.expect("an answer");
        ada.request(Method::DELETE, "/api/session").send().await.expect("an answer");

        let log = log(&server).await;
        for secret in [&token, &link_secret] {
            assert!(secret.len() > 20 && !log.contains(secret.as_str()), "{level}: {log}");
        }
        assert!(log.contains("GET /nowhere"), "{level}: {log}");
    }
}

#[rocket::async_test]
async fn as_json_each_line_has_the_id_that_the_answer_has_and_no_text_of_anybody() {
    for level in ["normal", "debug"] {
        let server = Server::that_logs_as(level, "json").await;
        let ada = server.client().signed_in_as("Ada").await;
        ada.puts("general", "m1", "hushhush").await.expect("an answer");
        let search = ada.request(Method::GET, "/api/search?q=hushhush&x=1").send().await;
        let answer = search.expect("an answer");
        let id = answer.headers()["X-Request-Id"].to_str().expect("an id").to_owned();
        let bad = ada.request(Method::GET, "/api/%").send().await.expect("an answer");
        assert!(bad.headers().contains_key("X-Request-Id"), "what cannot be parsed has one, too");

        let log = log(&server).await;
        assert!(!log.contains("hushhush"), "{log}");
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for line in &lines {
            for name in ["time", "level", "target", "message"] {
                assert!(line[name].is_string(), "{name} in {line}");
            }
        }
        let of_it: Vec<_> = lines.iter().filter(|line| line["request_id"] == *id).collect();
        let told = |text: &str| {
            of_it.iter().any(|line| line["message"].as_str().is_some_and(|it| it.contains(text)))
        };
        assert!(told("GET /api/search?q=…&x=1") && told("200 OK"), "{of_it:?}");
        assert!(!told("/messages/m1"), "that was another one: {of_it:?}");
    }
}
