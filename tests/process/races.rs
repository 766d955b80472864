//! Many clients at once.

use futures::future::join_all;
use rocket::tokio;
use rocket::tokio::sync::watch;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;

#[rocket::async_test]
async fn of_a_hundred_who_create_a_channel_at_once_one_does() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let clients: Vec<_> = (0..100)
        .map(|_| server.client().with_token(ada.token.as_ref().expect("a token")))
        .collect();
    let attempts = clients.iter().map(|it| it.post("/api/channels", json!({ "name": "launch" })));
    let answers: Vec<_> = join_all(attempts).await.into_iter().map(|it| it.expect("it")).collect();

    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let lost = answers.iter().filter(|answer| answer.status != 201);
    lost.for_each(|answer| answer.refused(409, "channel-exists"));
}

#[rocket::async_test]
async fn of_a_hundred_who_claim_a_name_at_once_one_gets_it() {
    let server = Server::start().await;
    let clients: Vec<_> = (0..100).map(|_| server.client()).collect();
    let claims = clients.iter().map(|it| it.post("/api/session", json!({ "display_name": "Ada" })));
    let answers: Vec<_> = join_all(claims).await.into_iter().map(|it| it.expect("it")).collect();

    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let lost = answers.iter().filter(|answer| answer.status != 201);
    lost.for_each(|answer| answer.refused(409, "display-name-taken"));
}

const CLIENTS: usize = 20;
const STREAMS: usize = 20;
const POSTS_PER_CLIENT: usize = 50;
/// So far may a stream be behind before posting waits for it. Below what a channel keeps, less
/// what clients may have under way: here nobody may be reset.
const MAX_BEHIND: usize = 60;

#[rocket::async_test]
async fn streams_that_drop_and_resume_get_each_message_once_and_in_order() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let progress: Vec<_> = (0..STREAMS).map(|_| watch::Sender::new(0_usize)).collect();
    let watchers: Vec<_> = progress.iter().map(watch::Sender::subscribe).collect();
    let mut streams = Vec::new();
    for (n, progress) in progress.into_iter().enumerate() {
        let client = server.client().with_token(&token);
        let feed = client.listens("general", None).await;
        streams.push(tokio::spawn(read_all(client, feed, Chance(n as u64 + 1), progress)));
    }
    let posting = (0..CLIENTS).map(|n| {
        let (client, mut watchers) = (server.client().with_token(&token), watchers.clone());
        tokio::spawn(async move {
            for post in 0..POSTS_PER_CLIENT {
                for stream in &mut watchers {
                    let needed = ((post + 1) * CLIENTS).saturating_sub(MAX_BEHIND);
                    stream.wait_for(|read| *read >= needed).await.expect("the stream reads on");
                }
                let answer = client.puts("general", &format!("{n}-{post}"), "x").await;
                assert_eq!(answer.expect("an answer").status, 201);
            }
        })
    });
    let posting: Vec<_> = posting.collect();
    let seen = join_all(streams).await;
    join_all(posting).await.into_iter().for_each(|posted| posted.expect("all are posted"));

    let first = seen[0].as_ref().expect("a stream");
    assert!(first.is_sorted_by(|a, b| a.0 < b.0), "in order");
    for stream in &seen {
        assert_eq!(stream.as_ref().expect("a stream"), first, "all streams say the same");
    }
}

/// Reads until all messages were seen, dropping the stream now and then.
async fn read_all(
    client: Client,
    mut feed: crate::client::Feed,
    mut chance: Chance,
    progress: watch::Sender<usize>,
) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while seen.len() < CLIENTS * POSTS_PER_CLIENT {
        let heard = feed.next().await.expect("the stream goes on");
        assert_eq!(heard.name, "message", "{heard:?}");
        let id = heard.data["id"].as_str().expect("an id").to_owned();
        seen.push((heard.data["seq"].as_u64().expect("a seq"), id));
        progress.send_replace(seen.len());
        if chance.one_in(12) {
            drop(feed);
            feed = client.listens("general", Some(&heard.id)).await;
        }
    }
    seen
}

/// A sequence that looks random and is the same in every run: xorshift64 (Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn one_in(&mut self, n: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.is_multiple_of(n)
    }
}
