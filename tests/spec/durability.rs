//! Tests that nothing is answered or sent before it is on disk, by an engine over a log that can be
//! held up.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use houston::domain::channel::ChannelRef;
use houston::domain::entry::Key;
use houston::domain::ids::{Epoch, Seq, Start};
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::log::{AppendError, Appended, Draft, Feed, Log};
use houston::engine::{Device, Engine, EngineError, MessageDraft, Resume, SignedInAs};
use parking_lot::Mutex;
use rocket::tokio::sync::watch;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::{sleep, timeout};

use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// The behaviour of the simulated disk towards messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Slow,
    Fine,
    Full,
}

/// A log in memory whose appends wait for, or fail by, a simulated disk, as its erasures do.
struct Waiting {
    log: Arc<Memory>,
    disk: watch::Receiver<Disk>,
    spent: Mutex<Vec<Seq>>,
}

impl Waiting {
    fn on(log: Arc<Memory>, disk: watch::Receiver<Disk>) -> Arc<Self> {
        Arc::new(Self { log, disk, spent: Mutex::default() })
    }

    fn erase_if_there_is_room(&self) {
        if *self.disk.borrow() != Disk::Full {
            self.log.erase(Seq(0), std::mem::take(&mut self.spent.lock()));
        }
    }
}

impl Log for Waiting {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn starts(&self) -> Vec<Start> {
        self.log.starts()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.erase_if_there_is_room();
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

    fn erase(&self, _: Seq, spent: Vec<Seq>) {
        self.spent.lock().extend(spent);
        self.erase_if_there_is_room();
    }

    fn is_writable(&self) -> bool {
        *self.disk.borrow() != Disk::Full
    }
}

async fn start(log: Arc<Waiting>) -> Engine {
    Engine::start(log, Arc::<Blobs>::default(), None, FILES, Bounds::default())
        .await
        .expect("an engine")
}

async fn sign_in(engine: &Engine) -> Result<Session, EngineError> {
    let name = "Ada".parse().expect("a name");
    match engine.sign_in(name, None, Device::default()).await? {
        SignedInAs::New(ada) => Ok(engine.session(&ada.token).expect("a session")),
        SignedInAs::Same(_) => panic!("nobody is signed in"),
    }
}

async fn house() -> (Arc<Engine>, Session, watch::Sender<Disk>) {
    let (control, disk) = watch::channel(Disk::Fine);
    let engine = start(Waiting::on(Arc::default(), disk)).await;
    let session = sign_in(&engine).await.expect("Ada signs in");
    (Arc::new(engine), session, control)
}

const FILES: FileLimits =
    FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };

fn said(text: &str) -> MessageDraft {
    text.parse::<Text>().expect("a text").into()
}

fn general() -> ChannelRef {
    ChannelRef::from("general")
}

#[rocket::async_test]
async fn no_answer_and_no_event_before_the_message_is_on_disk() {
    let (engine, ada, disk) = house().await;
    let mut listener = engine.listen(&ada, &general(), Resume::Now).expect("a listener");
    listener.next().await.expect("where it begins");
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
    assert!(history.messages.is_empty(), "not kept: {history:?}");

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
    let log = Arc::<Memory>::default();
    let engine = start(Waiting::on(log.clone(), disk.clone())).await;
    let ada = sign_in(&engine).await.expect("Ada signs in");
    control.send_replace(Disk::Full);
    engine.sign_out(&ada).await.expect("signed out");
    drop(engine);
    control.send_replace(Disk::Fine);

    // A crash came before the erasure.
    let engine = start(Waiting::on(log, disk)).await;

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
    let history = String::from_utf8(history.messages.concat()).expect("JSON");
    assert!(history.contains("kept") && !history.contains("lost"), "{history}");
}
