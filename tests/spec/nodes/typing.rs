//! Who types on one node is told on the others.

use std::time::Duration;

use houston::engine::whisper::Topic;
use tokio::time::sleep;

use super::cluster::{Cluster, general};

#[tokio::test(start_paused = true)]
async fn typing_is_told_on_every_node_and_between_them_rarely() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let bob = two.session_of(&two.signs_in("Bob").await.token).await;
    let (mut of_ada, mut of_bob) = (one.opens(&ada), two.opens(&bob));
    of_ada.hears("joined Bob").await;
    of_bob.hears("presence 2").await;
    for _ in 0..40 {
        one.typing(&ada, &general()).expect("they may");
        sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(of_ada.hears_within(1).await, ["typing Ada"; 40]);
    assert_eq!(of_bob.hears_within(1).await, ["typing Ada"; 4], "within ten seconds");
    two.typing(&bob, &general()).expect("they may");
    of_ada.hears("typing Bob").await;

    let topic = Topic::Typing(one.general_id(&ada));
    let told = cluster.hub.said().into_iter().filter(|it| it.topic == topic).count();
    assert_eq!(told, 5);
}
