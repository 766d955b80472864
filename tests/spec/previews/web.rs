//! A web of pages that say what a test tells them to, and a house of one engine that fetches from it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use houston::backends::fetch::Fetcher;
use houston::domain::channel::ChannelRef;
use houston::domain::hook::Hook;
use houston::domain::ids::MessageId;
use houston::domain::message::Text;
use houston::domain::user::Session;
use houston::engine::bounds::Bounds;
use houston::engine::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use houston::engine::files::FileLimits;
use houston::engine::limits::Limits;
use houston::engine::{Device, Engine, EngineError, MessageDraft, Put, SignedInAs};
use parking_lot::Mutex;
use rocket::tokio::time::{sleep, timeout};
use serde_json::Value;

use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// A PNG of 3 by 2 pixels, as far as anybody looks.
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0";

/// The way in which the body of an answer ends.
#[derive(Clone, Copy)]
enum Ending {
    Whole,
    Broken,
    Never,
}

/// An answer of the web; of nobody there is none.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    media_type: String,
    encoding: Option<String>,
    body: Bytes,
    ending: Ending,
    wait: Duration,
    is_there: bool,
}

/// A page with this HTML.
pub(super) fn page(html: &str) -> Answer {
    Answer {
        status: 200,
        media_type: "text/html; charset=utf-8".into(),
        encoding: None,
        body: html.as_bytes().to_vec().into(),
        ending: Ending::Whole,
        wait: Duration::ZERO,
        is_there: true,
    }
}

impl Answer {
    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn typed(self, media_type: &str) -> Self {
        Self { media_type: media_type.into(), ..self }
    }

    pub(super) fn with_body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec().into(), ..self }
    }

    pub(super) fn encoded(self, encoding: &str) -> Self {
        Self { encoding: Some(encoding.into()), ..self }
    }

    /// The answer breaks off.
    pub(super) fn broken(self) -> Self {
        Self { ending: Ending::Broken, ..self }
    }

    /// The body comes again and again.
    pub(super) fn endless(self) -> Self {
        Self { ending: Ending::Never, ..self }
    }

    /// The answer comes so late.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    fn fetched(self, url: &str) -> Fetched {
        let chunks: Vec<_> =
            self.body.chunks(1_000).map(|it| Ok(self.body.slice_ref(it))).collect();
        let body: BoxStream<'static, io::Result<Bytes>> = match self.ending {
            Ending::Whole => stream::iter(chunks).boxed(),
            Ending::Broken => {
                stream::iter(chunks.into_iter().chain([Err(io::Error::other("x"))])).boxed()
            }
            Ending::Never => stream::repeat_with(move || Ok(self.body.clone())).boxed(),
        };
        Fetched {
            status: self.status,
            media_type: Some(self.media_type).filter(|it| !it.is_empty()),
            disposition: None,
            encoding: self.encoding,
            url: url.parse().expect("an address"),
            body,
        }
    }
}

/// Pages and pictures by their addresses.
#[derive(Clone, Default)]
pub(super) struct Web(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers: HashMap<String, Answer>,
    requests: Vec<FetchRequest>,
    under_way: usize,
    most_at_once: usize,
}

impl Web {
    pub(super) fn says(&self, address: &str, answer: Answer) {
        self.0.lock().answers.insert(address.into(), answer);
    }

    pub(super) fn shows(&self, address: &str, media_type: &str, bytes: &[u8]) {
        self.says(address, page("").typed(media_type).with_body(bytes));
    }

    /// The answer of nobody: no connection.
    pub(super) fn nobody() -> Answer {
        Answer { is_there: false, ..page("") }
    }

    pub(super) fn requests(&self) -> Vec<FetchRequest> {
        self.0.lock().requests.clone()
    }

    /// The addresses that were asked, each as often as it was.
    pub(super) fn asked(&self) -> Vec<String> {
        self.0.lock().requests.iter().map(|request| request.url.clone()).collect()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.0.lock().most_at_once
    }
}

impl Fetch for Web {
    fn check(&self, url: &str) -> Result<(), FetchError> {
        Fetcher::new(false).check(url)
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let web = self.clone();
        async move {
            let answer = {
                let mut inner = web.0.lock();
                inner.requests.push(request.clone());
                inner.under_way += 1;
                inner.most_at_once = inner.most_at_once.max(inner.under_way);
                inner.answers.get(&request.url).cloned()
            };
            let answer = answer.unwrap_or_else(Self::nobody);
            let in_time = timeout(request.timeout, sleep(answer.wait)).await.is_ok();
            web.0.lock().under_way -= 1;
            if !in_time {
                return Err(FetchError::TooSlow);
            }
            if !answer.is_there {
                return Err(FetchError::NoConnection("refused".into()));
            }
            Ok(answer.fetched(&request.url))
        }
        .boxed()
    }
}

/// An engine with Ada in it.
pub(super) struct House {
    pub(super) engine: Engine,
    pub(super) ada: Session,
    pub(super) web: Web,
    log: Arc<Memory>,
    blobs: Arc<Blobs>,
    token: String,
}

pub(super) fn general() -> ChannelRef {
    ChannelRef::from("general")
}

impl House {
    pub(super) async fn open() -> Self {
        let house = Self::without_previews().await;
        house.engine.set_preview_fetch(Arc::new(house.web.clone()));
        house
    }

    pub(super) async fn without_previews() -> Self {
        Self::with(None).await
    }

    /// One with the limits of every server.
    pub(super) async fn limited() -> Self {
        let house = Self::with(Some(Limits::default())).await;
        house.engine.set_preview_fetch(Arc::new(house.web.clone()));
        house
    }

    async fn with(limits: Option<Limits>) -> Self {
        let (log, blobs) = (Arc::<Memory>::default(), Arc::<Blobs>::default());
        let engine = engine(log.clone(), blobs.clone(), limits).await;
        let token = sign_in(&engine, "Ada").await;
        let ada = engine.session(&token).expect("a session");
        let web = Web::default();
        engine.set_fetch(Arc::new(web.clone()));
        Self { engine, ada, web, log, blobs, token }
    }

    /// What a process finds that starts after this one was killed, with another web.
    pub(super) async fn restarted(&self) -> Self {
        let (log, blobs) = (Arc::new(self.log.copied()), Arc::new(self.blobs.copied()));
        let engine = engine(log.clone(), blobs.clone(), None).await;
        let ada = engine.session(&self.token).expect("a session");
        let web = Web::default();
        engine.set_fetch(Arc::new(web.clone()));
        engine.set_preview_fetch(Arc::new(web.clone()));
        Self { engine, ada, web, log, blobs, token: self.token.clone() }
    }

    pub(super) async fn signs_in(&self, name: &str) -> Session {
        self.engine.session(&sign_in(&self.engine, name).await).expect("a session")
    }

    pub(super) async fn posts(&self, id: &str, text: &str) -> Value {
        self.posts_as(&self.ada, id, text).await
    }

    pub(super) async fn posts_as(&self, who: &Session, id: &str, text: &str) -> Value {
        let text: Text = text.parse().expect("a text");
        let put = self.engine.put(who, &general(), &message_id(id), MessageDraft::from(text)).await;
        match put.expect("it is put") {
            Put::Created(json) | Put::Replaced(json) => parsed(&json),
        }
    }

    pub(super) async fn reacts(&self, id: &str) {
        let reaction = "👍".parse().expect("a reaction");
        let given = self.engine.react(&self.ada, &general(), &message_id(id), &reaction).await;
        given.expect("it is given");
    }

    pub(super) async fn deletes(&self, id: &str) {
        let deleted = self.engine.delete(&self.ada, &general(), &message_id(id)).await;
        deleted.expect("it is deleted");
    }

    pub(super) async fn restores(&self, id: &str) -> Value {
        let restored = self.engine.restore(&self.ada, &general(), &message_id(id)).await;
        parsed(&restored.expect("it is restored"))
    }

    /// Waits until what was deleted is erased.
    pub(super) async fn erases(&self) {
        sleep(Duration::from_mins(1)).await;
    }

    pub(super) async fn hides(&self, id: &str) -> Result<(), EngineError> {
        self.hides_as(&self.ada, id).await
    }

    pub(super) async fn hides_as(&self, who: &Session, id: &str) -> Result<(), EngineError> {
        self.engine.hide_previews(who, &general(), &message_id(id)).await
    }

    pub(super) async fn shows(&self, id: &str) -> Result<(), EngineError> {
        self.shows_as(&self.ada, id).await
    }

    pub(super) async fn shows_as(&self, who: &Session, id: &str) -> Result<(), EngineError> {
        self.engine.show_previews(who, &general(), &message_id(id)).await
    }

    pub(super) async fn makes_hook(&self) -> Arc<Hook> {
        let name = "CI".parse().expect("a name");
        let made = self.engine.create_hook(&self.ada, &general(), name, None).await;
        made.expect("a hook").hook
    }

    pub(super) fn message(&self, id: &str) -> Value {
        parsed(&self.engine.message(&self.ada, &general(), &message_id(id)).expect("a message"))
    }

    /// A message once its previews have come, if any do.
    pub(super) async fn settled(&self, id: &str) -> Value {
        sleep(Duration::from_secs(6)).await;
        self.message(id)
    }

    pub(super) fn history(&self) -> Vec<Value> {
        let history = self.engine.history(&self.ada, &general()).expect("a history");
        history.messages.iter().map(|json| parsed(json)).collect()
    }

    /// The number of changes of messages that were ever appended, by their entries.
    pub(super) fn changes(&self) -> usize {
        self.log.appended().iter().filter(|key| key.contains(".x.")).count()
    }

    /// The number of files that messages have.
    pub(super) fn files(&self) -> usize {
        self.engine.statistics().files
    }

    /// The number of files that are stored, once nothing is going on.
    pub(super) async fn stored_files(&self) -> usize {
        sleep(Duration::from_secs(1)).await;
        self.blobs.count()
    }

    /// The number of fetches of this outcome.
    pub(super) fn count(&self, what: &str, outcome: &str) -> u64 {
        let mut counts = self.engine.preview_fetches().into_iter();
        let found = counts.find(|(it, known, _)| *it == what && known.name() == outcome);
        found.expect("an outcome").2
    }

    /// The outcomes that there were.
    pub(super) fn counts(&self, what: &str) -> Vec<(&'static str, u64)> {
        let counts = self.engine.preview_fetches().into_iter();
        let counts = counts.filter(|(it, _, count)| *it == what && *count > 0);
        counts.map(|(_, outcome, count)| (outcome.name(), count)).collect()
    }
}

async fn engine(log: Arc<Memory>, blobs: Arc<Blobs>, limits: Option<Limits>) -> Engine {
    let max_file_bytes = 4 << 20;
    let files = FileLimits { max_file_bytes, max_message_files: 2, max_total_bytes: 64 << 20 };
    let engine = Engine::start(log, blobs, limits, files, Bounds::default()).await;
    engine.expect("an engine")
}

async fn sign_in(engine: &Engine, name: &str) -> String {
    let name = name.parse().expect("a name");
    let signed_in = engine.sign_in(name, None, Device::default()).await.expect("they are in");
    let SignedInAs::New(signed_in) = signed_in else { panic!("nobody was signed in") };
    signed_in.token
}

fn message_id(id: &str) -> MessageId {
    id.parse().expect("an id")
}

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("JSON")
}
