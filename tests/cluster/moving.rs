//! Tests of moving a chat into NATS servers, and back.

use std::path::Path;
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::Client;
use crate::server::Server;

const FILE: &[u8] = &[7; 600_000];

/// Everything of a chat that must be the same wherever it is kept.
#[derive(PartialEq)]
struct Contents {
    channels: Vec<(String, Vec<Value>)>,
    file: Vec<u8>,
}

async fn contents(client: &Client) -> Contents {
    let list = client.get("/api/channels").await.expect("an answer").json;
    let list = list["channels"].as_array().expect("channels").iter();
    let mut names: Vec<_> =
        list.map(|it| it["name"].as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    let mut channels = Vec::new();
    for name in names {
        let messages = client.messages(&name).await;
        channels.push((name, messages));
    }
    let (_, files) = channels.iter().find(|(name, _)| name == "files").expect("a channel");
    let url = files[0]["attachments"][0]["url"].as_str().expect("an address");
    let file = client.request(Method::GET, url).send().await.expect("an answer");
    let file = file.bytes().await.expect("bytes").to_vec();
    Contents { channels, file }
}

/// Fills a chat with a full channel, edits, deletions, reactions and a file.
async fn fill(client: &Client) {
    client.creates("files").await;
    client.creates("full").await;
    let sent = client.request(Method::PUT, "/channels/files/bytes.bin").body(FILE).send().await;
    assert_eq!(sent.expect("an answer").status(), 201);
    for n in 0..130 {
        client.puts("full", &format!("m{n}"), "said").await.expect("kept");
        if n % 7 == 0 {
            client.puts("full", &format!("m{n}"), "edited").await.expect("kept");
            let path = format!("/api/channels/full/messages/m{n}/reactions/%F0%9F%91%8D");
            client.put(&path, json!({})).await.expect("an answer");
        }
        if n % 10 == 0 {
            let path = format!("/api/channels/full/messages/m{n}");
            client.request(Method::DELETE, &path).send().await.expect("deleted");
        }
    }
}

fn houston(chat: &Chat, data: &Path, arguments: &[&str]) -> Output {
    let (_, prefix) = chat.settings();
    Command::new(env!("CARGO_BIN_EXE_houston"))
        .args(arguments)
        .env("ROCKET_DATA_DIR", data)
        .env("ROCKET_CLUSTER_PREFIX", prefix)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[rocket::async_test]
async fn a_chat_is_moved_into_servers_and_back_and_nothing_of_it_changes() {
    let chat = Chat::on_shared_servers().await;
    let (servers, _) = chat.settings();
    let mut alone = Server::start().await;
    let ada = alone.client().signed_in_as("Ada").await;
    fill(&ada).await;
    let token = ada.token.clone().expect("a token");
    let mut feed = ada.listens("full", None).await;
    ada.puts("full", "last", "before the move").await.expect("kept");
    let cursor = feed.next().await.expect("a message").id;
    let in_use = houston(&chat, alone.data(), &["migrate", "--to", &servers]);
    assert!(!in_use.status.success() && said(&in_use).contains("in use"), "{in_use:?}");
    ada.request(Method::DELETE, "/api/channels/full/messages/last").send().await.expect("deleted");
    let before = contents(&ada).await;
    alone.terminate();
    assert!(alone.ended().await.success());
    let data = alone.into_data();

    let nothing = tempfile::tempdir().expect("a temporary directory");
    let copied = houston(&chat, nothing.path(), &["migrate", "--from", &servers]);
    assert!(said(&copied).contains("so no chat"), "{}", said(&copied));
    assert!(!copied.status.success());
    let moved = houston(&chat, data.path(), &["migrate", "--to", &servers]);
    assert!(moved.status.success(), "{}", said(&moved));
    assert!(said(&moved).contains("and 1 files"), "{}", said(&moved));
    let again = houston(&chat, data.path(), &["migrate", "--to", &servers]);
    assert!(said(&again).contains("have a chat already"), "{}", said(&again));

    let mut node = chat.node().await;
    let ada = node.client().with_token(&token);
    assert!(contents(&ada).await == before, "all is as it was");
    let mut feed = ada.listens("full", Some(&cursor)).await;
    assert_eq!(feed.next().await.expect("an event").name, "reset", "clients begin anew");
    ada.puts("full", "later", "on several nodes").await.expect("kept");
    let later = contents(&ada).await;

    // Out again, while the node runs.
    let back = tempfile::tempdir().expect("a temporary directory");
    let copied = houston(&chat, back.path(), &["migrate", "--from", &servers]);
    assert!(copied.status.success(), "{}", said(&copied));
    let refused = houston(&chat, back.path(), &["migrate", "--from", &servers]);
    assert!(said(&refused).contains("is not empty"), "{}", said(&refused));
    node.kill();
    let alone = Server::start_on(back).await;
    let ada = alone.client().with_token(&token);
    assert!(contents(&ada).await == later, "all is as it was");
    ada.puts("full", "last", "alone again").await.expect("kept");
}
