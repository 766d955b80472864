//! Statistics for monitors: numbers, and nothing of whom or what.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Engine;

/// Numbers of what there is now, and of what has happened since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Open streams.
    pub streams: usize,
    /// Users with an open stream, or with one that ended just now.
    pub online: usize,
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
    pub deliveries: u64,
    /// Those of them that were refused.
    pub failed_deliveries: u64,
    /// Attempts to post to an outgoing hook's program since the start.
    pub attempts: u64,
    /// Those of them that failed.
    pub failed_attempts: u64,
    /// Files received since the start, those included whose message was refused.
    pub uploads: u64,
    /// Bytes of the files received since the start.
    pub upload_bytes: u64,
}

/// Counters of what has happened since the process started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    posted: AtomicU64,
    deliveries: [AtomicU64; 2],
    attempts: [AtomicU64; 2],
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

    pub(super) fn count_upload(&self, bytes: u64) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        self.upload_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Engine {
    /// The present statistics. O(channels + files).
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (online, streams) = self.core.presence.counts();
        let live = self.core.live.read();
        let state = &live.state;
        Statistics {
            streams,
            online,
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
            deliveries: self.counters.deliveries[0].load(Ordering::Relaxed),
            failed_deliveries: self.counters.deliveries[1].load(Ordering::Relaxed),
            attempts: self.counters.attempts[0].load(Ordering::Relaxed),
            failed_attempts: self.counters.attempts[1].load(Ordering::Relaxed),
            uploads: self.counters.uploads.load(Ordering::Relaxed),
            upload_bytes: self.counters.upload_bytes.load(Ordering::Relaxed),
        }
    }
}
