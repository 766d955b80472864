//! What is written down of requests.

use std::fs;

use reqwest::Method;
use serde_json::json;

use crate::server::{Server, until};

#[rocket::async_test]
async fn a_links_secret_is_not_logged() {
    let server = Server::that_logs().await;
    let ada = server.client().signed_in_as("Ada").await;
    let made = ada.post("/api/session/links", json!({})).await.expect("an answer");
    let link = made.json["url"].as_str().expect("a link");
    let path = link.strip_prefix(server.url()).expect("of this server");
    let secret = path.strip_prefix("/links/").expect("a secret");
    for method in [Method::HEAD, Method::GET, Method::PUT, Method::POST] {
        server.client().request(method, path).send().await.expect("an answer");
    }
    server.client().request(Method::GET, &format!("{path}/?more")).send().await.expect("an answer");

    server.client().get("/healthz").await.expect("an answer");

    let log = || fs::read_to_string(server.data().join("log")).expect("a log");
    until("all is logged", async || log().contains("GET /healthz")).await;
    assert!(log().contains("/links/") && !log().contains(secret), "{}", log());
}
