//! Tests of what is deleted: there for whoever changes their mind, then gone from the disk.

use std::fs;
use std::path::Path;

use reqwest::Method;

use crate::client::{Answer, Client};
use crate::server::{Server, until};

/// Something that only the deleted messages say, in their texts and in their files.
const SECRET: &str = "hushhush-7f3a9c";

impl Client {
    async fn sends_secret(&self, id: &str) {
        let part = |name: &str, value: &str| {
            format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let text = format!("{id} {SECRET} {}", "x".repeat(1_000));
        let file = part("file\"; filename=\"a.txt", &format!("{SECRET} {id}"));
        let body = format!("{}{file}--part--\r\n", part("text", &text));
        let kind = "multipart/form-data; boundary=part";
        let request = self.request(Method::PUT, &path(id)).header("Content-Type", kind).body(body);
        let sent = Answer::of(request.send().await.expect("an answer")).await.expect("all of it");
        assert_eq!(sent.status, 201, "{sent:?}");
    }

    async fn deletes(&self, id: &str) {
        let answer = self.request(Method::DELETE, &path(id)).send().await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }

    async fn restores(&self, id: &str) -> Answer {
        let request = self.request(Method::POST, &format!("{}/restore", path(id)));
        Answer::of(request.send().await.expect("an answer")).await.expect("all of it")
    }
}

fn path(id: &str) -> String {
    format!("/api/channels/general/messages/{id}")
}

/// The files in the data directory that have the secret.
fn telling(data: &Path) -> Vec<String> {
    let mut telling = Vec::new();
    for directory in [data, &data.join("files")] {
        for entry in fs::read_dir(directory).expect("a directory") {
            let file = entry.expect("an entry").path();
            // One that was there a moment ago may be gone.
            let bytes = fs::read(&file).unwrap_or_default();
            if bytes.windows(SECRET.len()).any(|it| it == SECRET.as_bytes()) {
                telling.push(file.display().to_string());
            }
        }
    }
    telling
}

#[rocket::async_test]
async fn a_kill_takes_nothing_from_whoever_restores_and_erases_nothing_less() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let ids: Vec<_> = (0..4).map(|n| format!("m{n}")).collect();
    for id in &ids {
        ada.sends_secret(id).await;
        ada.puts("general", &format!("other-{id}"), "said by others").await.expect("kept");
    }
    let before = ada.messages("general").await;
    for id in &ids {
        ada.deletes(id).await;
    }
    server.kill();
    let mut server = server.restart().await;
    let ada = server.client().with_token(&token);
    assert_eq!(ada.messages("general").await.len(), ids.len());
    for id in &ids {
        let restored = ada.restores(id).await;
        assert_eq!(restored.status, 200, "{restored:?}");
        let url = restored.json["attachments"][0]["url"].as_str().expect("a file");
        let file = ada.request(Method::GET, url).send().await.expect("an answer");
        assert_eq!(file.text().await.expect("the file"), format!("{SECRET} {id}"));
    }
    assert_eq!(ada.messages("general").await, before);

    for id in &ids {
        ada.deletes(id).await;
    }
    assert!(!telling(server.data()).is_empty(), "they can be restored");
    server.kill();
    let server = server.restart().await;
    let ada = server.client().with_token(&token);
    let mut left = Vec::new();
    // Nothing else is said meanwhile. The deadline is the minute that is promised.
    until("all of it has left the disk", async || {
        left = telling(server.data());
        left.is_empty()
    })
    .await;
    assert_eq!(left, [""; 0]);
    for id in &ids {
        ada.restores(id).await.refused(404, "no-such-message");
    }
    assert_eq!(ada.messages("general").await.len(), ids.len());
}
