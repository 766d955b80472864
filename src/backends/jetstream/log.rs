//! The log in a stream: see [`JetStreamLog`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::append::append;
use super::connection::Nats;
use super::erase::{self, Spent};
use super::follow::Follower;
use super::latest::Latest;
use super::nodes::Nodes;
use super::stream::{Entries, OpenError};
use crate::domain::ids::{Epoch, Seq, Start, StartId};
use crate::engine::log::{AppendError, Appended, Draft, Feed, Log, Vitals};

/// Largest number of appends of this node that are under way.
const APPENDS: usize = 512;
/// Time for which an append waits for its turn.
const PLACE_TIMEOUT: Duration = Duration::from_millis(250);
/// Interval between two looks at whether the log can be written.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Of so many looks one is made while the log can be written.
const LOOKS_WHILE_WELL: u64 = 5;
/// Number of looks in a row without an answer by which the log counts as one that cannot be written.
const MISSED_LOOKS: u32 = 2;

/// The times by which nodes know each other. All nodes of a chat have the same.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Interval between two beats of one node.
    pub beat: Duration,
    /// Time after which a node that is not heard counts as gone.
    pub silence: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { beat: Duration::from_secs(1), silence: Duration::from_secs(25) }
    }
}

/// The log in a replicated stream of NATS JetStream, which every node follows.
///
/// A key is a subject below the prefix, the body a message, its op the message's id, its time the
/// servers'. What an acknowledgement promises is kept by a majority of the replicas. Epoch and start
/// follow from the stream's creation: all nodes have the same, and one that was restored has others.
pub struct JetStreamLog {
    shared: Arc<Shared>,
    spent: Arc<Spent>,
    places: Arc<Semaphore>,
    latest: Latest,
    end: CancellationToken,
}

/// What appends and followers share.
pub(super) struct Shared {
    pub(super) entries: Entries,
    /// The stream's creation time, in nanoseconds since 1970.
    pub(super) created: i128,
    pub(super) nodes: Arc<Nodes>,
    /// The last entry that this node has appended.
    pub(super) stored: AtomicU64,
    /// The last entry that a follower of this node has given out.
    pub(super) given: AtomicU64,
    /// Cleared by an append that failed, until something can be written again.
    pub(super) writable: AtomicBool,
    /// The last entry that the leader had when it was looked at.
    last: AtomicU64,
    /// Number of seconds in which nothing could be written.
    stalled_seconds: AtomicU64,
}

impl JetStreamLog {
    /// Opens the log of the connection's prefix, creating it at need. Each opening is another node.
    ///
    /// # Errors
    ///
    /// When JetStream is off or does not answer, or the stream cannot be created or has settings that
    /// lose entries.
    pub async fn open(nats: &Nats, times: Times) -> Result<Self, OpenError> {
        let (entries, extent) = Entries::open(nats).await?;
        let (nodes, spent) = (Arc::new(Nodes::new(times)), Arc::<Spent>::default());
        let shared = Arc::new(Shared {
            entries: entries.clone(),
            created: extent.created,
            nodes: nodes.clone(),
            stored: AtomicU64::new(0),
            given: AtomicU64::new(0),
            writable: AtomicBool::new(true),
            last: AtomicU64::new(extent.last.0),
            stalled_seconds: AtomicU64::new(0),
        });
        let end = CancellationToken::new();
        tokio::spawn(nodes.clone().run(nats.clone(), spent.clone(), end.clone()));
        let latest = Latest::of(entries.clone());
        tokio::spawn(erase::run(entries, nodes, spent.clone(), end.clone()));
        tokio::spawn(look_after(shared.clone(), end.clone()));
        Ok(Self { shared, spent, places: Arc::new(Semaphore::new(APPENDS)), latest, end })
    }

    /// Eight bytes that follow from the stream's creation and differ for each use.
    fn fingerprint(&self, of: &str) -> [u8; 8] {
        let created = self.shared.created.to_be_bytes();
        let digest = Sha256::new().chain_update(of).chain_update(created).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        first
    }
}

impl Log for JetStreamLog {
    fn epoch(&self) -> Epoch {
        Epoch(u64::from_be_bytes(self.fingerprint("epoch")))
    }

    fn starts(&self) -> Vec<Start> {
        let [a, b, c, d, ..] = self.fingerprint("start");
        vec![Start { id: StartId(u32::from_be_bytes([a, b, c, d])), after: Seq(0) }]
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        if draft.body.len() > Draft::MAX_BODY_BYTES {
            return Box::pin(async { Err(AppendError::TooLarge) });
        }
        let (shared, places, call) = (self.shared.clone(), self.places.clone(), self.spent.call());
        Box::pin(async move {
            let place = timeout(PLACE_TIMEOUT, places.acquire()).await;
            let Ok(Ok(_place)) = place else { return Err(AppendError::Unavailable) };
            let outcome = append(&shared, draft, &call).await;
            drop(call);
            // An erasure may have waited for it.
            shared.nodes.progress.notify_one();
            outcome
        })
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        let erased = self.spent.wait();
        let follower = Follower::new(self.shared.clone(), after);
        let feed = stream::once(async move {
            erased.await;
            stream::unfold(follower, |mut follower| async {
                follower.next().await.map(|feed| (feed, follower))
            })
        });
        feed.flatten().take_until(self.end.clone().cancelled_owned()).boxed()
    }

    fn latest(&self) -> Option<BoxFuture<'static, Option<Seq>>> {
        Some(self.latest.look())
    }

    fn vitals(&self) -> Option<Vitals> {
        let Shared { entries, nodes, stored, last, stalled_seconds, .. } = &*self.shared;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let given = nodes.given().unwrap_or_default();
        Some(Vitals {
            other_nodes: nodes.other_nodes(),
            lag: read(stored).max(read(last)).saturating_sub(given.0),
            reconnections: entries.nats().reconnections(),
            stalled_seconds: read(stalled_seconds),
            pending_erasures: self.spent.len(),
        })
    }

    fn erase(&self, cause: Seq, spent: Vec<Seq>) {
        self.spent.add(cause, spent);
        self.shared.nodes.progress.notify_one();
    }

    fn is_writable(&self) -> bool {
        self.shared.entries.nats().is_connected() && self.shared.writable.load(Ordering::Relaxed)
    }
}

impl Drop for JetStreamLog {
    /// Ends the streams and tasks. What is spent and not erased is found again at the next start.
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// Looks whether the log can be written, for as long as it is open: nobody may append anything to one
/// that is not ready, and on a quiet one nobody does for long. One that could not be written is looked at
/// each second.
async fn look_after(shared: Arc<Shared>, end: CancellationToken) {
    end.run_until_cancelled(async {
        let mut missed = 0;
        for look in 0_u64.. {
            sleep(LOOK_INTERVAL).await;
            if shared.writable.load(Ordering::Relaxed) {
                if look % LOOKS_WHILE_WELL != 0 {
                    continue;
                }
                let is_well = shared.entries.extent().await.is_ok_and(|extent| {
                    shared.last.fetch_max(extent.last.0, Ordering::Relaxed);
                    extent.has_majority
                });
                missed = if is_well { 0 } else { missed + 1 };
                if missed >= MISSED_LOOKS {
                    log::warn!("The log has no leader that a majority follows.");
                    shared.writable.store(false, Ordering::Relaxed);
                }
                continue;
            }
            let begun = Instant::now();
            let can_be_written = erase::erase_nothing(&shared.entries).await.is_ok();
            let lasted = (LOOK_INTERVAL + begun.elapsed()).as_secs();
            shared.stalled_seconds.fetch_add(lasted, Ordering::Relaxed);
            if can_be_written {
                log::info!("The log can be written again.");
                missed = 0;
                shared.writable.store(true, Ordering::Relaxed);
            }
        }
    })
    .await;
}
