//! A user who moves between nodes misses nothing that lasts.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream};
use houston::domain::channel::ChannelRef;
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::latest::References;
use houston::engine::{Listener, MessageDraft, Resume};
use houston::wire::cursor::Cursor;
use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, Node, general};

async fn posts(node: &Node, session: &Session, text: &str) -> Cursor {
    let text: Text = text.parse().expect("a text");
    node.post(session, &general(), text.into()).await.expect("posted");
    node.history(session, &general()).expect("a history").cursor
}

/// What a stream has at once.
fn at_once(mut listener: Listener) -> String {
    let mut told = String::new();
    while let Some(Some(chunk)) = listener.next().now_or_never() {
        told.push_str(std::str::from_utf8(&chunk).expect("a text"));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_from_what_was_seen_with_a_node_that_was_ahead() {
    let [one, two] = Cluster::of(2).await.nodes();
    let token = one.signs_in("Ada").await.token;
    let (ada, ada_on_two) = (one.session_of(&token).await, two.session_of(&token).await);
    posts(&one, &ada, "first").await;
    sleep(Duration::from_millis(10)).await;
    two.is_near(false);
    let seen = posts(&one, &ada, "seen").await;
    posts(&one, &ada, "unseen").await;

    let from = Resume::After(seen);
    let known = References { after: Some(seen), ..References::default() };
    assert_eq!(two.await_references(known).now_or_never(), None, "it is behind");
    let (comes_near, waits) = (two.clone(), two.await_references(known));
    let began = Instant::now();
    tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        comes_near.is_near(true);
    });
    waits.await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    sleep(Duration::from_millis(10)).await;
    let told = at_once(two.listen(&ada_on_two, &general(), from).expect("a listener"));
    assert!(told.contains("unseen") && !told.contains("event: reset"), "{told}");
    assert!(!told.contains("\"seen\""), "{told}");
}

#[tokio::test(start_paused = true)]
async fn who_invents_what_they_saw_starts_again() {
    let [one, two] = Cluster::of(2).await.nodes();
    let token = one.signs_in("Ada").await.token;
    let ada = two.session_of(&token).await;
    let seen = posts(&two, &ada, "one").await;
    let invented = Cursor { seq: houston::domain::ids::Seq(seen.seq.0 + 1_000), ..seen };
    let began = Instant::now();
    two.await_references(References { after: Some(invented), ..References::default() }).await;
    assert!(began.elapsed() < Duration::from_secs(1), "the log knows better");
    let from = Resume::After(invented);
    let told = at_once(two.listen(&ada, &general(), from).expect("a listener"));
    assert!(told.contains("event: reset"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn markers_that_are_moved_on_two_nodes_at_once_are_all_kept() {
    let [one, two] = Cluster::of(2).await.nodes();
    let bob = one.session_of(&one.signs_in("Bob").await.token).await;
    let token = one.signs_in("Ada").await.token;
    let (ada, ada_on_two) = (one.session_of(&token).await, two.session_of(&token).await);
    let launch = "launch".parse().expect("a name");
    one.create_channel(&bob, launch, "".parse().expect("a topic")).await.expect("a channel");
    let channels = [general(), ChannelRef::from("launch")];
    let mut last = Vec::new();
    for channel in &channels {
        let text: Text = "hello".parse().expect("a text");
        last.push(one.post(&bob, channel, text.into()).await.expect("posted").0);
    }
    sleep(Duration::from_secs(1)).await;
    let unread = |node: &Node, session: &Session| {
        channels.each_ref().map(|it| node.view(session, it).expect("a channel").unread)
    };
    assert_eq!(unread(&one, &ada), [1, 1]);

    // Neither sees what the other appends.
    one.is_near(false);
    two.is_near(false);
    one.mark_read(&ada, &channels[0], &last[0]).expect("marked");
    two.mark_read(&ada_on_two, &channels[1], &last[1]).expect("marked");
    sleep(Duration::from_secs(5)).await;
    one.is_near(true);
    two.is_near(true);
    sleep(Duration::from_secs(5)).await;
    assert_eq!((unread(&one, &ada), unread(&two, &ada_on_two)), ([0, 0], [0, 0]));
    assert_eq!(one.statistics().waiting_markers + two.statistics().waiting_markers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_or_a_hook_that_another_node_took_is_waited_for() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let ada = one.session_of(&one.signs_in("Ada").await.token).await;
    sleep(Duration::from_millis(10)).await;
    two.is_near(false);
    let name = "Bot".parse().expect("a name");
    let hook = one.create_hook(&ada, &general(), name, None).await.expect("a hook");
    let bytes = stream::iter([Ok(Bytes::from_static(b"bytes"))]);
    let upload = one.admit_upload(&ada, &general()).expect("they may");
    let received = upload.receive("a.txt".into(), bytes).await.expect("received");
    let file = received.attachment().id.clone();
    let text: Text = "a file".parse().expect("a text");
    let draft = MessageDraft { files: Some(vec![received]), ..text.into() };
    one.post(&ada, &general(), draft).await.expect("posted");

    let secret = hook.hook.secret.reveal();
    for references in [
        References { file: Some(&file), ..References::default() },
        References { hook: Some(secret), ..References::default() },
    ] {
        assert_eq!(one.await_references(references).now_or_never(), Some(true), "it took it");
        assert_eq!(two.await_references(references).now_or_never(), None, "it is behind");
    }
}
