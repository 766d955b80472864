//! A journal of what was posted, acknowledged and heard while something fails.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use houston::domain::conversation::KEPT_MESSAGES;
use parking_lot::Mutex;
use rocket::tokio;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::{sleep, timeout};

use crate::client::{Client, Feed};
use crate::server::{DEADLINE, until};

/// Number of clients that post, each one message at a time.
const POSTERS: usize = 8;
/// Pause of a poster between two messages, when as much as possible is to be said.
pub(crate) const BUSY: Duration = Duration::from_millis(20);
/// Pause before what was not acknowledged is sent again, under the same id.
const PAUSE: Duration = Duration::from_millis(100);
/// Interval between two looks at whether there is nothing more to hear.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The channel that is posted to.
pub(crate) const CHANNEL: &str = "journal";

/// Clients of one user on every node, some that post and one for each node that listens.
pub(crate) struct Journal {
    clients: Vec<Client>,
    acknowledged: Arc<Mutex<BTreeMap<u64, String>>>,
    count: Arc<AtomicUsize>,
    refusals: Arc<AtomicUsize>,
    posting: Vec<JoinHandle<()>>,
    listening: Vec<JoinHandle<Heard>>,
    /// Set when nothing more is to be posted.
    over: Arc<AtomicBool>,
    /// The last sequence that was acknowledged, once nothing more is posted.
    last: Arc<AtomicUsize>,
}

impl Journal {
    /// Begins to post to all of these nodes, each poster with this pause, and to listen: one client on
    /// each node, and so many that go from node to node.
    pub(crate) async fn begin(clients: Vec<Client>, hoppers: usize, pause: Duration) -> Self {
        let mut journal = Self {
            clients,
            acknowledged: Arc::default(),
            count: Arc::default(),
            refusals: Arc::default(),
            posting: Vec::new(),
            listening: Vec::new(),
            over: Arc::default(),
            last: Arc::new(AtomicUsize::new(usize::MAX)),
        };
        journal.clients[0].creates(CHANNEL).await;
        for at in 0..journal.clients.len() + hoppers {
            let client = &journal.clients[at % journal.clients.len()];
            let feed = client.listens(CHANNEL, None).await;
            // Not all in step.
            let stays = Duration::from_millis(700 + 37 * (at as u64 % 16));
            let listener = Listener {
                clients: journal.clients.clone(),
                at,
                last: journal.last.clone(),
                stays: (at >= journal.clients.len()).then_some(stays),
                heard: Heard { runs: vec![Vec::new()] },
                cursor: None,
            };
            journal.listening.push(tokio::spawn(listener.listen(feed)));
        }
        for n in 0..POSTERS {
            let poster = Poster {
                clients: journal.clients.clone(),
                acknowledged: journal.acknowledged.clone(),
                count: journal.count.clone(),
                refusals: journal.refusals.clone(),
                over: journal.over.clone(),
                pause,
            };
            journal.posting.push(tokio::spawn(poster.post(n)));
        }
        journal
    }

    /// Waits until so many more messages were acknowledged.
    pub(crate) async fn goes_on_for(&self, posts: usize) {
        let goal = self.count.load(Ordering::Relaxed) + posts;
        until("posts are acknowledged", async || self.count.load(Ordering::Relaxed) >= goal).await;
    }

    /// Ends the posting, and checks that each listener heard each acknowledged message once, all of
    /// them in the same order, or since its last reset, and that all nodes keep the same.
    pub(crate) async fn ends_well(self) -> Counts {
        self.over.store(true, Ordering::Relaxed);
        for poster in self.posting {
            poster.await.expect("no panic");
        }
        let acknowledged = std::mem::take(&mut *self.acknowledged.lock());
        let last = *acknowledged.last_key_value().expect("messages").0;
        self.last.store(usize::try_from(last).expect("a number"), Ordering::Relaxed);
        let listening = timeout(DEADLINE, join_all(self.listening)).await;
        let listening = listening.expect("all hear the last message in time");
        let heard: Vec<_> = listening.into_iter().map(|heard| heard.expect("no panic")).collect();
        let runs = heard.iter().flat_map(|heard| &heard.runs);
        let all: BTreeMap<_, _> = runs.clone().flatten().cloned().collect();
        for run in runs {
            let (Some((first, _)), Some((end, _))) = (run.first(), run.last()) else { continue };
            let same: Vec<_> = all.range(first..=end).map(|(seq, id)| (*seq, id.clone())).collect();
            assert!(*run == same, "each message once, in the same order");
        }
        for Heard { runs } in &heard {
            let whole =
                runs.len() > 1 || runs[0].first().map(|it| it.0) == all.keys().next().copied();
            assert!(whole, "from the first one on");
        }
        let resets = heard.iter().map(|heard| heard.runs.len() - 1).sum();
        assert!(acknowledged.iter().all(|(seq, id)| all.get(seq) == Some(id)), "none is lost");
        let came_again = came_again(&all.into_values().collect::<Vec<_>>());
        let kept = join_all(self.clients.iter().map(|client| client.messages(CHANNEL))).await;
        assert!(kept.iter().all(|one| *one == kept[0]), "all nodes keep the same");
        let refusals = self.refusals.load(Ordering::Relaxed);
        Counts { posts: acknowledged.len(), resets, refusals, came_again }
    }
}

/// Counts the ids that were stored twice: at first without an acknowledgement, and then, as the message
/// was no longer kept, anew. Fails where it still was.
fn came_again(ids: &[String]) -> usize {
    let mut places = HashMap::new();
    let mut times = 0;
    for (place, id) in ids.iter().enumerate() {
        if let Some(before) = places.insert(id, place) {
            assert!(place - before > KEPT_MESSAGES, "{id} is there twice while it is kept");
            times += 1;
        }
    }
    times
}

/// Numbers of what a journal has seen.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) posts: usize,
    pub(crate) resets: usize,
    /// Number of posts that were refused, or not answered, and sent again.
    pub(crate) refusals: usize,
    /// Number of messages that were stored again when they were no longer kept.
    pub(crate) came_again: usize,
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { posts, resets, refusals, came_again } = self;
        write!(f, "{posts} posts, {resets} resets, {refusals} refusals, {came_again} came again")
    }
}

/// A client that posts until the journal is over, to another node whenever one does not answer.
struct Poster {
    clients: Vec<Client>,
    acknowledged: Arc<Mutex<BTreeMap<u64, String>>>,
    count: Arc<AtomicUsize>,
    refusals: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    /// The pause between two messages.
    pause: Duration,
}

impl Poster {
    async fn post(self, poster: usize) {
        let mut at = poster;
        for n in 0_usize.. {
            let id = format!("{poster}-{n}");
            loop {
                let client = &self.clients[at % self.clients.len()];
                match client.puts(CHANNEL, &id, &id).await {
                    Ok(answer) if answer.is_kept() => {
                        let seq = answer.json["seq"].as_u64().expect("a sequence");
                        let twice = self.acknowledged.lock().insert(seq, id);
                        assert_eq!(twice, None, "each sequence is one message's");
                        self.count.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    Ok(answer) => assert!(answer.status.is_server_error(), "{answer:?}"),
                    Err(_) => {}
                }
                self.refusals.fetch_add(1, Ordering::Relaxed);
                at += 1;
                sleep(PAUSE).await;
            }
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            sleep(self.pause).await;
        }
    }
}

/// What one client heard.
struct Heard {
    /// The sequences and ids of messages as they came, cut at each reset.
    runs: Vec<Vec<(u64, String)>>,
}

impl Heard {
    fn last_run(&mut self) -> &mut Vec<(u64, String)> {
        self.runs.last_mut().expect("there is always one")
    }
}

/// A client that hears messages until the last one came, on another node whenever a stream ends, or
/// after a while.
struct Listener {
    clients: Vec<Client>,
    at: usize,
    last: Arc<AtomicUsize>,
    /// The time for which it stays on a node, if it goes on by itself.
    stays: Option<Duration>,
    heard: Heard,
    cursor: Option<String>,
}

impl Listener {
    async fn listen(mut self, mut feed: Feed) -> Heard {
        loop {
            self.hear(&mut feed).await;
            if self.is_over() {
                return self.heard;
            }
            drop(feed);
            feed = self.open_elsewhere().await;
        }
    }

    fn is_over(&mut self) -> bool {
        let last = self.last.load(Ordering::Relaxed) as u64;
        self.heard.last_run().last().is_some_and(|(seq, _)| *seq >= last)
    }

    async fn hear(&mut self, feed: &mut Feed) {
        let begun = Instant::now();
        while !self.is_over() && self.stays.is_none_or(|stays| begun.elapsed() < stays) {
            let Ok(next) = timeout(LOOK_EVERY, feed.next()).await else { continue };
            let Some(event) = next else { return };
            self.cursor = Some(event.id);
            if event.name == "reset" {
                self.heard.runs.push(Vec::new());
            } else if event.name == "message" {
                let seq = event.data["seq"].as_u64().expect("a sequence");
                let id = event.data["id"].as_str().expect("an id").to_owned();
                self.heard.last_run().push((seq, id));
            }
        }
    }

    async fn open_elsewhere(&mut self) -> Feed {
        let path = format!("/api/channels/{CHANNEL}/events");
        loop {
            self.at += 1;
            let client = &self.clients[self.at % self.clients.len()];
            match client.tries_to_open(&path, self.cursor.as_deref()).await {
                Some(feed) => return feed,
                None => sleep(PAUSE).await,
            }
        }
    }
}
