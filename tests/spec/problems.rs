//! Tests of refusals: all have one shape.

use rocket::http::Method;
use serde_json::json;

use crate::harness::Workspace;

#[rocket::async_test]
async fn what_is_not_there_is_not_found() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for path in ["/api", "/api/", "/api/nothing", "/api/channels/general/nothing", "/api/../etc"] {
        ada.get(path).await.refused(404, "not-found");
        workspace.visitor().get(path).await.refused(404, "not-found");
    }
}

#[rocket::async_test]
async fn a_wrong_method_is_told_the_right_ones() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for (method, path, allow) in [
        (Method::Put, "/api/session", "DELETE, GET, HEAD, PATCH, POST"),
        (Method::Delete, "/api/channels", "GET, HEAD, POST"),
        (Method::Post, "/api/channels/general/messages/m1", "DELETE, GET, HEAD, PUT"),
        (Method::Options, "/api/events", "GET, HEAD"),
    ] {
        let answer = ada.asks(method, path, &[], "").await;
        answer.refused(405, "method-not-allowed");
        assert_eq!(answer.header("Allow"), Some(allow), "{method} {path}");
    }
}

#[rocket::async_test]
async fn each_problems_type_leads_to_an_explanation() {
    let workspace = Workspace::start().await;
    for kind in houston::api::problem::ProblemKind::ALL {
        let answer = workspace.visitor().get(&format!("/problems/{}", kind.slug())).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text.contains(kind.title()), "{answer:?}");
    }
    assert_eq!(workspace.visitor().get("/problems/nothing").await.status, 404);
}

#[rocket::async_test]
async fn answers_stay_out_of_caches() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for path in ["/api/session", "/api/channels", "/api/nothing"] {
        assert_eq!(ada.get(path).await.header("Cache-Control"), Some("no-store"), "{path}");
    }
}

#[rocket::async_test]
async fn unknown_fields_are_ignored_and_wrong_types_are_named() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let created = ada.post("/api/channels", json!({ "name": "ops", "colour": "red" })).await;
    assert_eq!(created.status, 201);
    let wrong = ada.post("/api/channels", json!({ "name": "dev", "topic": ["x"] })).await;
    assert_eq!(wrong.refused(400, "malformed-request")["field"], "topic");
    let missing = ada.patch("/api/channels/ops", json!({})).await;
    assert_eq!(missing.refused(400, "malformed-request")["field"], "topic");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = ada.asks(Method::Post, "/api/channels", &form, "name=dev").await;
    answer.refused(415, "unsupported-media-type");
}
