//! Nobody is told anything before it is safe: the engine over a log that can be held up.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use houston::domain::channel::ChannelRef;
use houston::domain::entry::{Erase, Key};
use houston::domain::ids::{Epoch, Seq};
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::files::FileLimits;
use houston::engine::log::{AppendError, Appended, Draft, Feed, Log};
use houston::engine::{Engine, EngineError, From, Said, SignedInAs};
use rocket::tokio::sync::watch;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::{sleep, timeout};

use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// What the disk does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Slow,
    Fine,
    Full,
}

/// A log whose messages wait for a disk.
struct Waiting {
    log: Arc<Memory>,
    disk: watch::Receiver<Disk>,
}

impl Log for Waiting {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        let (log, mut disk) = (self.log.clone(), self.disk.clone());
        Box::pin(async move {
            if matches!(draft.key, Key::Messages(_)) {
                let ready = disk.wait_for(|disk| *disk != Disk::Slow).await;
                if *ready.expect("the test goes on") == Disk::Full {
                    return Err(AppendError::Unavailable);
                }
            }
            log.append(draft).await
        })
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        self.log.follow(after)
    }

    fn erase(&self, what: Vec<Erase>) -> BoxFuture<'static, Result<(), AppendError>> {
        if *self.disk.borrow() == Disk::Full {
            return Box::pin(ready(Err(AppendError::Unavailable)));
        }
        self.log.erase(what)
    }
}

async fn start(log: Arc<Waiting>) -> Engine {
    Engine::start(log, Arc::<Blobs>::default(), None, FILES).await.expect("an engine")
}

async fn sign_in(engine: &Engine) -> Result<Session, EngineError> {
    let name = "Ada".parse().expect("a name");
    match engine.sign_in(name, None, None).await? {
        SignedInAs::New(ada) => Ok(engine.session(&ada.token).expect("a session")),
        SignedInAs::Same(_) => panic!("nobody is signed in"),
    }
}

async fn house() -> (Arc<Engine>, Session, watch::Sender<Disk>) {
    let (control, disk) = watch::channel(Disk::Fine);
    let engine = start(Arc::new(Waiting { log: Arc::default(), disk })).await;
    let session = sign_in(&engine).await.expect("Ada signs in");
    (Arc::new(engine), session, control)
}

const FILES: FileLimits =
    FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };

fn said(text: &str) -> Said {
    text.parse::<Text>().expect("a text").into()
}

fn general() -> ChannelRef {
    ChannelRef::from("general")
}

#[rocket::async_test]
async fn no_answer_and_no_event_before_the_message_is_on_disk() {
    let (engine, ada, disk) = house().await;
    let mut listener = engine.listen(&ada, &general(), From::Now).expect("a listener");
    let joined = listener.next().await.expect("her own joining");
    assert!(joined.starts_with(b"event: joined"));
    disk.send_replace(Disk::Slow);
    let text = said("hello");
    let (posting, by) = (engine.clone(), ada.clone());
    let posted = rocket::tokio::spawn(async move { posting.post(&by, &general(), text).await });
    for _ in 0..1_000 {
        yield_now().await;
    }

    assert!(!posted.is_finished(), "not answered");
    let heard = listener.next().now_or_never();
    assert!(heard.is_none(), "not told: {heard:?}");
    let history = engine.history(&ada, &general()).expect("a history");
    assert!(history.starts_with(b"{\"messages\":[]"), "not kept: {history:?}");

    disk.send_replace(Disk::Fine);
    posted.await.expect("no panic").expect("kept");
    let heard = listener.next().await.expect("an event");
    assert!(heard.starts_with(b"event: message"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_free_again_once_its_last_entry_can_be_erased() {
    let (engine, ada, disk) = house().await;
    disk.send_replace(Disk::Full);
    engine.sign_out(&ada).await.expect("signed out");
    disk.send_replace(Disk::Fine);
    // Time is not waited for: it goes on when nobody has anything to do.
    let comes_back = async {
        while sign_in(&engine).await.is_err() {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_mins(1), comes_back).await.expect("the name is free");
}

#[rocket::async_test]
async fn a_name_is_free_after_a_start_though_its_last_entry_was_not_erased() {
    let (control, disk) = watch::channel(Disk::Fine);
    let log = Arc::new(Waiting { log: Arc::default(), disk });
    let engine = start(log.clone()).await;
    let ada = sign_in(&engine).await.expect("Ada signs in");
    control.send_replace(Disk::Full);
    engine.sign_out(&ada).await.expect("signed out");
    drop(engine);
    control.send_replace(Disk::Fine);

    let engine = start(log).await;

    sign_in(&engine).await.expect("the name is free");
}

#[rocket::async_test]
async fn what_could_not_be_stored_never_happened() {
    let (engine, ada, disk) = house().await;
    disk.send_replace(Disk::Full);
    let refused = engine.post(&ada, &general(), said("lost")).await;
    assert_eq!(refused, Err(EngineError::StorageUnavailable));
    disk.send_replace(Disk::Fine);
    let kept = engine.post(&ada, &general(), said("kept")).await;
    kept.expect("kept");
    let history = engine.history(&ada, &general()).expect("a history");
    let history = String::from_utf8_lossy(&history);
    assert!(history.contains("kept") && !history.contains("lost"), "{history}");
}
