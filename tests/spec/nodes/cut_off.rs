//! A node that entries do not reach.

use std::time::Duration;

use houston::domain::message::Text;
use houston::engine::EngineError;
use tokio::time::timeout;

use super::cluster::{Cluster, general};

#[tokio::test(start_paused = true)]
async fn what_is_stored_and_never_comes_back_is_answered_and_there_once() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let (general, id) = (general(), "m1".parse().expect("an id"));
    let text: Text = "hello".parse().expect("a text");
    let put = async || {
        let put = one.put(&ada, &general, &id, text.clone().into());
        timeout(Duration::from_secs(30), put).await.expect("an answer in time")
    };
    one.is_near(false);

    let refused = put().await.expect_err("it cannot be shown");

    assert_eq!(refused, EngineError::FollowerStopped);
    one.is_near(true);
    put().await.expect("the same again");
    for node in [&one, &two] {
        let history = node.history(&ada, &general).expect("a history");
        assert_eq!(history.messages.len(), 1);
    }
}
