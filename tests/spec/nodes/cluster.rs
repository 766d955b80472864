//! Several engines over one log and one hub, and the people who use them.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use houston::domain::channel::ChannelRef;
use houston::domain::ids::{ChannelId, Epoch, Seq, Start};
use houston::domain::user::Session;
use houston::engine::bounds::Bounds;
use houston::engine::files::FileLimits;
use houston::engine::log::{self, AppendError, Appended, Draft, Log};
use houston::engine::{Device, Engine, Listener, Resume, SignedIn, SignedInAs};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::hub::Hub;
use crate::blobs::memory::Memory as Blobs;
use crate::log::memory::Memory;

/// The deadline of every wait, in time that passes when nothing else happens.
const DEADLINE: Duration = Duration::from_secs(30);

/// Nodes that share a log.
pub(super) struct Cluster {
    pub(super) hub: Arc<Hub>,
    pub(super) log: Arc<Memory>,
    nodes: Vec<Node>,
}

/// A node, at some distance from the log.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) engine: Engine,
    /// Whether entries reach it at present.
    is_near: Arc<watch::Sender<bool>>,
}

impl Deref for Node {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Cluster {
    pub(super) async fn of(count: usize) -> Self {
        let mut cluster = Self { hub: Arc::default(), log: Arc::default(), nodes: Vec::new() };
        let blobs = Arc::<Blobs>::default();
        for number in 0..count {
            let node = Node::start(&cluster.log, &blobs).await;
            node.engine.join(cluster.hub.port(number));
            cluster.nodes.push(node);
        }
        // They have heard of each other.
        sleep(Duration::from_secs(1)).await;
        cluster
    }

    pub(super) fn nodes<const COUNT: usize>(&self) -> [Node; COUNT] {
        let nodes: Result<[Node; COUNT], _> = self.nodes.clone().try_into();
        nodes.unwrap_or_else(|_| panic!("there are {} nodes", self.nodes.len()))
    }
}

impl Node {
    async fn start(log: &Arc<Memory>, blobs: &Arc<Blobs>) -> Self {
        let (is_near, near) = watch::channel(true);
        let files =
            FileLimits { max_file_bytes: 1_000, max_message_files: 2, max_total_bytes: 3_000 };
        let log = Arc::new(Distant { log: log.clone(), near });
        let engine = Engine::start(log, blobs.clone(), None, files, Bounds::default()).await;
        Self { engine: engine.expect("an engine"), is_near: Arc::new(is_near) }
    }

    /// Lets entries reach this node, or holds them up.
    pub(super) fn is_near(&self, near: bool) {
        self.is_near.send_replace(near);
    }

    /// Signs a new user in.
    pub(super) async fn signs_in(&self, name: &str) -> SignedIn {
        let name = name.parse().expect("a name");
        match self.sign_in(name, None, Device::default()).await.expect("they are in") {
            SignedInAs::New(signed_in) => signed_in,
            SignedInAs::Same(_) => panic!("nobody is signed in"),
        }
    }

    /// The session of a token, once this node knows it.
    pub(super) async fn session_of(&self, token: &str) -> Session {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(session) = self.session(token) {
                return session;
            }
            assert!(Instant::now() < deadline, "the session is unknown");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Opens the stream of `general`.
    pub(super) fn opens(&self, session: &Session) -> Feed {
        Feed::of(self.listen(session, &general(), Resume::Now).expect("a listener"))
    }

    /// Opens the stream of everything.
    pub(super) fn opens_everything(&self, session: &Session) -> Feed {
        Feed::of(self.listen_everywhere(session, Resume::Now).expect("a listener"))
    }

    /// The names of the users in `general`.
    pub(super) async fn shows(&self, session: &Session) -> Vec<String> {
        let (_, online) = self.channel(session, &general()).await.expect("a channel");
        online.into_iter().map(|user| user.display_name.to_string()).collect()
    }

    /// The names of the users who are online.
    pub(super) fn shows_online(&self, session: &Session) -> Vec<String> {
        let users = self.users(session).expect("users").into_iter();
        let online = users.filter(|(_, is_online)| *is_online);
        online.map(|(user, _)| user.display_name.to_string()).collect()
    }

    pub(super) fn general_id(&self, session: &Session) -> ChannelId {
        self.view(session, &general()).expect("a channel").id
    }
}

pub(super) fn general() -> ChannelRef {
    ChannelRef::from("general")
}

/// An open stream, as what is told of people on it: `joined Ada`, `presence 3`.
pub(super) struct Feed {
    listener: Listener,
    heard: Vec<String>,
}

impl Feed {
    fn of(listener: Listener) -> Self {
        Self { listener, heard: Vec::new() }
    }

    /// Reads until it is told this.
    #[track_caller]
    pub(super) fn hears<'f>(&'f mut self, what: &'f str) -> impl Future<Output = ()> + 'f {
        let deadline = Instant::now() + DEADLINE;
        let caller = std::panic::Location::caller();
        async move {
            let mut before = Vec::new();
            loop {
                while !self.heard.is_empty() {
                    let told = self.heard.remove(0);
                    if told == what {
                        return;
                    }
                    before.push(told);
                }
                assert!(self.read(deadline).await, "{caller}: no {what:?}, but {before:?}");
            }
        }
    }

    /// Reads for some time. Returns what was told by then, but for what was read before.
    pub(super) async fn hears_within(&mut self, seconds: u64) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(seconds);
        while self.read(until).await {}
        std::mem::take(&mut self.heard)
    }

    /// Reads the next chunk; false at this time.
    async fn read(&mut self, until: Instant) -> bool {
        let Ok(chunk) = timeout_at(until, self.listener.next()).await else { return false };
        let chunk = chunk.expect("the stream goes on");
        let blocks = std::str::from_utf8(&chunk).expect("a text").split("\n\n");
        self.heard.extend(blocks.filter_map(told));
        true
    }
}

/// What an event tells of people; `None` for a ping and what is no event.
fn told(block: &str) -> Option<String> {
    let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
    let name = field("event: ").filter(|name| *name != "ping")?;
    let data: Value = serde_json::from_str(field("data: ")?).expect("JSON");
    let of = data["user"]["display_name"].as_str().map(ToOwned::to_owned);
    let of = of.unwrap_or_else(|| data["online"].to_string());
    Some(format!("{name} {of}"))
}

/// The log, of which entries arrive late at times.
struct Distant {
    log: Arc<Memory>,
    near: watch::Receiver<bool>,
}

impl Log for Distant {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn starts(&self) -> Vec<Start> {
        self.log.starts()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.log.append(draft)
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, log::Feed> {
        let near = self.near.clone();
        let arriving = self.log.follow(after).then(move |fed| {
            let mut near = near.clone();
            async move {
                // Nobody holds it up any more once the node is gone.
                let _ = near.wait_for(|near| *near).await;
                fed
            }
        });
        arriving.boxed()
    }

    fn latest(&self) -> Option<BoxFuture<'static, Option<Seq>>> {
        let mut feed = self.log.follow(Seq(0));
        Some(Box::pin(async move {
            loop {
                if let log::Feed::CaughtUp(last) = feed.next().await? {
                    return Some(last);
                }
            }
        }))
    }

    fn erase(&self, cause: Seq, spent: Vec<Seq>) {
        self.log.erase(cause, spent);
    }

    fn is_writable(&self) -> bool {
        self.log.is_writable()
    }
}
