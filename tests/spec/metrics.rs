//! Tests of health and metrics: numbers, without names, ids or texts.

use rocket::http::Method;
use serde_json::json;

use crate::harness::{Person, Workspace};

/// The value of a metric, with its labels as they are written.
async fn value(person: &Person, metric: &str) -> Option<f64> {
    let answer = person.get("/metrics").await;
    assert_eq!(answer.status, 200, "it is open to this machine");
    let kind = answer.header("Content-Type").expect("a type");
    assert!(kind.starts_with("text/plain") && kind.contains("version=0.0.4"), "{kind}");
    let mut lines = answer.text.lines().filter(|line| !line.starts_with('#'));
    let found = lines.find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    found.map(|value| value.parse().expect("a number"))
}

#[rocket::async_test]
async fn nobody_elsewhere_may_read_them_without_the_token() {
    let (here, elsewhere) = ("::1", "192.0.2.1");
    let workspace = Workspace::start().await;
    let ask = async |address, headers: &[(&str, &str)]| {
        workspace.visitor().at(address).asks(Method::Get, "/metrics", headers, "").await
    };
    assert_eq!(ask(here, &[]).await.status, 200);
    ask(elsewhere, &[]).await.refused(403, "not-allowed");
    ask(elsewhere, &[("Authorization", "Bearer ")]).await.refused(403, "not-allowed");
    for header in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via"] {
        ask(here, &[(header, "127.0.0.1")]).await.refused(403, "not-allowed");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(workspace.visitor().at(elsewhere).get(path).await.status, 200, "{path}");
    }

    let workspace = Workspace::with(|settings| settings.merge(("metrics_token", "s3cret"))).await;
    let ask = async |address, headers: &[(&str, &str)]| {
        workspace.visitor().at(address).asks(Method::Get, "/metrics", headers, "").await
    };
    assert_eq!(ask(here, &[]).await.status, 200, "no token is needed here");
    assert_eq!(ask(elsewhere, &[("Authorization", "Bearer s3cret")]).await.status, 200);
    for wrong in ["Bearer other", "Bearer ", "Basic s3cret"] {
        let refused = ask(elsewhere, &[("Authorization", wrong)]).await;
        refused.refused(401, "sign-in-required");
        assert_eq!(refused.header("WWW-Authenticate"), Some("Bearer"));
    }
}

#[rocket::async_test]
async fn what_there_is_and_what_happens_is_counted() {
    let workspace = Workspace::start().await;
    let (monitor, ada) = (workspace.visitor(), workspace.signed_in_as("Ada").await);
    let entries = value(&monitor, "houston_log_entries_total").await.expect("entries");
    let feed = ada.listens("general").await;
    ada.creates("launch").await;
    ada.posts("launch", "Hello").await;
    ada.puts("launch", "m1", "once").await;
    ada.puts("launch", "m1", "twice").await;
    ada.sends("launch", "The plan", &[("plan.txt", b"plot")]).await;
    let hook = ada.post("/api/channels/launch/hooks", json!({ "name": "CI" })).await.json();
    let url = hook["url"].as_str().expect("an address");
    let path = &url[url.find("/hooks/").expect("a path")..];
    for payload in [json!({ "text": "It is up" }), json!({})] {
        monitor.post(path, payload).await;
    }
    for (metric, expected) in [
        ("houston_streams", 1.0),
        ("houston_users_online", 1.0),
        ("houston_users", 1.0),
        ("houston_channels", 2.0),
        ("houston_messages", 4.0),
        ("houston_files", 1.0),
        ("houston_file_bytes", 4.0),
        ("houston_messages_posted_total", 4.0),
        ("houston_hooks", 1.0),
        ("houston_hook_deliveries_total", 2.0),
        ("houston_hook_delivery_failures_total", 1.0),
        ("houston_hook_attempts_total", 0.0),
        ("houston_uploads_total", 1.0),
        ("houston_upload_bytes_total", 4.0),
        ("houston_uploads_under_way", 0.0),
        ("houston_ready", 1.0),
        ("houston_stream_resets_total", 0.0),
        (r#"houston_queue_length{queue="commits"}"#, 0.0),
    ] {
        assert_eq!(value(&monitor, metric).await, Some(expected), "{metric}");
    }
    let more = value(&monitor, "houston_log_entries_total").await.expect("entries");
    assert!(more >= entries + 5.0, "{entries}, {more}");
    let commits = value(&monitor, "houston_commit_seconds_count").await.expect("a count");
    assert!(commits >= 5.0, "{commits}");
    assert_eq!(value(&monitor, "houston_commit_seconds_bucket{le=\"+Inf\"}").await, Some(commits));
    drop(feed);
}

#[rocket::async_test]
async fn requests_are_counted_by_route_and_refusals_by_problem() {
    let workspace = Workspace::start().await;
    let (monitor, ada) = (workspace.visitor(), workspace.signed_in_as("Ada").await);
    let before = value(&monitor, "houston_request_seconds_count").await.expect("a count");
    ada.posts("general", "Hello").await;
    ada.posts("general", "Hello again").await;
    ada.get("/api/channels/nowhere").await.refused(404, "no-such-channel");
    ada.puts("general", "no/id", "x").await;
    monitor.get("/api/session").await.refused(401, "sign-in-required");
    monitor.get("/problems/nothing").await;
    for (metric, expected) in [
        (
            r#"houston_requests_total{method="POST",route="/api/channels/<channel>/messages",status="2xx"}"#,
            2.0,
        ),
        (r#"houston_requests_total{method="GET",route="/api/session",status="4xx"}"#, 1.0),
        (r#"houston_problems_total{problem="no-such-channel"}"#, 1.0),
        (r#"houston_problems_total{problem="sign-in-required"}"#, 1.0),
        (r#"houston_problems_total{problem="slow-down"}"#, 0.0),
    ] {
        assert_eq!(value(&monitor, metric).await, Some(expected), "{metric}");
    }
    let after = value(&monitor, "houston_request_seconds_count").await.expect("a count");
    assert!(after >= before + 6.0, "{before}, {after}");
}

#[rocket::async_test]
async fn no_name_id_or_text_is_in_them() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Zaphod").await;
    ada.creates("magrathea").await;
    ada.puts("magrathea", "m42", "fjords").await;
    ada.posts("@Zaphod", "fjords").await;
    for path in ["/magrathea", "/api/magrathea", "/api/channels/magrathea/nothing?q=fjords"] {
        ada.get(path).await;
    }
    ada.get("/api/search?q=fjords").await;
    let told = workspace.visitor().get("/metrics").await.text;
    for secret in ["Zaphod", "magrathea", "m42", "fjords", ada.id()] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}

#[rocket::async_test]
async fn what_streams_take_is_counted_and_what_rooms_hold_is_told() {
    let workspace = Workspace::start().await;
    let (monitor, ada) = (workspace.visitor(), workspace.signed_in_as("Ada").await);
    let mut feeds = Vec::new();
    for _ in 0..3 {
        feeds.push(ada.listens("general").await);
    }
    let before = value(&monitor, "houston_deliveries_total").await.expect("a count");
    ada.posts("general", "Hello").await;
    for feed in &mut feeds {
        feed.next_named("message").await;
    }
    let after = value(&monitor, "houston_deliveries_total").await.expect("a count");
    assert!(after >= before + 3.0, "{before}, {after}");
    assert!(value(&monitor, "houston_ring_bytes").await.expect("bytes") > 100.0);
    drop(feeds);
}

#[rocket::async_test]
async fn every_metric_is_explained_where_operators_read() {
    let workspace = Workspace::start().await;
    let told = workspace.visitor().get("/metrics").await.text;
    let readme = include_str!("../../README.md");
    let names = told.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names: Vec<_> = names.filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
        assert!(told.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
}

#[rocket::async_test]
async fn a_server_that_stops_says_so_takes_no_streams_and_sends_clients_back_one_by_one() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut feeds = Vec::new();
    for _ in 0..20 {
        feeds.push(ada.listens("general").await);
    }
    let mut tail = ada.tails("/channels/general?follow=1", "*/*").await;
    workspace.shut_down();
    let mut retries = std::collections::BTreeSet::new();
    for feed in &mut feeds {
        let retry = feed.farewell().await;
        assert!((1_000..=4_000).contains(&retry), "{retry}");
        retries.insert(retry);
    }
    assert!(retries.len() > 10, "they come back one by one: {retries:?}");
    assert_eq!(tail.next().await, None);
    for (path, accept) in [
        ("/api/channels/general/events", "*/*"),
        ("/api/events", "*/*"),
        ("/channels/general?follow=1", "*/*"),
        ("/channels/general", "text/event-stream"),
    ] {
        let refused = ada.asks(Method::Get, path, &[("Accept", accept)], "").await;
        assert_eq!(refused.status, 503, "{path}");
        assert!(refused.header("Retry-After").is_some(), "{path}");
    }
    let ready = workspace.visitor().get("/readyz").await;
    assert_eq!((ready.status, ready.text.starts_with("not ready: stopping: ")), (503, true));
    assert_eq!(workspace.visitor().get("/healthz").await.status, 200, "it runs");
    ada.posts("general", "what was begun is done").await;
}

#[rocket::async_test]
async fn every_answer_has_an_id_of_its_own_or_that_of_the_proxy() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut ids = std::collections::BTreeSet::new();
    for (path, accept) in [
        ("/", "text/html"),
        ("/", "*/*"),
        ("/nothing", "text/html"),
        ("/nothing", "*/*"),
        ("/api/nothing", "*/*"),
        ("/api/channels", "*/*"),
        ("/channels/general", "application/x-ndjson"),
        ("/healthz", "*/*"),
        ("/metrics", "*/*"),
        ("/static/0/css/houston.css", "*/*"),
    ] {
        for method in [Method::Get, Method::Head, Method::Delete] {
            let headers = [("Accept", accept), ("X-Request-Id", "mine")];
            let answer = ada.asks(method, path, &headers, "").await;
            let id = answer.header("X-Request-Id").unwrap_or_default().to_owned();
            assert_eq!(id.len(), 16, "{method} {path}: a stranger's is not taken");
            assert!(ids.insert(id), "{method} {path}: no two have one");
        }
    }
    let workspace = Workspace::with(|settings| settings.merge(("ip_header", "X-Real-IP"))).await;
    let ask = async |id: &str| {
        let headers = [("X-Request-Id", id)];
        let answer = workspace.visitor().asks(Method::Get, "/healthz", &headers, "").await;
        answer.header("X-Request-Id").unwrap_or_default().to_owned()
    };
    for id in
        ["a", "4c3e7f10-9ab2-4b7e-9d5b-0c1d2e3f4a5b", "Root=1-67891233-abcdef012345678912345678"]
    {
        assert_eq!(ask(id).await, id);
    }
    for id in ["", "a b", "<script>", "a\"b", &"x".repeat(65)] {
        assert_eq!(ask(id).await.len(), 16, "{id:?}");
    }
}
