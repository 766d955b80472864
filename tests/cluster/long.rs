//! Tests that take minutes: they run when they are asked for by `--include-ignored`.

use std::time::Duration;

use houston::domain::conversation::KEPT_MESSAGES;
use rocket::tokio::time::{Instant, sleep};
use serde_json::Value;

use crate::chat::Chat;
use crate::client::Client;
use crate::faults::delete_consumers;
use crate::journal::{BUSY, CHANNEL, Journal};
use crate::nodes::{nodes, on_each, rounds};
use crate::server::until;

/// Time for which a server or a node is frozen, longer than an election takes.
const FROZEN: Duration = Duration::from_secs(12);
/// Time for which clients go from node to node.
const HOPPING: Duration = Duration::from_mins(10);
/// Number of messages that are kept between two faults, and between a fault and its end.
const POSTS_BETWEEN: usize = 100;
/// Size of a disk that is filled, in megabytes.
const SMALL_DISK: u32 = 64;

/// A fault of servers or nodes.
#[derive(Clone, Copy, Debug)]
enum Fault {
    LeaderDies,
    TwoServersDie,
    AllServersDie,
    LeaderFreezes,
    LeaderRetires,
    ServerIsWiped,
    ConsumersVanish,
    NodeDies,
    NodeFreezes,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::LeaderDies,
        Self::TwoServersDie,
        Self::AllServersDie,
        Self::LeaderFreezes,
        Self::LeaderRetires,
        Self::ServerIsWiped,
        Self::ConsumersVanish,
        Self::NodeDies,
        Self::NodeFreezes,
    ];
}

#[rocket::async_test]
#[ignore = "with five rounds it takes ten minutes"]
async fn whatever_fails_again_and_again_nothing_is_lost_doubled_or_reordered() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let mut nodes = nodes::<3>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let journal = Journal::begin(clients.clone(), 6, BUSY).await;
    for round in 0..rounds() {
        for fault in Fault::ALL {
            journal.goes_on_for(POSTS_BETWEEN).await;
            let leader = chat.leader().await;
            let other = (leader + 1) % 3;
            match fault {
                Fault::LeaderDies => {
                    chat.servers_mut().kill(leader);
                    journal.goes_on_for(POSTS_BETWEEN).await;
                    chat.servers_mut().restart(leader).await;
                }
                Fault::TwoServersDie => {
                    chat.servers_mut().kill(leader);
                    chat.servers_mut().kill(other);
                    sleep(Duration::from_secs(2)).await;
                    chat.servers_mut().restart_all(&[leader, other]).await;
                }
                Fault::AllServersDie => {
                    for server in 0..3 {
                        chat.servers_mut().kill(server);
                    }
                    sleep(Duration::from_secs(2)).await;
                    chat.servers_mut().restart_all(&[0, 1, 2]).await;
                }
                Fault::LeaderFreezes => {
                    chat.servers_mut().freeze(leader);
                    sleep(FROZEN).await;
                    chat.servers_mut().thaw(leader);
                }
                Fault::LeaderRetires => {
                    chat.servers_mut().retire(leader);
                    journal.goes_on_for(POSTS_BETWEEN).await;
                    chat.servers_mut().kill(leader);
                    chat.servers_mut().restart(leader).await;
                }
                Fault::ServerIsWiped => {
                    chat.servers_mut().kill(other);
                    chat.servers_mut().wipe(other);
                    chat.servers_mut().restart(other).await;
                }
                Fault::ConsumersVanish => delete_consumers(chat.nats()).await,
                Fault::NodeDies => {
                    nodes[round % 3].kill();
                    journal.goes_on_for(POSTS_BETWEEN).await;
                    nodes[round % 3].start_again().await;
                }
                Fault::NodeFreezes => {
                    let frozen = &nodes[(round + 1) % 3];
                    frozen.freeze();
                    sleep(FROZEN).await;
                    frozen.thaw();
                    frozen.until_ready().await;
                }
            }
            // What has come back has caught up before the next one goes.
            chat.servers().until_healthy().await;
        }
    }
    let counts = journal.ends_well().await;
    let kept = clients[0].messages(CHANNEL).await;
    assert_eq!(kept.len(), KEPT_MESSAGES);
    for node in &mut nodes {
        node.kill();
    }
    for node in &mut nodes {
        node.start_again().await;
    }
    for client in &clients {
        assert!(client.messages(CHANNEL).await == kept, "and after all started anew");
    }
    eprintln!("{} times each of {:?}: {counts}", rounds(), Fault::ALL);
}

#[rocket::async_test]
#[ignore = "it takes ten minutes"]
async fn a_hundred_clients_that_hop_for_ten_minutes_hear_each_message_once() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let mut nodes = nodes::<3>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    // Of each of eight posters: some fifty messages a second in all.
    let journal = Journal::begin(clients, 100, Duration::from_millis(90)).await;
    let begun = Instant::now();
    sleep(HOPPING / 4).await;
    nodes[1].kill();
    sleep(HOPPING / 4).await;
    let leader = chat.kill_leader().await;
    sleep(HOPPING / 4).await;
    nodes[1].start_again().await;
    chat.servers_mut().restart(leader).await;
    sleep(HOPPING.saturating_sub(begun.elapsed())).await;
    let (took, counts) = (begun.elapsed(), journal.ends_well().await);
    assert!(counts.resets <= 100, "of 60,000 changes of node few need one: {counts}");
    eprintln!("100 clients, {took:?}: {counts}");
}

/// Posts, and tells whether the first answer says that it is kept.
async fn says(client: &Client, id: &str) -> bool {
    client.puts("general", id, &"said ".repeat(400)).await.is_ok_and(|answer| answer.is_kept())
}

#[rocket::async_test]
#[ignore = "it takes the right to mount"]
async fn full_disks_lose_nothing_and_heal_once_there_is_room() {
    let mut chat = Chat::on_servers_of_its_own().await;
    let nodes = nodes::<2>(&chat).await;
    let clients = on_each("Ada", &nodes).await;
    let mut kept = Vec::new();
    let mut disks = Vec::new();
    for server in 0..3 {
        let id = format!("before-{server}");
        assert!(says(&clients[0], &id).await);
        kept.push(id);
        chat.servers_mut().kill(server);
        disks.push(chat.servers_mut().move_to_small_disk(server, SMALL_DISK));
        chat.servers_mut().restart(server).await;
    }

    let leader = chat.leader().await;
    disks[leader].fill();
    for n in 0..30 {
        let id = format!("one-{n}");
        assert!(says(&clients[n % 2], &id).await, "one full disk refuses nobody: {id}");
        kept.push(id);
    }
    assert!(!chat.servers().is_healthy(leader).await, "it stores nothing more");

    let other = chat.leader().await;
    assert_ne!(other, leader);
    disks[other].fill();
    for n in 0..20 {
        let id = format!("two-{n}");
        if !says(&clients[0], &id).await {
            break;
        }
        kept.push(id);
    }
    for client in &clients {
        let refused = client.puts("general", "late", "said").await.expect("an answer");
        refused.refused(503, "storage-unavailable");
        let read = client.messages("general").await;
        assert_eq!(ids(&read), kept, "all that is kept can be read");
    }

    for server in [leader, other] {
        disks[server].clear();
        assert!(!chat.servers().is_healthy(server).await, "it does not notice by itself");
        chat.servers_mut().kill(server);
    }
    chat.servers_mut().restart_all(&[leader, other]).await;
    until("it goes on", async || says(&clients[0], "after").await).await;
    for client in &clients {
        let is_there = async || ids(&client.messages("general").await).last() == Some(&"after");
        until("all know it", is_there).await;
        let read = client.messages("general").await;
        assert_eq!(ids(&read)[..kept.len()], kept, "what was kept is there, in order");
    }
    eprintln!("{} messages before, on one full disk and on two", kept.len());
}

fn ids(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["id"].as_str().expect("an id")).collect()
}
