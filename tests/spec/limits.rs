//! Tests of rate limits, per user and per address.

use futures::future::{FutureExt, join_all};
use rocket::http::Method;
use serde_json::json;

use crate::harness::Workspace;

#[rocket::async_test]
async fn signing_in_and_posting_are_limited() {
    let workspace = Workspace::with(|settings| settings).await;
    let ada = workspace.signed_in_as("Ada").await;
    let path = "/api/channels/general/messages";
    let answers = join_all((0..100).map(|_| ada.post(path, json!({ "text": "spam" })))).await;
    let (refused, stored) = answers.iter().partition::<Vec<_>, _>(|answer| answer.status == 429);
    assert!(stored.len() >= 60 && stored.iter().all(|answer| answer.status == 201));
    let refused = refused.first().expect("a limit below 100 messages at once");
    refused.refused(429, "slow-down");
    let wait = refused.header("Retry-After").expect("when to try again");
    assert!(wait.parse::<u32>().is_ok_and(|seconds| seconds >= 1), "{wait:?}");

    let mut statuses = Vec::new();
    for _ in 0..60 {
        let body = json!({ "display_name": "Ada" });
        statuses.push(workspace.visitor().post("/api/session", body).await.status);
    }
    assert_eq!(statuses[0], 409, "there is room for some");
    assert!(statuses.contains(&429), "but not for 60 at once: {statuses:?}");

    let bob = workspace.signed_in_as("Bob").await;
    let link = bob.post("/api/session/links", json!({})).await.json();
    let link = link["url"].as_str().expect("an address");
    let path = &link[link.find("/links/").expect("a path")..];
    let followed = workspace.visitor().asks(Method::Post, path, &[], "").await;
    assert_eq!(followed.status, 303, "nobody else at that address has to wait: {followed:?}");
}

#[rocket::async_test]
async fn a_name_that_looks_like_a_taken_one_can_be_tried_without_keeping_others_out() {
    let workspace = Workspace::with(|settings| settings).await;
    let _ada = workspace.signed_in_as("Ada").await;
    for _ in 0..30 {
        let name = json!({ "display_name": "Аda" }); // Cyrillic
        workspace.visitor().post("/api/session", name).await.refused(409, "display-name-taken");
    }
    workspace.signed_in_as("Bob").await;
}

#[rocket::async_test]
async fn names_make_no_more_of_signing_in_than_an_address_may() {
    let workspace = Workspace::with(|settings| settings).await;
    let names = (0..60).map(|n| json!({ "display_name": format!("User {n}") }));
    let mut statuses = Vec::new();
    for name in names {
        statuses.push(workspace.visitor().post("/api/session", name).await.status);
    }
    assert!(statuses[..30].iter().all(|status| *status == 201), "{statuses:?}");
    assert!(statuses[30..].contains(&429), "{statuses:?}");
}

#[rocket::async_test]
async fn opening_streams_is_limited_and_a_page_with_twenty_tabs_does_not_notice() {
    let workspace = Workspace::with(|settings| settings).await;
    let ada = workspace.signed_in_as("Ada").await;
    let open = |_| ada.begins(Method::Get, "/api/events");
    let tabs = join_all((0..200).map(open)).await;
    assert!(tabs.iter().all(|status| *status == 200), "{tabs:?}");
    let loops = join_all((0..3_000).map(open)).await;
    assert!(loops.contains(&429) && loops.iter().all(|status| [200, 429].contains(status)));
    let bob = workspace.signed_in_as("Bob").await;
    assert_eq!(bob.begins(Method::Get, "/api/events").await, 200, "others do not wait");
}

#[rocket::async_test]
async fn other_changes_are_limited_and_reading_goes_on() {
    let workspace = Workspace::with(|settings| settings).await;
    let ada = workspace.signed_in_as("Ada").await;
    let message = ada.posts("general", "hello").await;
    let here = "/api/channels/general";

    let typing = format!("{here}/typing");
    let answers = join_all((0..1_000).map(|_| ada.post(&typing, json!({})))).await;
    let (refused, told) = answers.iter().partition::<Vec<_>, _>(|answer| answer.status == 429);
    assert!(told.len() >= 600, "nobody who means well is kept waiting: {}", told.len());
    refused[0].refused(429, "slow-down");
    assert_eq!(refused[0].header("Retry-After"), Some("1"));

    for (method, path, body) in [
        (Method::Post, "/api/channels", json!({ "name": "more" })),
        (Method::Patch, here, json!({ "topic": "more" })),
        (Method::Delete, "/api/channels/more", json!({})),
        (Method::Delete, "/api/channels/general/messages/m1", json!({})),
        (Method::Patch, "/api/session", json!({ "display_name": "Ada" })),
        (Method::Post, "/api/session/links", json!({})),
    ] {
        let ask = || ada.sends_json(method, path, body.clone()).boxed_local();
        ada.refused_behind(300, &typing, json!({}), ask).await;
    }

    let read = ada.put(&format!("{here}/read"), json!({ "message": message["id"] })).await;
    assert_eq!(read.status, 204);
    assert_eq!(ada.reads("general").await, ["hello"]);
    let bob = workspace.signed_in_as("Bob").await;
    assert_eq!(bob.post(&typing, json!({})).await.status, 204, "others are not kept waiting");
}
