//! Tests of outgoing hooks: what is posted to programs, when it is tried again, and what their answers
//! become. By an engine over a network of the test's own, where time passes when nothing else happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use houston::backends::fetch::Fetcher;
use houston::domain::channel::ChannelRef;
use houston::domain::hook::Hook;
use houston::domain::time::Timestamp;
use houston::domain::user::Session;
use houston::engine::bounds::Bounds;
use houston::engine::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use houston::engine::files::FileLimits;
use houston::engine::{Device, Engine, ListedHook, NewOutgoing, QueueStatus, SignedInAs};
use houston::wire::slack::HookPost;
use parking_lot::Mutex;
use rocket::tokio::time::{Instant, sleep};
use serde_json::{Value, json};

use crate::blobs::memory::Memory as Blobs;
use crate::harness::Workspace;
use crate::log::memory::Memory;

/// An answer: status, media type and body; none where there is no connection.
type Told = Option<(u16, &'static str, Bytes)>;

/// A program that answers as it is told, and 204 once nothing is left to tell.
#[derive(Clone, Default)]
struct Program {
    answers: Arc<Mutex<VecDeque<Told>>>,
    posted: Arc<Mutex<Vec<(Instant, FetchRequest)>>>,
    /// Whether what it answers never ends.
    hangs: Arc<AtomicBool>,
}

impl Fetch for Program {
    fn check(&self, url: &str) -> Result<(), FetchError> {
        Fetcher::new(false).check(url)
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        self.posted.lock().push((Instant::now(), request));
        let told = self.answers.lock().pop_front().unwrap_or(Some((204, "", Bytes::new())));
        let hangs = self.hangs.load(Ordering::Relaxed);
        async move {
            let (status, media_type, body) =
                told.ok_or_else(|| FetchError::NoConnection("refused".into()))?;
            let chunks = (!body.is_empty()).then_some(Ok(body));
            Ok(Fetched {
                status,
                media_type: Some(media_type.into()).filter(|it: &String| !it.is_empty()),
                disposition: None,
                encoding: None,
                url: "https://bot.example/hook".parse().expect("an address"),
                body: if hangs { stream::pending().boxed() } else { stream::iter(chunks).boxed() },
            })
        }
        .boxed()
    }
}

impl Program {
    fn answers(&self, status: u16, media_type: &'static str, body: impl Into<Bytes>) {
        self.answers.lock().push_back(Some((status, media_type, body.into())));
    }

    /// The texts of the messages that were posted, each attempt for itself.
    fn texts(&self) -> Vec<String> {
        let text =
            |request: &FetchRequest| body(request)["message"]["text"].as_str().map(str::to_owned);
        self.posted.lock().iter().filter_map(|(_, request)| text(request)).collect()
    }
}

fn body(request: &FetchRequest) -> Value {
    serde_json::from_slice(request.json.as_deref().expect("a body")).expect("JSON")
}

fn header(request: &FetchRequest, name: &str) -> String {
    let found = request.headers.iter().find(|(known, _)| *known == name);
    found.expect("the header").1.clone()
}

struct House {
    engine: Engine,
    ada: Session,
    program: Program,
}

impl House {
    async fn open() -> Self {
        let files =
            FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };
        let (log, blobs) = (Arc::<Memory>::default(), Arc::<Blobs>::default());
        let engine = Engine::start(log, blobs, None, files, Bounds::default()).await;
        let engine = engine.expect("an engine");
        let program = Program::default();
        engine.set_fetch(Arc::new(program.clone()));
        let name = "Ada".parse().expect("a name");
        let signed_in = engine.sign_in(name, None, Device::default()).await.expect("Ada is in");
        let SignedInAs::New(ada) = signed_in else { panic!("nobody was signed in") };
        let ada = engine.session(&ada.token).expect("a session");
        Self { engine, ada, program }
    }

    async fn makes(&self, words: &[&str]) -> ListedHook {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        let outgoing = NewOutgoing { url: "https://bot.example/hook".into(), words };
        let name = "Deployer".parse().expect("a name");
        let made = self.engine.create_hook(&self.ada, &general(), name, Some(outgoing)).await;
        made.expect("a hook")
    }

    async fn posts(&self, text: &str) {
        let text: houston::domain::message::Text = text.parse().expect("a text");
        self.engine.post(&self.ada, &general(), text.into()).await.expect("it is posted");
    }

    fn history(&self) -> Vec<Value> {
        let history = self.engine.history(&self.ada, &general()).expect("a history");
        history.messages.iter().map(|it| serde_json::from_slice(it).expect("JSON")).collect()
    }

    /// Waits for some time, in which nothing else has to happen.
    async fn waits(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    fn finds(&self, hook: &ListedHook) -> Arc<Hook> {
        self.engine.hook(&self.ada, &general(), &hook.hook.id, true).expect("a hook").hook
    }

    fn is_paused(&self, hook: &ListedHook) -> bool {
        self.finds(hook).outgoing.as_ref().expect("an outgoing one").paused
    }

    /// The latest attempts, newest first: the status, and what was wrong.
    fn attempts(&self, hook: &ListedHook) -> Vec<(Option<u16>, Option<String>)> {
        let latest = self.finds(hook).deliveries.latest();
        latest.into_iter().map(|it| (it.status, it.problem)).collect()
    }
}

fn general() -> ChannelRef {
    ChannelRef::from("general")
}

#[tokio::test(start_paused = true)]
async fn a_message_is_posted_signed_and_once() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    house.posts("*hello*").await;
    house.waits(10).await;

    let posted = house.program.posted.lock().clone();
    assert_eq!(posted.len(), 1);
    let request = &posted[0].1;
    assert_eq!(request.url, "https://bot.example/hook");
    let message = body(request);
    assert_eq!(
        (&message["type"], &message["channel"]["name"]),
        (&json!("message"), &json!("general"))
    );
    assert_eq!(message["message"], house.history()[0]);
    assert!(message["channel"]["id"].is_string());
    assert!(header(request, "webhook-id").starts_with("msg_"));
    assert!(header(request, "webhook-timestamp").parse::<i64>().is_ok());
    assert!(header(request, "webhook-signature").starts_with("v1,"));
    assert!(hook.hook.secret.reveal().starts_with("whsec_"));
}

#[tokio::test(start_paused = true)]
async fn words_choose_and_bots_are_never_posted() {
    let house = House::open().await;
    house.makes(&["!deploy", "ci"]).await;
    let incoming =
        house.engine.create_hook(&house.ada, &general(), "CI".parse().expect("it"), None).await;
    let incoming = incoming.expect("a hook");
    for text in ["!deploy now", "please !deploy", "city", "ci"] {
        house.posts(text).await;
        house.engine.post_by_hook(&incoming.hook, HookPost::of_text(text)).await.expect("posted");
    }
    house.waits(60).await;
    assert_eq!(house.program.texts(), ["!deploy now", "ci"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_tried_again_in_order_and_then_no_more() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    house.program.answers.lock().push_back(None);
    house.program.answers(500, "text/plain", "an error is no answer");
    house.program.answers(302, "", "");
    house.posts("one").await;
    house.posts("two").await;
    house.waits(100).await;
    assert_eq!(house.program.texts(), ["one", "one", "one", "one", "two"]);
    let posted = house.program.posted.lock().clone();
    let seconds: Vec<_> = posted.windows(2).map(|it| (it[1].0 - it[0].0).as_secs()).collect();
    assert_eq!(seconds, [5, 13, 33, 0]);
    let ids: Vec<_> = posted.iter().map(|(_, request)| header(request, "webhook-id")).collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] != ids[0], "{ids:?}");
    assert_eq!(house.history().len(), 2);

    for _ in 0..9 {
        house.program.answers(503, "", "");
    }
    house.posts("three").await;
    house.posts("four").await;
    house.waits(3 * 3_600).await;
    assert_eq!(house.program.texts().len(), 5 + 9);
    assert!(house.is_paused(&hook));
    let last = house.history().pop().expect("a message");
    assert_eq!(last["author"]["display_name"], "Deployer");
    let text = last["text"].as_str().expect("a text");
    assert!(text.starts_with("Paused: `bot.example`") && text.contains("status 503"), "{text}");

    let found = house.finds(&hook);
    let outgoing = found.outgoing.as_ref().expect("an outgoing one");
    assert_eq!(outgoing.problem.as_deref(), Some("it answered with status 503"));

    house.posts("five").await;
    let id = &hook.hook.id;
    house.engine.pause_hook(&house.ada, &general(), id, false).await.expect("it goes on");
    assert!(!house.is_paused(&hook));
    assert_eq!(house.finds(&hook).outgoing.as_ref().expect("one").problem, None);
    house.posts("six").await;
    house.waits(10).await;
    assert_eq!(house.program.texts()[14..], ["six"]);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_remembered_and_what_waits_is_told() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    let idle = QueueStatus { waiting: 0, retry_at: None };
    assert_eq!(house.engine.queue_of(&hook.hook.id), idle);
    house.program.answers.lock().push_back(None);
    house.program.answers(500, "", "");
    house.posts("one").await;
    house.posts("two").await;
    house.waits(2).await;
    let QueueStatus { waiting, retry_at } = house.engine.queue_of(&hook.hook.id);
    let (now, retry_at) = (Timestamp::from(Utc::now()), retry_at.expect("it is tried again"));
    // Time passes here as the test wants, but for the clock on the wall.
    assert!(waiting == 2 && retry_at > now, "{waiting} {retry_at}");
    house.waits(5).await;
    let later = house.engine.queue_of(&hook.hook.id).retry_at.expect("it is tried again");
    assert!(later > retry_at, "{later}");
    let none = Some("No connection: refused.".to_owned());
    let refused = Some("It did not take the message.".to_owned());
    assert_eq!(house.attempts(&hook), [(Some(500), refused.clone()), (None, none.clone())]);
    house.program.answers(204, "", "");
    house.program.answers(200, "application/pdf", "x".repeat(1_001));
    house.waits(20).await;
    assert_eq!(house.engine.queue_of(&hook.hook.id), idle);
    let attempts = house.attempts(&hook);
    let too_large = attempts[0].1.as_deref().expect("a problem");
    assert!(too_large.starts_with("Its answer is not shown. "), "{too_large}");
    let (rest, status) = (&attempts[1..], attempts[0].0);
    assert_eq!(status, Some(200));
    assert_eq!(rest, [(Some(204), None), (Some(500), refused), (None, none)]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_an_attempt_at_once_uses_up_none_of_those_to_come() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    for _ in 0..20 {
        house.program.answers(503, "", "");
    }
    house.posts("one").await;
    for _ in 0..12 {
        house.waits(1).await;
        house.engine.pause_hook(&house.ada, &general(), &hook.hook.id, false).await.expect("it is");
    }
    house.waits(2).await;
    assert_eq!(house.program.texts().len(), 13);
    assert!(!house.is_paused(&hook));
    house.waits(3 * 3_600).await;
    assert_eq!(house.program.texts().len(), 21, "and then it is taken");
}

#[tokio::test(start_paused = true)]
async fn four_of_a_users_hooks_are_asked_at_a_time_until_their_answers_are_read() {
    let house = House::open().await;
    for _ in 0..5 {
        house.makes(&[]).await;
    }
    house.program.hangs.store(true, Ordering::Relaxed);
    house.posts("one").await;
    house.waits(60).await;
    assert_eq!(house.program.texts().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn answers_become_messages_and_files_of_the_hook() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    for (media_type, answer, text, file) in [
        ("text/plain; charset=utf-8", "*done*", Some("*done*"), None),
        ("application/json", r#"{"text": "deployed", "x": 1}"#, Some("deployed"), None),
        ("Application/JSON", r#"{"text": ""}"#, None, None),
        ("application/json", "not JSON", None, None),
        ("text/plain", " ", None, None),
        ("", "", None, None),
        ("image/png", "\u{1}", Some(""), Some("answer.png")),
        ("text/html", "<p>", Some(""), Some("answer.html")),
        ("application/pdf", &*"x".repeat(1_001).leak(), None, None),
    ] {
        let before = house.history().len();
        house.program.answers(200, media_type, answer);
        house.posts("go").await;
        house.waits(5).await;
        let history = house.history();
        assert_eq!(
            history.len(),
            before + 1 + usize::from(text.is_some()),
            "{media_type} {answer}"
        );
        let Some(text) = text else { continue };
        let message = history.last().expect("an answer");
        assert_eq!(message["text"], text, "{media_type}");
        assert_eq!(message["author"]["id"], hook.hook.id.as_str());
        assert_eq!(message["author"]["bot"], true);
        let name = message["attachments"][0]["name"].as_str();
        assert_eq!(name, file, "{message}");
    }
    let long = "é".repeat(5_000);
    house.program.answers(200, "text/plain", long);
    house.posts("go").await;
    house.waits(5).await;
    let last = house.history().pop().expect("an answer");
    assert_eq!(last["text"].as_str().map(|it| it.chars().count()), Some(4_000));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_is_deleted_posts_nothing_more() {
    let house = House::open().await;
    let hook = house.makes(&[]).await;
    house.program.answers(500, "", "");
    house.posts("one").await;
    house.waits(2).await;
    let deleted = house.engine.delete_hook(&house.ada, &general(), &hook.hook.id, true).await;
    deleted.expect("it is gone");
    house.posts("two").await;
    house.waits(3_600).await;
    assert_eq!(house.program.texts(), ["one"]);
}

#[rocket::async_test]
async fn outgoing_hooks_are_made_shown_changed_and_deleted() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let bob = workspace.signed_in_as("Bob").await;
    let path = "/api/channels/general/outgoing";
    let url = "https://bot.example/hook?key=1";
    let made = ada.post(path, json!({ "name": "Bot", "url": url, "words": ["!go", " "] })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let hook = made.json();
    let one = format!("{path}/{}", hook["id"].as_str().expect("an id"));
    assert_eq!(made.header("Location"), Some(&*one));
    assert!(hook["secret"].as_str().is_some_and(|it| it.starts_with("whsec_")), "{hook}");
    assert_eq!((&hook["url"], &hook["words"]), (&json!(url), &json!(["!go"])));
    assert_eq!((&hook["paused"], &hook["created_by"]), (&json!(false), &ada.user));
    for (member, value) in [
        ("paused_since", Value::Null),
        ("problem", Value::Null),
        ("retry_at", Value::Null),
        ("waiting", json!(0)),
        ("deliveries", json!([])),
    ] {
        assert_eq!(hook.get(member), Some(&value), "{member}");
    }
    let shown = ada.get(&one).await.json();
    assert!(shown.get("secret").is_none(), "{shown}");
    assert_eq!(shown["url"], url);
    assert_eq!(ada.get(path).await.json()["hooks"], json!([shown]));
    assert_eq!(bob.get(&one).await.json()["url"], Value::Null);
    bob.patch(&one, json!({ "paused": true })).await.refused(403, "not-yours");
    bob.delete(&one).await.refused(403, "not-yours");
    let paused = ada.patch(&one, json!({ "paused": true })).await.json();
    assert_eq!(paused["paused"], true);
    assert!(paused["paused_since"].as_str() >= hook["created_at"].as_str(), "{paused}");
    ada.patch(&one, json!({})).await.refused(400, "malformed-request");
    // Each kind has a list of its own.
    let id = hook["id"].as_str().expect("an id");
    ada.get(&format!("/api/channels/general/hooks/{id}")).await.refused(404, "no-such-hook");
    assert_eq!(ada.get("/api/channels/general/hooks").await.json(), json!({ "hooks": [] }));
    let token = ada.token.clone().expect("a token");
    drop((ada, bob));
    let workspace = workspace.restarted().await;
    let ada = workspace.holder_of(&token);
    assert_eq!(ada.get(&one).await.json(), paused);
    assert_eq!(ada.delete(&one).await.status, 204);
    ada.get(&one).await.refused(404, "no-such-hook");
}

#[rocket::async_test]
async fn an_address_that_is_not_public_is_refused() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for url in [
        "",
        "bot.example",
        "ftp://bot.example/",
        "http://ada:secret@bot.example/",
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "https://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        &format!("https://bot.example/{}", "x".repeat(2_000)),
    ] {
        let body = json!({ "name": "Bot", "url": url });
        let refused = ada.post("/api/channels/general/outgoing", body).await;
        assert_eq!(refused.refused(422, "invalid-text")["field"], "url", "{url}");
    }
    let (too_many, too_long) = (vec!["x".to_owned(); 21], vec!["x".repeat(65)]);
    for words in [too_many, too_long] {
        let body = json!({ "name": "Bot", "url": "https://bot.example/", "words": words });
        let refused = ada.post("/api/channels/general/outgoing", body).await;
        assert_eq!(refused.refused(422, "invalid-text")["field"], "words");
    }
}
