//! The contract of stores of files, over JetStream.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use houston::backends::jetstream::blobs::SharedFiles;

use crate::contract::blobs::*;
use crate::contract::blobs_contract;
use crate::log::prefix;
use crate::nats::Servers;

blobs_contract! {{
    jetstream => async |_| {
        let nats = Servers::shared().await.connect(&prefix()).await;
        SharedFiles::open(&nats).await.expect("a stream")
    },
}}

#[rocket::async_test]
async fn settings_that_would_lose_files_are_named() {
    let prefix = prefix();
    let nats = Servers::shared().await.connect(&prefix).await;
    let config = Config {
        name: format!("{prefix}-files"),
        subjects: vec![format!("{prefix}.f.>")],
        max_age: Duration::from_hours(1),
        ..Config::default()
    };
    nats.jetstream().create_stream(config).await.expect("a stream");
    let refused = SharedFiles::open(&nats).await.err().expect("it differs").to_string();
    for difference in [
        "num_replicas is 1 and must be 3",
        "max_age is 3600s and must be 0ns",
        &format!("`nats stream edit {prefix}-files`"),
    ] {
        assert!(refused.contains(difference), "{difference}: {refused}");
    }
    assert!(!refused.contains("max_msg"), "{refused}");
}
