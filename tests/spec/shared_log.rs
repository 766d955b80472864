//! Tests of an engine over a log that it shares with other nodes: those may erase something while it
//! reads, and its servers may leave open whether they stored something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use houston::domain::channel::ChannelRef;
use houston::domain::ids::{Epoch, Seq, Start};
use houston::domain::message::Text;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::log::{AppendError, Appended, Draft, Feed, Log};
use houston::engine::{Device, Engine, EngineError, Impediment, SignedInAs, StartError};
use rocket::tokio::sync::watch;
use rocket::tokio::time::{sleep, timeout};

use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// A log in memory whose other nodes can be told what to do.
struct Shared {
    log: Memory,
    /// The number of times that something is erased while it is read from the beginning.
    erasing: AtomicUsize,
    /// Set where the outcome of an append, which is stored, is not told.
    silent: AtomicBool,
    /// Set once entries were erased that had not been given.
    missed: watch::Sender<bool>,
}

impl Shared {
    fn new(erasing: usize) -> Arc<Self> {
        Arc::new(Self {
            log: Memory::default(),
            erasing: AtomicUsize::new(erasing),
            silent: AtomicBool::new(false),
            missed: watch::Sender::new(false),
        })
    }
}

impl Log for Shared {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn starts(&self) -> Vec<Start> {
        self.log.starts()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        let appended = self.log.append(draft);
        let silent = self.silent.load(Ordering::Relaxed);
        Box::pin(async move { if silent { Err(AppendError::Unknown) } else { appended.await } })
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        let feed = self.log.follow(after);
        let fewer = |left: usize| left.checked_sub(1);
        if self.erasing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
            let given = feed.take_while(|fed| std::future::ready(matches!(fed, Feed::Entry(_))));
            return given.chain(stream::iter([Feed::Incomplete])).boxed();
        }
        let mut changes = self.missed.subscribe();
        let misses = async move {
            changes.wait_for(|missed| *missed).await.expect("the test goes on");
        };
        feed.take_until(misses).chain(stream::iter([Feed::Incomplete])).boxed()
    }

    fn erase(&self, cause: Seq, spent: Vec<Seq>) {
        self.log.erase(cause, spent);
    }

    fn is_writable(&self) -> bool {
        true
    }
}

async fn start(log: Arc<Shared>) -> Result<Engine, StartError> {
    let files = FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };
    Engine::start(log, Arc::<Blobs>::default(), None, files, Bounds::default()).await
}

#[rocket::async_test]
async fn a_start_that_reads_while_something_is_erased_reads_again() {
    let log = Shared::new(0);
    drop(start(log.clone()).await.expect("an engine"));
    log.erasing.store(4, Ordering::Relaxed);
    let engine = start(log.clone()).await.expect("an engine");
    let ada = engine.sign_in("Ada".parse().expect("a name"), None, Device::default()).await;
    assert!(matches!(ada, Ok(SignedInAs::New(_))));

    log.erasing.store(5, Ordering::Relaxed);
    let refused = start(log).await.err().expect("it never ends");
    assert!(matches!(refused, StartError::LogChanging), "{refused}");
}

#[rocket::async_test]
async fn a_node_that_missed_something_stops_and_says_so() {
    let log = Shared::new(0);
    let engine = start(log.clone()).await.expect("an engine");
    assert_eq!(engine.impediments(), []);

    log.missed.send_replace(true);

    let stops = async {
        while !engine.impediments().contains(&Impediment::FollowerStopped) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), stops).await.expect("in time");
}

#[rocket::async_test]
async fn who_is_not_told_the_outcome_may_send_the_same_again() {
    let log = Shared::new(0);
    let engine = start(log.clone()).await.expect("an engine");
    let ada = engine.sign_in("Ada".parse().expect("a name"), None, Device::default()).await;
    let Ok(SignedInAs::New(ada)) = ada else { panic!("nobody is signed in") };
    let ada = engine.session(&ada.token).expect("a session");
    let general = ChannelRef::from("general");
    let id = "m1".parse().expect("an id");
    let put = async || {
        let text: Text = "hello".parse().expect("a text");
        engine.put(&ada, &general, &id, text.into()).await
    };
    log.silent.store(true, Ordering::Relaxed);

    let refused = put().await.expect_err("nobody knows");

    assert_eq!(refused, EngineError::OutcomeUnknown);
    assert!(refused.to_string().contains("under the same id"), "{refused}");
    log.silent.store(false, Ordering::Relaxed);
    put().await.expect("the same again");
    let history = engine.history(&ada, &general).expect("a history");
    assert_eq!(history.messages.len(), 1);
}
