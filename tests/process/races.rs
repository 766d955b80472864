//! Tests of many clients at once.

use std::collections::HashSet;

use futures::future::join_all;
use rocket::tokio;
use rocket::tokio::sync::watch;
use rocket::tokio::time::timeout;
use serde_json::json;

use crate::client::{Client, Feed};
use crate::server::{DEADLINE, Server};

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
/// The number of messages that a stream may be behind before posting waits for it. Below what a
/// channel keeps, less what clients may have under way: here nobody may be reset.
const MAX_BEHIND: usize = 60;
/// The number of messages that a stream may miss while it is away. So far posting gets without it.
const MAX_AWAY: usize = MAX_BEHIND - CLIENTS;

#[rocket::async_test]
async fn streams_that_drop_and_resume_get_each_message_once_and_in_order() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let progress: Vec<_> = (0..STREAMS).map(|_| watch::Sender::new(0_usize)).collect();
    let watchers: Vec<_> = progress.iter().map(watch::Sender::subscribe).collect();
    let posted = watch::Sender::new(0_usize);
    let mut streams = Vec::new();
    for (n, progress) in progress.into_iter().enumerate() {
        let client = server.client().with_token(&token);
        let feed = client.listens("general", None).await;
        let reader = Reader { client, chance: Chance(n as u64 + 1), posted: posted.subscribe() };
        streams.push(tokio::spawn(reader.reads_all(feed, progress)));
    }
    let posting = (0..CLIENTS).map(|n| {
        let (client, mut watchers) = (server.client().with_token(&token), watchers.clone());
        let posted = posted.clone();
        tokio::spawn(async move {
            for post in 0..POSTS_PER_CLIENT {
                for stream in &mut watchers {
                    let needed = ((post + 1) * CLIENTS).saturating_sub(MAX_BEHIND);
                    stream.wait_for(|read| *read >= needed).await.expect("the stream reads on");
                }
                let answer = client.puts("general", &format!("{n}-{post}"), "x").await;
                assert_eq!(answer.expect("an answer").status, 201);
                posted.send_modify(|posted| *posted += 1);
            }
        })
    });
    let posting: Vec<_> = posting.collect();
    let seen = join_all(streams).await;
    join_all(posting).await.into_iter().for_each(|posted| posted.expect("all are posted"));

    let first = seen[0].as_ref().expect("a stream");
    assert!(first.is_sorted_by(|a, b| a.0 < b.0), "in order");
    let ids: HashSet<_> = first.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), CLIENTS * POSTS_PER_CLIENT, "each once");
    for stream in &seen {
        assert_eq!(stream.as_ref().expect("a stream"), first, "all streams say the same");
    }
}

/// A listener that drops its stream now and then, and resumes.
struct Reader {
    client: Client,
    chance: Chance,
    posted: watch::Receiver<usize>,
}

impl Reader {
    /// Reads until all messages were seen, and returns their sequence numbers and ids in order of
    /// arrival.
    async fn reads_all(
        mut self,
        mut feed: Feed,
        progress: watch::Sender<usize>,
    ) -> Vec<(u64, String)> {
        let mut seen = Vec::new();
        while seen.len() < CLIENTS * POSTS_PER_CLIENT {
            let heard = feed.next().await.expect("the stream goes on");
            assert_eq!(heard.name, "message", "{heard:?}");
            let id = heard.data["id"].as_str().expect("an id").to_owned();
            seen.push((heard.data["seq"].as_u64().expect("a seq"), id));
            progress.send_replace(seen.len());
            if self.chance.below(12) == 0 {
                drop(feed);
                self.stays_away(seen.len()).await;
                feed = self.client.listens("general", Some(&heard.id)).await;
            }
        }
        seen
    }

    /// Waits while others post some more.
    async fn stays_away(&mut self, seen: usize) {
        let back_at = (seen + self.chance.below(MAX_AWAY)).min(CLIENTS * POSTS_PER_CLIENT);
        let returns = self.posted.wait_for(|posted| *posted >= back_at);
        timeout(DEADLINE, returns).await.expect("posting goes on").expect("the test goes on");
    }
}

/// A sequence that looks random and is the same in every run: xorshift64 (Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below the limit")
    }
}
