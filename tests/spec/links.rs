//! Tests of one-time links, which sign in another device as the same user.

use chrono::{DateTime, Duration, Utc};
use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Workspace};

async fn makes_link(person: &Person) -> Value {
    let made = person.post("/api/session/links", json!({})).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

/// The path of a link's address.
fn path(link: &Value) -> String {
    let url = link["url"].as_str().expect("a url");
    let (_, rest) = url.split_once("://").expect("an absolute url");
    rest[rest.find('/').expect("a path")..].to_owned()
}

async fn clicks(person: &Person, link: &Value, headers: &[(&str, &str)]) -> Answer {
    person.asks(Method::Post, &path(link), headers, "").await
}

/// The token in the cookie that an answer sets.
fn token(answer: &Answer) -> String {
    let cookie = answer.header_with("Set-Cookie", "session=").expect("a cookie");
    let value = cookie.trim_start_matches("session=").split(';').next();
    value.expect("a value").to_owned()
}

#[rocket::async_test]
async fn a_link_signs_another_device_in_as_the_same_user() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let link = makes_link(&ada).await;
    let expires: DateTime<Utc> =
        link["expires_at"].as_str().expect("a time").parse().expect("RFC 3339");
    let left = expires - Utc::now();
    assert!(left > Duration::minutes(9) && left <= Duration::minutes(10), "{left}");
    let code = link["qr_svg"].as_str().expect("an image");
    assert!(code.starts_with("<svg ") && code.contains("<title>QR code of a link"), "{code}");

    let phone = workspace.visitor();
    for _ in 0..2 {
        let page = phone.get(&path(&link)).await;
        assert_eq!(page.status, 200, "looking does not spend it");
        assert!(page.text.contains("Ada") && page.text.contains("method=\"post\""), "{page:?}");
        assert_eq!(page.header("Referrer-Policy"), Some("origin"), "no path in others' logs");
    }
    let signed_in = clicks(&phone, &link, &[]).await;
    assert_eq!((signed_in.status, signed_in.header("Location")), (303, Some("/")));
    let phone = workspace.holder_of(&token(&signed_in));
    assert_eq!(phone.get("/api/session").await.json()["user"], ada.user);

    ada.delete("/api/session").await;
    assert_eq!(phone.get("/api/session").await.status, 200, "a session of its own");
}

#[rocket::async_test]
async fn it_works_once() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let link = makes_link(&ada).await;
    assert_eq!(clicks(&workspace.visitor(), &link, &[]).await.status, 303);
    for answer in [
        clicks(&workspace.visitor(), &link, &[]).await,
        workspace.visitor().get(&path(&link)).await,
    ] {
        assert_eq!(answer.status, 404, "{answer:?}");
        assert!(answer.text.contains("No such link"), "{answer:?}");
    }
    assert_eq!(workspace.visitor().get("/links/invented").await.status, 404);
}

#[rocket::async_test]
async fn of_many_clicks_one_signs_in() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let link = makes_link(&ada).await;
    let visitor = workspace.visitor();
    let clicks = (0..20).map(|_| clicks(&visitor, &link, &[]));
    let answers = futures::future::join_all(clicks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
}

#[rocket::async_test]
async fn it_ends_with_its_user_and_with_the_process() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let (of_ada, of_bob) = (makes_link(&ada).await, makes_link(&bob).await);
    ada.delete("/api/session").await;
    workspace.signed_in_as("Ada").await;
    assert_eq!(clicks(&workspace.visitor(), &of_ada, &[]).await.status, 404);
    drop((ada, bob));
    let workspace = workspace.restarted().await;
    assert_eq!(clicks(&workspace.visitor(), &of_bob, &[]).await.status, 404);
}

#[rocket::async_test]
async fn it_replaces_the_session_that_the_device_had() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let link = makes_link(&ada).await;
    let page = bob.get(&path(&link)).await;
    assert!(page.text.contains("You are signed in here as <bdi>Bob</bdi>"), "{page:?}");
    assert_eq!(clicks(&bob, &link, &[]).await.status, 303);
    bob.get("/api/session").await.refused(401, "sign-in-required");
    workspace.signed_in_as("Bob").await;
}

#[rocket::async_test]
async fn neither_a_stranger_nor_another_site_can_make_or_spend_one() {
    let workspace = Workspace::start().await;
    let made = workspace.visitor().post("/api/session/links", json!({})).await;
    made.refused(401, "sign-in-required");
    let ada = workspace.signed_in_as("Ada").await;
    let link = makes_link(&ada).await;
    let elsewhere = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(clicks(&workspace.visitor(), &link, &elsewhere).await.status, 403);
    assert_eq!(clicks(&workspace.visitor(), &link, &[]).await.status, 303, "not spent");
}

#[rocket::async_test]
async fn only_the_latest_ten_can_be_used() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let first = makes_link(&ada).await;
    for _ in 0..10 {
        makes_link(&ada).await;
    }
    assert_eq!(workspace.visitor().get(&path(&first)).await.status, 404);
}
