//! One-time links work on every node, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use houston::engine::{Device, EngineError, NewLink};
use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, Node};
use super::hub::Fate;

async fn makes(node: &Node) -> NewLink {
    let ada = node.session_of(&node.signs_in("Ada").await.token).await;
    let link = node.make_link(&ada).expect("a link");
    // The other nodes have heard of her.
    sleep(Duration::from_secs(1)).await;
    link
}

async fn follows(node: &Node, link: &NewLink) -> Result<String, EngineError> {
    let signed_in = node.follow_link(&link.secret, None, Device::default()).await?;
    Ok(signed_in.user.display_name.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_link_is_shown_on_every_node_and_signs_in_once() {
    let [one, two, three] = Cluster::of(3).await.nodes();
    let link = makes(&one).await;
    for node in [&two, &three, &one, &two] {
        let shown = node.link(&link.secret).await.expect("a link");
        assert_eq!(shown.display_name.to_string(), "Ada");
    }
    assert_eq!(follows(&two, &link).await, Ok("Ada".to_owned()));
    for node in [&one, &two, &three] {
        assert_eq!(follows(node, &link).await, Err(EngineError::NoSuchLink));
        assert_eq!(node.link(&link.secret).await.err(), Some(EngineError::NoSuchLink));
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_who_follow_it_on_all_nodes_at_once_one_signs_in() {
    let nodes: [Node; 3] = Cluster::of(3).await.nodes();
    for round in 0..10 {
        let link = makes(&nodes[0]).await;
        // Who asks the node that made it is the fastest, where anybody does.
        let first = round % 2;
        let attempts = (0..12).map(|n| follows(&nodes[first + n % (3 - first)], &link));
        let attempts = futures::future::join_all(attempts).await;
        assert_eq!(attempts.iter().filter(|it| it.is_ok()).count(), 1, "{attempts:?}");
        nodes[0].remove_user(&"Ada".parse().expect("a name")).await.expect("removed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_given_again_and_not_to_another() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let link = makes(&one).await;
    let next_is_lost = AtomicBool::new(true);
    cluster.hub.decides(move |message| {
        let is_answer = message.node == 0 && message.says("found");
        // The answers to the look, and to the use.
        let is_lost = is_answer && next_is_lost.fetch_xor(true, Ordering::Relaxed);
        if is_lost { Fate::IsLost } else { Fate::ComesTwice }
    });
    assert_eq!(follows(&two, &link).await, Ok("Ada".to_owned()));
    assert_eq!(follows(&two, &link).await, Err(EngineError::NoSuchLink));
    assert_eq!(follows(&one, &link).await, Err(EngineError::NoSuchLink));
}

#[tokio::test(start_paused = true)]
async fn what_no_node_has_is_refused_at_once_and_within_two_seconds_where_one_is_silent() {
    let cluster = Cluster::of(3).await;
    let [one, two, _three] = cluster.nodes();
    let link = makes(&one).await;
    let asked_at = Instant::now();
    assert_eq!(two.link("invented").await.err(), Some(EngineError::NoSuchLink));
    assert!(asked_at.elapsed() < Duration::from_millis(100), "{:?}", asked_at.elapsed());
    cluster.hub.cuts(2);
    let asked_at = Instant::now();
    assert_eq!(two.link("invented").await.err(), Some(EngineError::NoSuchLink));
    let waited = asked_at.elapsed().as_secs_f32();
    assert!((1.9..2.1).contains(&waited), "{waited}");
    assert_eq!(follows(&two, &link).await, Ok("Ada".to_owned()), "the others answer");
}

#[tokio::test(start_paused = true)]
async fn a_link_by_which_nobody_came_in_can_be_tried_again() {
    let [one, two] = Cluster::of(2).await.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let link = one.make_link(&ada).expect("a link");
    let name = || "Script".parse().expect("a name");
    let mut scripts = Vec::new();
    while let Ok(made) = one.create_token(&ada, name(), false).await {
        scripts.push(made.session.session.handle);
    }
    sleep(Duration::from_secs(1)).await;
    let refused = follows(&two, &link).await;
    assert_eq!(refused, Err(EngineError::LimitReached("sessions of this user")));
    one.end_session(&ada, &scripts[0]).await.expect("it ends");
    assert_eq!(one.link(&link.secret).await.expect("a link").display_name.to_string(), "Ada");
    assert_eq!(follows(&one, &link).await, Ok("Ada".to_owned()));
    assert_eq!(follows(&two, &link).await, Err(EngineError::NoSuchLink));
}

#[tokio::test(start_paused = true)]
async fn strangers_who_invent_links_make_few_questions() {
    let cluster = Cluster::of(2).await;
    let [one, _two] = cluster.nodes();
    let link = makes(&one).await;
    cluster.hub.cuts(1);
    let tried = (0..200).map(|_| one.link("invented"));
    let tried = futures::future::join_all(tried).await;
    let busy = tried.iter().filter(|it| **it == Err(EngineError::TooBusy)).count();
    assert_eq!(busy, 200 - 64);
    assert_eq!(follows(&one, &link).await, Ok("Ada".to_owned()), "its own need no question");
}
