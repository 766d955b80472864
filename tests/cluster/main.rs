//! Tests of the ports over NATS JetStream, with real servers on this machine.

mod blobs;
mod chat;
#[expect(dead_code, reason = "what other tests need")]
#[path = "../process/client.rs"]
mod client;
mod connection;
#[path = "../contract/mod.rs"]
mod contract;
mod disk;
mod erasing;
mod faults;
mod journal;
mod log;
mod long;
mod meddler;
mod moving;
mod nats;
mod nats_server;
mod nodes;
#[expect(dead_code, reason = "what other tests need")]
#[path = "../process/server.rs"]
mod server;
