//! Statistics for monitors: numbers, and nothing of whom or what.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use prometheus::{Histogram, HistogramOpts};

use crate::engine::Engine;
use crate::engine::log::Vitals;

/// Numbers of what there is now, and of what has happened since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Open streams of this node.
    pub streams: usize,
    /// Users with an open stream, of whichever node, or with one that ended just now.
    pub online: usize,
    /// The condition of the log, where several nodes share it.
    pub shared_log: Option<Vitals>,
    /// Users who hold a name.
    pub users: usize,
    /// Channels, direct conversations too.
    pub channels: usize,
    /// Messages that are kept.
    pub messages: usize,
    /// Files that are kept.
    pub files: usize,
    /// Bytes of all files that are kept.
    pub file_bytes: u64,
    /// Entries of the log since it was created.
    pub entries: u64,
    /// Entries of the log that could not be read and were set aside, since the start.
    pub unreadable: u64,
    /// Bytes of the texts that are kept, with their renderings.
    pub text_bytes: u64,
    /// Messages sent since the start.
    pub posted: u64,
    /// Hooks.
    pub hooks: usize,
    /// Deliveries to incoming hooks since the start.
    pub hook_deliveries: u64,
    /// Those of them that were refused.
    pub failed_hook_deliveries: u64,
    /// Attempts to post to an outgoing hook's program since the start.
    pub attempts: u64,
    /// Those of them that failed.
    pub failed_attempts: u64,
    /// Messages that were not posted to an outgoing hook's program because too much waited, since the
    /// start.
    pub dropped_posts: u64,
    /// Files received since the start, those included whose message was refused.
    pub uploads: u64,
    /// Bytes of the files received since the start.
    pub upload_bytes: u64,
    /// Messages with files that are being received.
    pub uploads_under_way: usize,
    /// Bytes of the frames that rooms hold for their listeners.
    pub ring_bytes: usize,
    /// Events that were handed to streams as they happened, since the start.
    pub deliveries: u64,
    /// Streams that read too slowly and had to start again, since the start.
    pub resets: u64,
    /// Entries that wait to be durable.
    pub waiting_commits: usize,
    /// Users whose read markers wait to be stored.
    pub waiting_markers: usize,
    /// Messages of other nodes that were ignored since the start: they could not be read, or told more
    /// than there is room for.
    pub ignored_whispers: u64,
}

/// What happens on the way to and from the log, since the process started.
#[derive(Debug)]
pub(super) struct Flow {
    deliveries: AtomicU64,
    resets: AtomicU64,
    waiting_commits: AtomicUsize,
    ignored_whispers: AtomicU64,
    commit_seconds: Histogram,
}

/// The upper bounds of the buckets of commits, in seconds: from a fast disk to a stuck one.
const COMMIT_BUCKETS: [f64; 13] =
    [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

impl Default for Flow {
    fn default() -> Self {
        let help = "Seconds from an entry to its being durable in the log.";
        let options = HistogramOpts::new("houston_commit_seconds", help);
        let seconds = Histogram::with_opts(options.buckets(COMMIT_BUCKETS.to_vec()));
        Self {
            deliveries: AtomicU64::default(),
            resets: AtomicU64::default(),
            waiting_commits: AtomicUsize::default(),
            ignored_whispers: AtomicU64::default(),
            commit_seconds: seconds.expect("its name is valid and its buckets ascend"),
        }
    }
}

impl Flow {
    /// Counts events that a stream takes.
    pub(super) fn count_deliveries(&self, events: u64) {
        self.deliveries.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts a stream that has to start again.
    pub(super) fn count_reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a message of another node that is ignored.
    pub(super) fn count_ignored_whisper(&self) {
        self.ignored_whispers.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a commit that begins now, until the returned guard is dropped.
    pub(super) fn commit(&self) -> PendingCommit<'_> {
        self.waiting_commits.fetch_add(1, Ordering::Relaxed);
        PendingCommit { flow: self, begun: Instant::now() }
    }
}

/// A guard that counts a commit as waiting until it is dropped.
pub(super) struct PendingCommit<'f> {
    flow: &'f Flow,
    begun: Instant,
}

impl PendingCommit<'_> {
    /// Ends the commit as one that is durable.
    pub(super) fn succeed(self) {
        self.flow.commit_seconds.observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for PendingCommit<'_> {
    fn drop(&mut self) {
        self.flow.waiting_commits.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counters of what has happened since the process started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    posted: AtomicU64,
    deliveries: [AtomicU64; 2],
    attempts: [AtomicU64; 2],
    dropped_posts: AtomicU64,
    uploads: AtomicU64,
    upload_bytes: AtomicU64,
}

impl Counters {
    pub(super) fn count_message(&self) {
        self.posted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_delivery(&self, failed: bool) {
        self.deliveries[0].fetch_add(1, Ordering::Relaxed);
        self.deliveries[1].fetch_add(failed.into(), Ordering::Relaxed);
    }

    pub(super) fn count_attempt(&self, failed: bool) {
        self.attempts[0].fetch_add(1, Ordering::Relaxed);
        self.attempts[1].fetch_add(failed.into(), Ordering::Relaxed);
    }

    pub(super) fn count_dropped_post(&self) {
        self.dropped_posts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_upload(&self, bytes: u64) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        self.upload_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Engine {
    /// The times that commits took, for a registry of metrics.
    #[must_use]
    pub fn commit_seconds(&self) -> Histogram {
        self.core.flow.commit_seconds.clone()
    }

    /// The present statistics. O(channels + files).
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (online, streams) = self.core.presence.counts();
        let flow = &self.core.flow;
        let ring_bytes = {
            let rooms = self.core.rooms.values().into_iter().chain(self.core.user_rooms.values());
            rooms.map(|room| room.ring_bytes()).sum::<usize>() + self.core.lobby.ring_bytes()
        };
        let live = self.core.live.read();
        let state = &live.state;
        Statistics {
            streams,
            online,
            shared_log: self.log.vitals(),
            users: state.account_count(),
            channels: state.channels().count(),
            messages: state.message_count(),
            files: state.attachment_ids().count(),
            file_bytes: state.attachment_bytes(),
            entries: state.head().0,
            unreadable: self.core.unreadable.load(Ordering::Relaxed),
            text_bytes: state.text_bytes(),
            posted: self.counters.posted.load(Ordering::Relaxed),
            hooks: state.hook_count(),
            hook_deliveries: self.counters.deliveries[0].load(Ordering::Relaxed),
            failed_hook_deliveries: self.counters.deliveries[1].load(Ordering::Relaxed),
            attempts: self.counters.attempts[0].load(Ordering::Relaxed),
            failed_attempts: self.counters.attempts[1].load(Ordering::Relaxed),
            dropped_posts: self.counters.dropped_posts.load(Ordering::Relaxed),
            uploads: self.counters.uploads.load(Ordering::Relaxed),
            upload_bytes: self.counters.upload_bytes.load(Ordering::Relaxed),
            uploads_under_way: self.uploads.count(),
            ring_bytes,
            deliveries: flow.deliveries.load(Ordering::Relaxed),
            resets: flow.resets.load(Ordering::Relaxed),
            waiting_commits: flow.waiting_commits.load(Ordering::Relaxed),
            waiting_markers: self.core.pending_markers.users(),
            ignored_whispers: flow.ignored_whispers.load(Ordering::Relaxed),
        }
    }
}
