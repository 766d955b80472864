//! Tests with bad requests, a full disk, data that is taken away: refused clearly, and nothing else
//! suffers.

use std::fs;
use std::time::Duration;

use reqwest::Method;
use rocket::tokio::time::sleep;

use crate::client::Answer;
use crate::server::{Server, until};

#[rocket::async_test]
async fn bad_bodies_are_refused_and_the_server_goes_on() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    for (body, status) in [
        (vec![b'x'; 10 * 1024 * 1024], 413),
        (vec![b'x'; 64 * 1024 + 1], 413),
        (b"\xff\xfe\x00".to_vec(), 400),
    ] {
        let path = "/api/channels/general/messages";
        let request = ada.request(Method::POST, path).header("Content-Type", "text/plain");
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), status);
    }
    assert_eq!(ada.puts("general", "m1", "fine").await.expect("an answer").status, 201);
}

#[rocket::async_test]
async fn a_method_that_nobody_knows_is_told_the_right_ones() {
    let server = Server::start().await;
    let propfind = || Method::from_bytes(b"PROPFIND").expect("a method");
    for (path, status, allow) in [
        ("/api/session", 405, Some("DELETE, GET, HEAD, PATCH, POST")),
        ("/channels/general", 405, Some("GET, HEAD, PUT")),
        ("/api/nothing", 404, None),
    ] {
        let answer = server.client().request(propfind(), path).send().await.expect("an answer");
        let allowed = answer.headers().get("Allow").and_then(|allow| allow.to_str().ok());
        assert_eq!((answer.status().as_u16(), allowed), (status, allow), "{path}");
    }
    let answer = server.client().request(propfind(), "/api/session").send().await;
    let answer = Answer::of(answer.expect("an answer")).await.expect("a body");
    answer.refused(405, "method-not-allowed");
}

#[rocket::async_test]
async fn with_a_full_disk_it_refuses_to_write_goes_on_reading_and_loses_nothing() {
    let mut server = Server::with_files_of_at_most(512).await;
    let ada = server.client().signed_in_as("Ada").await;
    let text = "x".repeat(3_000);
    let mut kept = Vec::new();
    let refused = loop {
        let id = format!("m{}", kept.len());
        let answer = ada.puts("general", &id, &text).await.expect("an answer");
        if !answer.is_kept() {
            break answer;
        }
        kept.push(id);
        assert!(kept.len() < 1_000, "the limit is reached long before");
    };
    refused.refused(503, "storage-unavailable");
    assert!(refused.retry_after.is_some(), "{refused:?}");
    // Each is either kept or refused, whatever there is still room for.
    for n in 0..20 {
        let id = format!("late-{n}");
        let answer = ada.puts("general", &id, &text[..=n * 150]).await.expect("an answer");
        if answer.is_kept() {
            kept.push(id);
        } else {
            answer.refused(503, "storage-unavailable");
        }
    }
    let ids = |messages: Vec<serde_json::Value>| -> Vec<_> {
        messages.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    };
    let newest = kept[kept.len().saturating_sub(100)..].to_vec();
    assert_eq!(ids(ada.messages("general").await), newest, "reading goes on");

    server.kill();
    let token = ada.token.clone().expect("a token");
    let server = server.restart().await;

    let ada = server.client().with_token(&token);
    assert_eq!(ids(ada.messages("general").await), newest, "what was refused is not there");
    assert_eq!(ada.puts("general", "after", "there is room again").await.expect("it").status, 201);
}

#[rocket::async_test]
async fn when_a_full_disk_has_room_again_it_writes_again() {
    let server = Server::with_files_of_at_most(512).await;
    let ada = server.client().signed_in_as("Ada").await;
    let mut feed = ada.listens("general", None).await;
    let text = "x".repeat(3_000);
    let mut said = 0;
    while ada.puts("general", &format!("m{said}"), &text).await.expect("an answer").is_kept() {
        said += 1;
        assert!(said < 1_000, "the limit is reached long before");
    }

    server.has_room_again();

    let retried = ada.puts("general", &format!("m{said}"), &text).await.expect("an answer");
    assert_eq!(retried.status, 201, "{retried:?}");
    for n in 0..=said {
        let heard = feed.next().await.expect("the stream goes on");
        assert_eq!(heard.data["id"], format!("m{n}"), "the stream missed nothing: {heard:?}");
    }
}

#[rocket::async_test]
async fn with_a_full_disk_it_is_not_ready_until_there_is_room_again() {
    let server = Server::with_files_of_at_most(512).await;
    let ada = server.client().signed_in_as("Ada").await;
    let text = "x".repeat(3_000);
    let mut said = 0;
    // Where a message finds no room any more, something small may.
    until("nothing has room any more", async || {
        while ada.puts("general", &format!("m{said}"), &text).await.expect("it").is_kept() {
            said += 1;
        }
        sleep(Duration::from_millis(1_500)).await;
        !ada.is_ready().await
    })
    .await;

    server.has_room_again();

    until("it is ready by itself", async || ada.is_ready().await).await;
    assert_eq!(ada.puts("general", "after", &text).await.expect("an answer").status, 201);
}

#[rocket::async_test]
async fn while_its_data_is_away_it_refuses_to_write_and_goes_on_reading() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    assert_eq!(ada.puts("general", "before", "here").await.expect("an answer").status, 201);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let away = elsewhere.path().join("away");
    fs::rename(server.data(), &away).expect("it is moved");
    // Another in its place changes nothing.
    fs::create_dir(server.data()).expect("a directory");

    let refused = ada.puts("general", "while", "lost?").await.expect("an answer");

    refused.refused(503, "storage-unavailable");
    assert!(!ada.is_ready().await);
    assert_eq!(ada.messages("general").await.len(), 1);
    fs::remove_dir(server.data()).expect("it is empty");
    fs::rename(&away, server.data()).expect("it is moved back");
    until("it is ready again", async || ada.is_ready().await).await;
    assert_eq!(ada.puts("general", "after", "here again").await.expect("an answer").status, 201);
    let kept = ada.messages("general").await;
    server.kill();
    let token = ada.token.clone().expect("a token");
    let server = server.restart().await;
    assert_eq!(server.client().with_token(&token).messages("general").await, kept);
}

#[rocket::async_test]
async fn once_its_data_was_removed_it_acknowledges_nothing() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    fs::remove_dir_all(server.data()).expect("it is removed");
    for n in 0..3 {
        let refused = ada.puts("general", &format!("m{n}"), "lost?").await.expect("an answer");
        refused.refused(503, "storage-unavailable");
    }
    until("it is not ready", async || !ada.is_ready().await).await;
}
