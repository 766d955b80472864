//! The follower: feeds the log's entries to `apply`, and delivers the results.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::log::{Feed, Log};
use super::publish::Deliveries;
use super::{Core, Outcome};
use crate::domain::entry::{DecodedEntry, Entry, RecordError};
use crate::domain::event::Event;
use crate::domain::ids::{AttachmentId, OpId, Seq};

/// Largest number of entries that are applied under one lock and delivered in one wake-up.
const BATCH_ENTRIES: usize = 64;

/// Applies every entry of the log, for as long as the log lives.
pub(super) async fn follow(
    core: Arc<Core>,
    log: Weak<dyn Log>,
    feed: BoxStream<'static, Feed>,
    applied: watch::Sender<Seq>,
) {
    let follower = Follower { log, core, applied };
    let mut batches = feed.ready_chunks(BATCH_ENTRIES);
    while let Some(batch) = batches.next().await {
        follower.apply(batch);
    }
}

/// Reports an entry that cannot be read, in the log of the process.
pub(super) fn report(entry: &Entry, error: &RecordError) {
    log::error!("Entry {} of the log is set aside: {error}.", entry.seq);
}

/// The one who applies entries.
struct Follower {
    log: Weak<dyn Log>,
    core: Arc<Core>,
    /// The last entry that was applied.
    applied: watch::Sender<Seq>,
}

impl Drop for Follower {
    /// Ends the waiting requests and the streams: without a follower nothing can change any more,
    /// whatever the reason. Listeners may find a node that works.
    fn drop(&mut self) {
        self.core.waiting.lock().take();
        self.core.end.cancel();
    }
}

/// The results of a batch of entries, to be delivered once the lock is released.
#[derive(Default)]
struct BatchResults {
    deliveries: Deliveries,
    spent: Vec<Seq>,
    orphaned_files: Vec<AttachmentId>,
    outcomes: Vec<(OpId, Option<Vec<Event>>)>,
}

impl Follower {
    fn apply(&self, batch: Vec<Feed>) {
        let decoded: Vec<_> = batch.into_iter().filter_map(|fed| self.decode(fed)).collect();
        let mut results = BatchResults::default();
        let head = {
            let mut live = self.core.live.write();
            for entry in decoded {
                match entry {
                    Err((seq, key)) => live.state.set_aside(seq, &key),
                    Ok(entry) => {
                        let (seq, op) = (entry.seq, entry.op);
                        let applied = live.state.apply(entry);
                        for event in &applied.events {
                            self.core.publish(seq, event, &mut results.deliveries);
                        }
                        results.spent.extend(applied.spent);
                        results.orphaned_files.extend(applied.orphaned_files);
                        let outcome = if applied.refused { None } else { Some(applied.events) };
                        results.outcomes.push((op, outcome));
                    }
                }
            }
            live.state.head()
        };
        self.deliver(results, head);
    }

    /// Reads an entry's body, before any lock is taken.
    fn decode(&self, fed: Feed) -> Option<Result<DecodedEntry, (Seq, String)>> {
        let entry = match fed {
            Feed::Entry(entry) => entry,
            Feed::CaughtUp(_) => return None,
            Feed::Incomplete => {
                log::error!("This node was away for too long and has missed entries: it stops.");
                return None;
            }
        };
        Some(entry.decode().map_err(|error| {
            report(&entry, &error);
            self.core.unreadable.fetch_add(1, Ordering::Relaxed);
            (entry.seq, entry.key.clone())
        }))
    }

    fn deliver(&self, results: BatchResults, head: Seq) {
        if let Some(log) = self.log.upgrade()
            && !results.spent.is_empty()
        {
            log.erase(head, results.spent);
        }
        if !results.orphaned_files.is_empty() {
            self.core.blobs.remove(results.orphaned_files);
        }
        self.applied.send_replace(head);
        // The authors before the listeners, of whom there may be thousands.
        for (op, outcome) in results.outcomes {
            let mut waiting = self.core.waiting.lock();
            let waiters = waiting.as_mut().and_then(|waiting| waiting.remove(&op));
            drop(waiting);
            for waiter in waiters.into_iter().flatten() {
                // The request may have gone.
                let _ = waiter.send(match &outcome {
                    Some(events) => Outcome::Applied(events.clone()),
                    None => Outcome::Refused,
                });
            }
        }
        results.deliveries.deliver();
        self.core.introduce_strangers();
        for session in results.deliveries.ended_sessions {
            self.core.session_uses.forget(&session);
            // A statement of its own: cancelling under the lock would wake listeners that want it.
            let end = self.core.session_ends.lock().remove(&session);
            end.inspect(CancellationToken::cancel);
        }
    }
}
