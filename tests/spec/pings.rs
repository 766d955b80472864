//! Tests of pings: they come in time on every stream, whatever else happens on it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use houston::domain::channel::ChannelRef;
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::{Device, Engine, Listener, Resume, SignedInAs};
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::{Instant, sleep, timeout};

use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// The longest time without a ping that a client may rely on.
const PERIOD: Duration = Duration::from_secs(5);

const FILES: FileLimits =
    FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };

async fn house() -> (Engine, Session) {
    let log = Arc::<Memory>::default();
    let engine = Engine::start(log, Arc::<Blobs>::default(), None, FILES, Bounds::default())
        .await
        .expect("an engine");
    let name = "Ada".parse().expect("a name");
    let Ok(SignedInAs::New(ada)) = engine.sign_in(name, None, Device::default()).await else {
        panic!("Ada signs in")
    };
    let session = engine.session(&ada.token).expect("a session");
    (engine, session)
}

fn general() -> ChannelRef {
    ChannelRef::from("general")
}

async fn heard(listener: &mut Listener) -> Bytes {
    timeout(2 * PERIOD, listener.next()).await.expect("a sign of life").expect("a chunk")
}

/// Reads the opening block and the user's own `joined`.
async fn begins(listener: &mut Listener) {
    assert!(heard(listener).await.starts_with(b"retry:"));
    assert!(heard(listener).await.starts_with(b"event: joined\n"));
}

async fn is_pinged(listener: &mut Listener, since: Instant) {
    let ping = heard(listener).await;
    assert!(ping.starts_with(b"event: ping\n"), "{ping:?}");
    assert!(since.elapsed() <= PERIOD, "after {:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_said_one_is_pinged_again_and_again() {
    let (engine, ada) = house().await;
    let mut listener = engine.listen(&ada, &general(), Resume::Now).expect("a listener");
    begins(&mut listener).await;
    for _ in 0..3 {
        is_pinged(&mut listener, Instant::now()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn words_in_between_do_not_put_pings_off() {
    let (engine, ada) = house().await;
    let mut listener = engine.listen(&ada, &general(), Resume::Now).expect("a listener");
    begins(&mut listener).await;
    let text: Text = "hello".parse().expect("a text");
    for _ in 0..3 {
        let since = Instant::now();
        sleep(PERIOD / 3).await;
        engine.post(&ada, &general(), text.clone().into()).await.expect("posted");
        assert!(heard(&mut listener).await.starts_with(b"event: message\n"));
        is_pinged(&mut listener, since).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_used_up_its_budget_is_pinged() {
    let (engine, ada) = house().await;
    let mut listener = engine.listen(&ada, &general(), Resume::Now).expect("a listener");
    begins(&mut listener).await;
    poll_fn(|context| {
        while has_budget_remaining() {
            let _ = pin!(consume_budget()).poll(context);
        }
        assert!(listener.poll_next_unpin(context).is_pending());
        Poll::Ready(())
    })
    .await;
    is_pinged(&mut listener, Instant::now()).await;
}
