//! Tests that kill the process: nothing that was acknowledged is lost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use rocket::tokio;
use serde_json::Value;

use crate::client::Client;
use crate::server::{Server, until};

const CLIENTS: usize = 20;
const POSTS_PER_CLIENT: usize = 250;
const CHANNELS: usize = 10;

#[rocket::async_test]
async fn killed_under_load_it_keeps_every_acknowledged_message_once() {
    // Early, in the middle and late in 5,000 posts.
    for kill_after in [300, 2_000, 4_500] {
        let mut server = Server::start().await;
        let visitor = server.client();
        let names: Vec<_> = (0..CLIENTS).map(|n| format!("Client {n}")).collect();
        let clients = join_all(names.iter().map(|name| visitor.signed_in_as(name))).await;
        for n in 0..CHANNELS {
            clients[0].creates(&format!("channel-{n}")).await;
        }
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let posting = clients.iter().enumerate().map(|(n, client)| {
            tokio::spawn(post_until_it_fails(client.clone(), n, acknowledged.clone()))
        });
        let posting: Vec<_> = posting.collect();
        until("enough is acknowledged", async || {
            acknowledged.load(Ordering::Relaxed) >= kill_after
        })
        .await;

        server.kill();

        let sent = join_all(posting).await.into_iter().flat_map(|sent| sent.expect("no panic"));
        let sent: Vec<_> = sent.collect();
        assert!(sent.len() < CLIENTS * POSTS_PER_CLIENT, "it was killed while posting went on");
        let tokens: Vec<_> = clients.iter().map(|client| client.token.clone()).collect();
        drop(clients);
        let server = server.restart().await;
        for token in tokens.iter().flatten() {
            let whoami = server.client().with_token(token).get("/api/session").await;
            assert_eq!(whoami.expect("an answer").status, 200, "sessions still hold");
        }
        let reader = server.client().with_token(tokens[0].as_ref().expect("a token"));
        all_are_kept(&reader, &sent).await;
    }
}

/// An acknowledged message: its channel, its id and its text.
pub(crate) type Sent = (String, Value, String);

async fn post_until_it_fails(client: Client, n: usize, count: Arc<AtomicUsize>) -> Vec<Sent> {
    let mut sent = Vec::new();
    for post in 0..POSTS_PER_CLIENT {
        let channel = format!("channel-{}", (n + post) % CHANNELS);
        let text = format!("post {post} of client {n}");
        match client.puts(&channel, &format!("{n}-{post}"), &text).await {
            Ok(answer) if answer.is_kept() => {
                count.fetch_add(1, Ordering::Relaxed);
                sent.push((channel, answer.json, text));
            }
            _ => break,
        }
    }
    sent
}

pub(crate) async fn all_are_kept(reader: &Client, sent: &[Sent]) {
    let mut by_channel: HashMap<&str, BTreeMap<u64, (&Value, &str)>> = HashMap::new();
    for (channel, message, text) in sent {
        let seq = message["seq"].as_u64().expect("a seq");
        let twice = by_channel.entry(channel).or_default().insert(seq, (message, text));
        assert!(twice.is_none(), "seq {seq} is used twice");
    }
    let mut unacknowledged = 0;
    for (channel, acknowledged) in by_channel {
        let kept = reader.messages(channel).await;
        assert!(kept.len() <= 100);
        let seqs: Vec<_> = kept.iter().map(|it| it["seq"].as_u64().expect("a seq")).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
        let ids: HashSet<_> = kept.iter().map(|it| it["id"].as_str().expect("an id")).collect();
        assert_eq!(ids.len(), kept.len(), "each is there once");
        // More than was acknowledged may be kept: answers that the kill cut off. They can only
        // have pushed out what is older than all that is kept.
        let oldest = if kept.len() < 100 { 0 } else { seqs[0] };
        for (seq, (message, text)) in acknowledged.range(oldest..) {
            let at = seqs.binary_search(seq).unwrap_or_else(|_| panic!("{message} is lost"));
            assert_eq!(&kept[at], *message);
            assert_eq!(kept[at]["text"], **text);
        }
        unacknowledged += seqs.iter().filter(|seq| !acknowledged.contains_key(seq)).count();
    }
    assert!(unacknowledged <= CLIENTS, "{unacknowledged} were kept, and their senders not told");
}

#[rocket::async_test]
async fn who_comes_back_after_a_kill_misses_nothing_and_sees_nothing_twice() {
    let mut server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let mut feed = ada.listens("general", None).await;
    for (id, text) in [("a", "seen"), ("b", "draft"), ("c", "oops")] {
        ada.puts("general", id, text).await.expect("kept");
    }
    let mut seen = String::new();
    for _ in 0..3 {
        seen = feed.next().await.expect("a message").id;
    }
    drop(feed);
    ada.puts("general", "d", "missed").await.expect("kept");
    ada.puts("general", "b", "final").await.expect("kept");
    let path = "/api/channels/general/messages/c";
    ada.request(reqwest::Method::DELETE, path).send().await.expect("deleted");
    server.kill();
    let token = ada.token.clone().expect("a token");

    let server = server.restart().await;

    let ada = server.client().with_token(&token);
    let mut feed = ada.listens("general", Some(&seen)).await;
    ada.puts("general", "e", "live").await.expect("kept");
    let mut told = Vec::new();
    for _ in 0..4 {
        let heard = feed.next().await.expect("an event");
        told.push((heard.name, heard.data["id"].as_str().expect("an id").to_owned()));
    }
    let expected =
        [("message", "d"), ("message-updated", "b"), ("message-deleted", "c"), ("message", "e")];
    assert_eq!(told, expected.map(|(name, id)| (name.to_owned(), id.to_owned())));
}
