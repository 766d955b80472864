//! Tests of several nodes: real processes of Houston over real NATS servers.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::future::{join, join_all};
use reqwest::Method;
use rocket::tokio::time::sleep;
use serde_json::json;

use crate::chat::{Chat, Node};
use crate::client::{Answer, Client};
use crate::faults::delete_consumers;
use crate::journal::{BUSY, Journal};
use crate::server::until;

/// Time after which the users of a dead node are gone.
const GONE_AFTER: Duration = Duration::from_secs(25);

/// Number of rounds of a fault: few in `tests/all`, more by the variable `CLUSTER_ROUNDS`.
pub(crate) fn rounds() -> usize {
    std::env::var("CLUSTER_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

fn tells(block: &str, event: &str, name: &str) -> bool {
    block.starts_with(&format!("event: {event}\n")) && block.contains(&format!("\"{name}\""))
}

pub(crate) async fn nodes<const N: usize>(chat: &Chat) -> [Node; N] {
    let nodes = join_all((0..N).map(|_| chat.node())).await;
    nodes.try_into().unwrap_or_else(|_| panic!("{N} nodes"))
}

/// The same user on each of these nodes.
pub(crate) async fn on_each(name: &str, nodes: &[Node]) -> Vec<Client> {
    let first = nodes[0].client().signed_in_as(name).await;
    let token = first.token.expect("a token");
    nodes.iter().map(|node| node.client().with_token(&token)).collect()
}

#[rocket::async_test]
async fn what_is_done_on_one_node_is_known_on_the_next_at_once() {
    let chat = Chat::on_shared_servers().await;
    let nodes = nodes::<2>(&chat).await;
    for n in 0..20 {
        // Each step on the other node than the one before it.
        let [here, there] = [&nodes[n % 2], &nodes[(n + 1) % 2]];
        let ada = here.client().signed_in_as(&format!("Ada {n}")).await;
        let elsewhere = there.client().with_token(ada.token.as_ref().expect("a token"));
        elsewhere.creates(&format!("moon-{n}")).await;
        let channel = format!("moon-{n}");
        assert_eq!(ada.puts(&channel, "one", "said").await.expect("an answer").status, 201);
        let path = format!("/api/channels/{channel}/messages/one");
        let reacted = elsewhere.put(&format!("{path}/reactions/%F0%9F%91%8D"), json!({})).await;
        assert!(reacted.expect("an answer").status.is_success());
        assert_eq!(ada.puts(&channel, "one", "edited").await.expect("an answer").status, 200);
        let deleted = elsewhere.request(Method::DELETE, &path).send().await;
        assert_eq!(deleted.expect("an answer").status(), 204);
        until("it is gone on both", async || {
            ada.messages(&channel).await.is_empty() && elsewhere.messages(&channel).await.is_empty()
        })
        .await;
    }
}

#[rocket::async_test]
async fn a_cursor_that_is_ahead_of_a_node_is_waited_for() {
    let chat = Chat::on_shared_servers().await;
    let nodes = nodes::<2>(&chat).await;
    let [ada, elsewhere] = &on_each("Ada", &nodes).await[..] else { panic!("two") };
    let mut feed = ada.listens("general", None).await;
    for n in 0..200 {
        ada.puts("general", &format!("m{n}"), "said").await.expect("kept");
        let heard = feed.next().await.expect("a message");
        // From the cursor of the last message, nothing is left to hear but the next.
        let mut resumed = elsewhere.listens("general", Some(&heard.id)).await;
        if n % 20 == 0 {
            elsewhere.puts("general", &format!("next{n}"), "next").await.expect("kept");
            let next = resumed.next().await.expect("the next one");
            assert_eq!((&*next.name, &next.data["id"]), ("message", &json!(format!("next{n}"))));
            assert_eq!(feed.next().await.expect("the same").id, next.id);
        }
    }
}

#[rocket::async_test]
async fn a_name_is_one_user_s_though_it_is_claimed_on_two_nodes_at_once() {
    let chat = Chat::on_shared_servers().await;
    let nodes = nodes::<2>(&chat).await;
    for n in 0..25 {
        let name = json!({ "display_name": format!("Twin {n}") });
        let [one, other] = [nodes[0].client(), nodes[1].client()];
        let (one, other) =
            join(one.post("/api/session", name.clone()), other.post("/api/session", name)).await;
        let mut statuses = [one, other].map(|it| it.expect("an answer").status.as_u16());
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "one of them has it");
    }
}

#[rocket::async_test]
async fn a_race_for_one_id_on_two_nodes_has_one_message() {
    let chat = Chat::on_shared_servers().await;
    let nodes = nodes::<2>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    for n in 0..25 {
        let id = format!("race-{n}");
        let (one, other) =
            join(clients[0].puts("general", &id, "one"), clients[1].puts("general", &id, "other"))
                .await;
        for answer in [one, other] {
            assert!(answer.expect("an answer").is_kept());
        }
    }
    let kept = clients[0].messages("general").await;
    let ids: HashSet<_> = kept.iter().map(|it| it["id"].as_str().expect("an id")).collect();
    assert_eq!((kept.len(), ids.len()), (25, 25));
    until("both have the same", async || clients[1].messages("general").await == kept).await;
}

#[rocket::async_test]
async fn a_file_that_one_node_took_is_given_out_by_the_other() {
    let chat = Chat::on_shared_servers().await;
    let nodes = nodes::<2>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let sent = clients[0].request(Method::PUT, "/channels/general/big.bin").body(bytes.clone());
    assert_eq!(sent.send().await.expect("an answer").status(), 201);
    let [message] = &clients[0].messages("general").await[..] else { panic!("one message") };
    let url = message["attachments"][0]["url"].as_str().expect("an address").to_owned();
    let whole = clients[1].request(Method::GET, &url).send().await.expect("an answer");
    assert!(whole.bytes().await.expect("bytes") == bytes);
    let part = clients[1].request(Method::GET, &url).header("Range", "bytes=3000000-3000009");
    let part = part.send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.expect("bytes"), bytes[3_000_000..3_000_010]);
    let id = message["id"].as_str().expect("an id");
    let path = format!("/api/channels/general/messages/{id}");
    clients[1].request(Method::DELETE, &path).send().await.expect("deleted");
    for client in &clients {
        until("it is gone", async || {
            client.request(Method::GET, &url).send().await.expect("an answer").status() == 404
        })
        .await;
    }
}

#[rocket::async_test]
async fn the_users_of_a_node_that_died_have_left() {
    let chat = Chat::on_shared_servers().await;
    let mut nodes = nodes::<2>(&chat).await;
    let ada = nodes[0].client().signed_in_as("Ada").await;
    let bob = nodes[1].client().signed_in_as("Bob").await;
    let mut hers = ada.listens("general", None).await;
    let _his = bob.listens("general", None).await;
    hers.until_block(|block| tells(block, "joined", "Bob")).await;
    let begun = Instant::now();
    nodes[1].kill();
    hers.until_block(|block| tells(block, "left", "Bob")).await;
    assert!(begun.elapsed() < GONE_AFTER, "{:?}", begun.elapsed());
}

#[rocket::async_test]
async fn nothing_is_lost_or_doubled_when_the_leader_is_killed() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let nodes = nodes::<2>(&chat).await;
    let journal = Journal::begin(on_each("Ada", &nodes).await, 0, BUSY).await;
    for _ in 0..rounds() {
        journal.goes_on_for(200).await;
        let leader = chat.kill_leader().await;
        journal.goes_on_for(200).await;
        chat.servers_mut().restart(leader).await;
    }
    let counts = journal.ends_well().await;
    assert_eq!((counts.resets, counts.came_again), (0, 0), "nobody was away for long");
    eprintln!("{} leaders killed, {} posts", rounds(), counts.posts);
}

#[rocket::async_test]
async fn who_was_on_a_node_that_died_goes_on_elsewhere() {
    let chat = Chat::on_servers_of_its_own().await;
    let mut nodes = nodes::<3>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let journal = Journal::begin(clients.clone(), 0, BUSY).await;
    for round in 0..rounds() {
        journal.goes_on_for(200).await;
        nodes[round % 3].kill();
        journal.goes_on_for(200).await;
        // On its old address, under load.
        nodes[round % 3].start_again().await;
        let kept = clients[round % 3].messages("journal").await;
        assert_eq!(kept.len(), 100, "ready is caught up");
    }
    eprintln!("{} nodes killed: {}", rounds(), journal.ends_well().await);
}

/// Each server in turn, as when all of them get a new version.
#[rocket::async_test]
async fn servers_that_retire_in_turn_refuse_nobody() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let nodes = nodes::<2>(&chat).await;
    let journal = Journal::begin(on_each("Ada", &nodes).await, 0, BUSY).await;
    for server in 0..3 {
        journal.goes_on_for(100).await;
        chat.servers_mut().retire(server);
        journal.goes_on_for(300).await;
        chat.servers_mut().kill(server);
        chat.servers_mut().restart(server).await;
    }
    let counts = journal.ends_well().await;
    assert_eq!((counts.refusals, counts.resets), (0, 0), "{counts}");
}

/// Puts, edits, deletions, restorations and reactions on all nodes at once, in one full channel.
#[rocket::async_test]
async fn whatever_is_done_on_many_nodes_at_once_ends_in_one_history() {
    let chat = Chat::on_shared_servers().await;
    let mut nodes = nodes::<3>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let working = clients.iter().enumerate().map(|(at, client)| async move {
        let mut random = Rng::with_seed(at as u64);
        for n in 0..400 {
            let id = format!("m{}", if n % 3 == 0 { n } else { random.usize(..=n) });
            let path = format!("/api/channels/general/messages/{id}");
            let answer = match random.usize(..6) {
                0..3 => client.puts("general", &id, &format!("{at} says {n}")).await,
                3 => Answer::of(client.request(Method::DELETE, &path).send().await?).await,
                4 => client.post(&format!("{path}/restore"), json!({})).await,
                _ => client.put(&format!("{path}/reactions/%F0%9F%91%8D"), json!({})).await,
            };
            let status = answer?.status;
            assert!(status.is_success() || status == 404, "{id}: {status}");
        }
        Ok::<_, reqwest::Error>(())
    });
    for outcome in join_all(working).await {
        outcome.expect("answers");
    }
    let history = async |client: &Client| client.messages("general").await;
    let kept = history(&clients[0]).await;
    for client in &clients {
        until("all have the same", async || history(client).await == history(&clients[0]).await)
            .await;
    }
    assert!(kept.len() > 50, "{} are kept", kept.len());
    let kept = history(&clients[0]).await;
    for node in &mut nodes {
        node.kill();
    }
    for node in &mut nodes {
        node.start_again().await;
    }
    for client in &clients {
        assert!(history(client).await == kept, "and after all started anew");
    }
}

#[rocket::async_test]
async fn who_goes_from_node_to_node_hears_each_message_once() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let mut nodes = nodes::<3>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let hoppers = 10 * rounds();
    let journal = Journal::begin(clients, hoppers, BUSY).await;
    journal.goes_on_for(400).await;
    nodes[0].kill();
    journal.goes_on_for(200).await;
    let leader = chat.kill_leader().await;
    journal.goes_on_for(400).await;
    nodes[0].start_again().await;
    chat.servers_mut().restart(leader).await;
    journal.goes_on_for(400 * rounds()).await;
    eprintln!("{hoppers} clients on their way: {}", journal.ends_well().await);
}

#[rocket::async_test]
async fn a_node_that_was_away_for_too_long_ends_and_is_started_again() {
    let chat = Chat::on_shared_servers().await;
    let mut nodes = nodes::<2>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    nodes[1].freeze();
    // What waits in the buffer of its socket would leave nothing to miss.
    delete_consumers(chat.nats()).await;
    sleep(GONE_AFTER + Duration::from_secs(3)).await;
    for n in 0..150 {
        clients[0].puts("general", &format!("m{n}"), "said").await.expect("kept");
    }
    // Its messages are erased now, since nobody waits for the other node any more.
    until("entries are erased", async || {
        let metrics = clients[0].request(Method::GET, "/metrics").send().await.expect("an answer");
        let metrics = metrics.text().await.expect("metrics");
        metrics.lines().any(|line| line == "houston_log_pending_erasures 0")
    })
    .await;
    nodes[1].thaw();
    assert_eq!(nodes[1].ended().await.code(), Some(1), "whoever started it starts it again");
    nodes[1].start_again().await;
    let kept = clients[0].messages("general").await;
    assert!(kept.len() == 100 && clients[1].messages("general").await == kept);
}

/// The leader alone goes on for long without knowing better.
#[rocket::async_test]
async fn a_leader_without_a_majority_acknowledges_nothing_and_all_can_be_read() {
    nothing_is_acknowledged_without_a_majority(true).await;
}

#[rocket::async_test]
async fn without_a_leader_nothing_is_acknowledged_and_all_can_be_read() {
    nothing_is_acknowledged_without_a_majority(false).await;
}

async fn nothing_is_acknowledged_without_a_majority(leader_stays: bool) {
    let mut chat = Chat::on_servers_of_its_own().await;
    let mut nodes = nodes::<2>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    clients[0].puts("general", "before", "said").await.expect("kept");
    until("both have it", async || clients[1].messages("general").await.len() == 1).await;
    let leader = chat.leader().await;
    let stays = if leader_stays { leader } else { (leader + 1) % 3 };
    let others = [0, 1, 2].into_iter().filter(|server| *server != stays);
    for server in others.clone() {
        chat.servers_mut().kill(server);
    }
    let answer = clients[0].puts("general", "meanwhile", "said").await.expect("an answer");
    answer.refused(503, "storage-unavailable");
    assert!(answer.retry_after.is_some());
    for (client, node) in clients.iter().zip(&nodes) {
        assert_eq!(client.messages("general").await.len(), 1);
        until("it says that it is not ready", async || !node.client().is_ready().await).await;
        // It may be somebody who has just come in at another node.
        let stranger = node.client().with_token("unknown").get("/api/session").await;
        stranger.expect("an answer").refused(503, "storage-unavailable");
    }
    for server in others {
        chat.servers_mut().restart(server).await;
    }
    until("it goes on by itself", async || {
        let again = clients[1].puts("general", "meanwhile", "said").await;
        again.is_ok_and(|answer| answer.is_kept())
    })
    .await;
    let kept = clients[1].messages("general").await;
    assert_eq!(kept.len(), 2);
    for node in &mut nodes {
        node.kill();
        node.start_again().await;
    }
    for client in &clients {
        assert_eq!(client.messages("general").await, kept, "and after all started anew");
    }
}

#[rocket::async_test]
async fn without_servers_a_node_answers_monitors_at_once_and_ends_in_time() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let mut node = chat.node().await;
    let ada = node.client().signed_in_as("Ada").await;
    ada.puts("general", "one", "said").await.expect("kept");
    for server in 0..3 {
        chat.servers_mut().kill(server);
    }
    let read = ada.put("/api/channels/general/read", json!({ "message": "one" })).await;
    assert!(read.expect("an answer").status.is_success());
    until("it says that it is not ready", async || !node.client().is_ready().await).await;

    let begun = Instant::now();
    let monitor = node.client().with_token("no session's");
    let measured = monitor.request(Method::GET, "/metrics").send().await.expect("an answer");
    assert!(begun.elapsed() < Duration::from_secs(2), "{measured:?} in {:?}", begun.elapsed());

    let begun = Instant::now();
    node.stop();
    assert!(node.ended().await.success());
    assert!(begun.elapsed() < Duration::from_secs(12), "it ended in {:?}", begun.elapsed());
}
