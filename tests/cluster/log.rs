//! Tests of the log over JetStream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::jetstream::stream::{Config, StorageType};
use houston::backends::jetstream::connection::{Nats, Options};
use houston::backends::jetstream::log::{JetStreamLog, Times};
use houston::engine::log::Log;

use crate::contract::log::*;
use crate::contract::log_contract;
use crate::nats::Servers;

/// Times that make tests quick.
pub(crate) const QUICK: Times =
    Times { beat: Duration::from_millis(100), silence: Duration::from_millis(1_500) };
/// Quick beats, for tests in which no node is to count as gone, however busy the machine is.
pub(crate) const PATIENT: Times =
    Times { beat: Duration::from_millis(100), silence: Duration::from_mins(2) };

log_contract! {{
    jetstream => async |_| {
        let nats = Servers::shared().await.connect(&prefix()).await;
        JetStreamLog::open(&nats, QUICK).await.expect("a log")
    },
}}

/// A prefix that no other test has.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[rocket::async_test]
async fn settings_that_differ_are_named() {
    let prefix = prefix();
    let nats = Servers::shared().await.connect(&prefix).await;
    let config = Config {
        name: format!("{prefix}-log"),
        subjects: vec![format!("{prefix}.c.>")],
        storage: StorageType::Memory,
        max_messages: 1_000,
        max_messages_per_subject: 100,
        max_message_size: 1_024,
        duplicate_window: Duration::from_secs(5),
        ..Config::default()
    };
    nats.jetstream().create_stream(config).await.expect("a stream");
    let refused = JetStreamLog::open(&nats, QUICK).await.err().expect("it differs").to_string();
    for difference in [
        &*format!("subjects is {prefix}.c.> and must be {prefix}.c.> {prefix}.d.> {prefix}.u.>"),
        "num_replicas is 1 and must be 3",
        "storage is Memory and must be File",
        "max_msgs is 1000 and must be -1",
        "max_msgs_per_subject is 100 and must be 100000 or more",
        "max_msg_size is 1024 and must be 528384 or more",
        "duplicate_window is 5s and must be 60s or more",
        &format!("`nats stream edit {prefix}-log`"),
    ] {
        assert!(refused.contains(difference), "{difference}: {refused}");
    }
    assert!(!refused.contains("max_age"), "{refused}");
}

#[rocket::async_test]
async fn a_stream_that_cannot_be_created_is_explained() {
    let servers = Servers::start(1).await;
    let nats = servers.connect(&prefix()).await;
    JetStreamLog::open(&nats, QUICK).await.expect("one replica is possible");
    let options = Options { replicas: 3, ..servers.options(&prefix()) };
    let nats = Nats::connect(&options).await.expect("a connection");
    let refused = JetStreamLog::open(&nats, QUICK).await.err().expect("alone").to_string();
    assert!(refused.contains("cannot have 3 replicas"), "{refused}");

    let nats = servers.connect(&prefix()).await;
    let (name, subjects) = ("other".to_owned(), vec![nats.subject("d.>")]);
    let config = Config { name, subjects, ..Config::default() };
    nats.jetstream().create_stream(config).await.expect("a stream");
    let refused = JetStreamLog::open(&nats, QUICK).await.err().expect("overlap").to_string();
    assert!(refused.contains("another one takes messages of the same subjects"), "{refused}");
}

#[rocket::async_test]
async fn every_node_has_the_same_epoch_and_start() {
    let servers = Servers::shared().await;
    let nats = servers.connect(&prefix()).await;
    let one = JetStreamLog::open(&nats, QUICK).await.expect("a log");
    let other = JetStreamLog::open(&nats, QUICK).await.expect("a log");
    assert_eq!((one.epoch(), one.starts()), (other.epoch(), other.starts()));
    let elsewhere = JetStreamLog::open(&servers.connect(&prefix()).await, QUICK).await;
    assert_ne!(one.epoch(), elsewhere.expect("a log").epoch());
}
