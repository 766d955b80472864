//! Who is present with any node is known to all of them.

use std::time::Duration;

use houston::engine::whisper::Topic;
use houston::engine::{Engine, EngineError};
use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, Node};
use super::hub::Fate;

async fn waits(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_is_told_on_every_node() {
    let [one, two] = Cluster::of(2).await.nodes();
    let (ada, bob) = (one.signs_in("Ada").await, two.signs_in("Bob").await);
    let ada = one.session_of(&ada.token).await;
    let bob = two.session_of(&bob.token).await;
    let mut everything = one.opens_everything(&ada);
    let mut of_ada = one.opens(&ada);
    of_ada.hears("joined Ada").await;

    let mut of_bob = two.opens(&bob);
    of_ada.hears("joined Bob").await;
    everything.hears("online Bob").await;
    of_bob.hears("joined Bob").await;
    of_bob.hears("presence 2").await;
    for (node, session) in [(&one, &ada), (&two, &bob)] {
        assert_eq!(node.shows(session).await, ["Ada", "Bob"]);
        assert_eq!(node.shows_online(session), ["Ada", "Bob"]);
        let statistics = node.statistics();
        assert_eq!(statistics.online, 2);
    }
    assert_eq!((one.statistics().streams, two.statistics().streams), (2, 1), "each has its own");

    let left_at = Instant::now();
    drop(of_bob);
    of_ada.hears("left Bob").await;
    everything.hears("offline Bob").await;
    let grace = left_at.elapsed().as_secs_f32();
    assert!((4.9..6.0).contains(&grace), "{grace}");
    assert_eq!(one.shows_online(&ada), ["Ada"]);
}

#[tokio::test(start_paused = true)]
async fn who_moves_to_another_node_in_time_neither_left_nor_joined() {
    let [one, two, three] = Cluster::of(3).await.nodes();
    let eve = three.signs_in("Eve").await;
    let watchers = [one.signs_in("Ada").await, two.signs_in("Bob").await];
    let mut feeds = Vec::new();
    for (node, watcher) in [&one, &two].into_iter().zip(&watchers) {
        let session = node.session_of(&watcher.token).await;
        feeds.extend([node.opens(&session), node.opens_everything(&session)]);
    }
    let mut stream = three.opens(&three.session_of(&eve.token).await);
    for feed in &mut feeds {
        feed.hears_within(2).await;
    }
    for node in [&one, &two, &three, &one] {
        let session = node.session_of(&eve.token).await;
        drop(stream);
        waits(3).await;
        stream = node.opens(&session);
        for feed in &mut feeds {
            let told = feed.hears_within(9).await;
            assert!(told.is_empty(), "{told:?}");
        }
    }
    let back = two.opens(&two.session_of(&eve.token).await);
    drop(stream);
    assert_eq!(feeds[0].hears_within(9).await, [""; 0], "streams may overlap");
    drop(back);
    for feed in [0, 2] {
        feeds[feed].hears("left Eve").await;
        feeds[feed + 1].hears("offline Eve").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_users_of_a_dead_node_have_left_within_25_seconds() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let (ada, bob) = (one.signs_in("Ada").await, two.signs_in("Bob").await);
    let ada = one.session_of(&ada.token).await;
    let (mut here, mut everywhere) = (one.opens(&ada), one.opens_everything(&ada));
    let _of_bob = two.opens(&two.session_of(&bob.token).await);
    here.hears("joined Bob").await;

    // Whatever the moment at which it dies.
    for after in [Duration::from_millis(100), Duration::from_millis(4_900)] {
        sleep(after).await;
        cluster.hub.cuts(1);
        let died_at = Instant::now();
        here.hears("left Bob").await;
        everywhere.hears("offline Bob").await;
        let seconds = died_at.elapsed().as_secs_f32();
        assert!((15.0..25.0).contains(&seconds), "after {seconds} s");
        assert_eq!(one.shows_online(&ada), ["Ada"]);

        // It was alive, and is heard again.
        cluster.hub.is_mended();
        here.hears("joined Bob").await;
        everywhere.hears("online Bob").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_late_or_doubled_is_mended() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let (ada, bob) = (one.signs_in("Ada").await, two.signs_in("Bob").await);
    let (ada, bob) = (one.session_of(&ada.token).await, two.session_of(&bob.token).await);
    let mut here = one.opens(&ada);
    here.hears("joined Ada").await;

    cluster.hub.decides(|message| match message {
        it if it.says("came") || it.says("went") => Fate::IsLost,
        _ => Fate::Arrives,
    });
    let of_bob = two.opens(&bob);
    assert_eq!(here.hears_within(6).await, ["joined Bob"]);
    drop(of_bob);
    assert_eq!(here.hears_within(11).await, ["left Bob"]);

    // Later words come before earlier ones.
    cluster.hub.decides(|message| match message {
        it if it.says("came") => Fate::ComesLate(Duration::from_secs(3)),
        it if it.says("set") => Fate::ComesLate(Duration::from_secs(7)),
        _ => Fate::ComesTwice,
    });
    for _ in 0..5 {
        drop(two.opens(&bob));
        waits(2).await;
    }
    let of_bob = two.opens(&bob);
    waits(20).await;
    assert_eq!(one.shows(&ada).await, ["Ada", "Bob"]);
    drop(of_bob);
    waits(20).await;
    assert_eq!(one.shows(&ada).await, ["Ada"]);
    assert_eq!(one.shows_online(&ada), ["Ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_hears_only_of_channels_that_its_clients_have_open() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let (ada, bob) = (one.signs_in("Ada").await, two.signs_in("Bob").await);
    let (ada, bob) = (one.session_of(&ada.token).await, two.session_of(&bob.token).await);
    let id = one.general_id(&ada);
    let topics = [Topic::Presence(id.clone()), Topic::Typing(id)];
    let _of_bob = two.opens(&bob);
    let _everything = one.opens_everything(&ada);
    waits(10).await;
    for topic in &topics {
        assert!(cluster.hub.hears(1, topic) && !cluster.hub.hears(0, topic), "{topic:?}");
    }
    assert_eq!(one.shows_online(&ada), ["Ada", "Bob"], "that all hear");

    let asked = |node| {
        let said = cluster.hub.said().into_iter();
        said.filter(|it| it.node == node && it.topic == topics[0] && it.says("who")).count()
    };
    let streams = [one.opens(&ada), one.opens(&ada)];
    waits(30).await;
    assert_eq!(one.shows(&ada).await, ["Ada", "Bob"]);
    assert_eq!(asked(0), 1, "once for all");
    drop(streams);
    waits(12).await;
    for topic in &topics {
        assert!(!cluster.hub.hears(0, topic), "{topic:?}");
    }
    waits(30).await;
    assert_eq!(asked(0), 1);
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_a_channel_sees_the_users_of_all_nodes_though_nobody_has_it_open_here() {
    let [one, two] = Cluster::of(2).await.nodes();
    let (ada, bob) = (one.signs_in("Ada").await, two.signs_in("Bob").await);
    let _of_bob = two.opens(&two.session_of(&bob.token).await);
    let ada = one.session_of(&ada.token).await;
    let asked_at = Instant::now();
    assert_eq!(one.shows(&ada).await, ["Bob"]);
    assert!(asked_at.elapsed() < Duration::from_millis(500), "{:?}", asked_at.elapsed());
    let asked_at = Instant::now();
    let mut stream = one.opens(&ada);
    assert_eq!(one.shows(&ada).await, ["Ada", "Bob"]);
    assert!(asked_at.elapsed() < Duration::from_millis(10), "it is known by now");
    assert_eq!(stream.hears_within(9).await, ["joined Ada"], "nobody else came");
}

#[tokio::test(start_paused = true)]
async fn every_node_is_answered_at_once_however_many_ask_in_a_row() {
    let nodes: [Node; 4] = Cluster::of(4).await.nodes();
    let (ada, bob) = (nodes[0].signs_in("Ada").await, nodes[0].signs_in("Bob").await);
    let _of_bob = nodes[0].opens(&nodes[0].session_of(&bob.token).await);
    let mut streams = Vec::new();
    for node in &nodes[1..] {
        sleep(Duration::from_millis(50)).await;
        let ada = node.session_of(&ada.token).await;
        streams.push(node.opens(&ada));
        assert_eq!(node.shows(&ada).await, ["Ada", "Bob"]);
    }
    for mut stream in streams {
        let told = stream.hears_within(2).await;
        assert!(!told.contains(&"joined Bob".to_owned()), "he was there: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_new_to_the_log_is_shown_once_they_are_known() {
    let [one, two] = Cluster::of(2).await.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let mut here = one.opens(&ada);
    here.hears("joined Ada").await;
    one.is_near(false);
    let bob = two.signs_in("Bob").await;
    let of_bob = two.opens(&two.session_of(&bob.token).await);
    assert_eq!(here.hears_within(8).await, [""; 0], "nobody knows who that is");
    assert_eq!((one.shows(&ada).await.len(), one.statistics().online), (1, 1));
    one.is_near(true);
    here.hears("joined Bob").await;
    assert_eq!(one.shows(&ada).await, ["Ada", "Bob"]);
    drop(of_bob);
    here.hears("left Bob").await;
}

#[tokio::test(start_paused = true)]
async fn who_is_renamed_is_called_so_on_every_node() {
    let [one, two] = Cluster::of(2).await.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let bob = two.session_of(&two.signs_in("Bob").await.token).await;
    let (mut here, mut everywhere) = (one.opens(&ada), one.opens_everything(&ada));
    let of_bob = two.opens(&bob);
    here.hears("joined Bob").await;
    two.rename(&bob, "Robert".parse().expect("a name")).await.expect("renamed");
    everywhere.hears("renamed Robert").await;
    assert_eq!(one.shows(&ada).await, ["Ada", "Robert"]);
    drop(of_bob);
    here.hears("left Robert").await;
}

#[tokio::test(start_paused = true)]
async fn of_many_on_all_nodes_together_only_the_number_is_told() {
    let [one, two] = Cluster::of(2).await.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let mut here = one.opens(&ada);
    let mut streams = Vec::new();
    for n in 0..120 {
        let node = if n % 2 == 0 { &one } else { &two };
        let token = node.signs_in(&format!("Number {n}")).await.token;
        streams.push(node.opens(&node.session_of(&token).await));
    }
    here.hears("joined Number 98").await;
    here.hears("presence 121").await;
    assert_eq!(one.shows(&ada).await.len(), 121);
    assert_eq!((one.statistics().online, two.statistics().online), (121, 121));
}

#[tokio::test(start_paused = true)]
async fn a_set_of_more_users_than_fit_in_one_message_is_told_in_parts() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let mut streams = Vec::new();
    for n in 0..700 {
        let token = two.signs_in(&format!("Number {n}")).await.token;
        streams.push(two.opens(&two.session_of(&token).await));
    }
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    assert_eq!(one.shows(&ada).await.len(), 700, "as the other node answered");
    assert!(cluster.hub.said().iter().any(|it| it.says("set") && it.body.len() > 10_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_ignored_and_counted() {
    let cluster = Cluster::of(2).await;
    let [one, _two] = cluster.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    let _stream = one.opens(&ada);
    let general = one.general_id(&ada);
    let port = cluster.hub.port(1);
    for topic in [
        Topic::Online,
        Topic::Links,
        Topic::Presence(general.clone()),
        Topic::Typing(general.clone()),
    ] {
        port.say(topic.clone(), "hello".into());
        port.say(topic, vec![b'['; 60_000].into());
    }
    waits(1).await;
    assert_eq!(one.statistics().ignored_whispers, 8);
    assert_eq!(one.shows(&ada).await, ["Ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_claimed_on_all_nodes_at_once_has_one_owner() {
    let nodes: [Node; 3] = Cluster::of(3).await.nodes();
    for round in 0..20 {
        let name = format!("Captain {round}");
        let claim = |engine: &Engine| {
            let (engine, name) = (engine.clone(), name.parse().expect("a name"));
            async move { engine.sign_in(name, None, houston::engine::Device::default()).await }
        };
        let claims = futures::future::join_all(nodes.iter().map(|node| claim(&node.engine))).await;
        let (won, lost): (Vec<_>, Vec<_>) = claims.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|it| matches!(it, Err(EngineError::DisplayNameTaken))));
    }
}
