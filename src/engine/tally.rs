//! How much there is, for those who watch over the server: numbers, and nothing of whom or what.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::channel::Conversation;
use crate::engine::Engine;

/// How much there is now, and how much has happened since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
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
    /// The bytes of all files that are kept.
    pub file_bytes: u64,
    /// Entries of the log since it was created.
    pub entries: u64,
    /// Messages sent since the start.
    pub posted: u64,
    /// Files received since the start, those included whose message was refused.
    pub uploads: u64,
    /// Their bytes.
    pub upload_bytes: u64,
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    posted: AtomicU64,
    uploads: AtomicU64,
    upload_bytes: AtomicU64,
}

impl Counts {
    pub(super) fn count_message(&self) {
        self.posted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_upload(&self, bytes: u64) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        self.upload_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Engine {
    /// How much there is. O(channels + users + files).
    #[must_use]
    pub fn tally(&self) -> Tally {
        let (online, streams) = self.core.presence.tally();
        let live = self.core.live.read();
        let state = &live.state;
        let messages = state.channels().filter_map(|channel| state.conversation(&channel.id));
        Tally {
            streams,
            online,
            users: state.accounts().count(),
            channels: state.channels().count(),
            messages: messages.map(|it| Conversation::messages(it).count()).sum(),
            files: state.attachment_ids().count(),
            file_bytes: state.attachment_bytes(),
            entries: state.head().0,
            posted: self.counts.posted.load(Ordering::Relaxed),
            uploads: self.counts.uploads.load(Ordering::Relaxed),
            upload_bytes: self.counts.upload_bytes.load(Ordering::Relaxed),
        }
    }
}
