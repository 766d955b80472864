//! Files: receiving them before their message, and giving them to whoever can read it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use serde::Serialize;
use uuid::Uuid;

use super::blobs::{Blob, Blobs};
use super::{Attempt, Engine, EngineError};
use crate::domain::attachment::{Attachment, FileName};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{AttachmentId, UserId};
use crate::domain::media_type::Sniffer;
use crate::domain::message::Content;
use crate::domain::user::Session;

/// How many messages with files a user may be sending at a time.
const MAX_UPLOADS: usize = 4;

/// How much may be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileLimits {
    /// The largest file, in bytes.
    pub max_file_bytes: u64,
    /// How many files a message has at most.
    pub max_message_files: usize,
    /// How many bytes the files of all kept messages have together at most, with those that are
    /// being uploaded.
    pub max_total_bytes: u64,
}

impl FileLimits {
    /// The most that the files of one message can have together, in bytes.
    #[must_use]
    pub fn max_message_bytes(&self) -> u64 {
        self.max_file_bytes.saturating_mul(self.max_message_files as u64)
    }
}

/// How many messages with files each user is sending now.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<UserId, usize>>);

/// The right to send one message with files, and the only way to have them received. A user has
/// few of these at a time; dropped, it is free again.
pub struct Admission<'e> {
    engine: &'e Engine,
    user: UserId,
}

impl Admission<'_> {
    /// Stores a file as its bytes come. It is durable when this returns, and has yet to be sent.
    ///
    /// # Errors
    ///
    /// When the file, or all files together, would be too large, its bytes end early, or
    /// nothing can be stored. Then nothing of it stays.
    pub async fn receive(
        &self,
        name: FileName,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<Received, EngineError> {
        let engine = self.engine;
        let id = AttachmentId::from(Uuid::now_v7());
        let mut space = Space { used: engine.uploading.clone(), bytes: 0 };
        let mut sniffer = Sniffer::new();
        let refused = Mutex::new(None);
        let refuse = |error: EngineError| {
            *refused.lock() = Some(error);
            io::Error::other("refused")
        };
        let checked = bytes.map(|chunk| {
            let chunk = chunk.map_err(|_| refuse(EngineError::CutOff))?;
            let uploading = space.grow(chunk.len() as u64);
            let all = engine.core.live.read().state.attachment_bytes() + uploading;
            if space.bytes > engine.file_limits.max_file_bytes {
                return Err(refuse(EngineError::TooLarge("the file is too large")));
            }
            if all > engine.file_limits.max_total_bytes {
                return Err(refuse(EngineError::TooLarge("there is no room for more files")));
            }
            sniffer.look(&chunk);
            Ok(chunk)
        });
        let stored = engine.core.blobs.put(&id, checked.boxed()).await;
        if let Err(error) = stored {
            return Err(refused.into_inner().unwrap_or_else(|| {
                log::error!("A file cannot be stored: {error}.");
                EngineError::StorageUnavailable
            }));
        }
        let told = sniffer.finish();
        engine.counts.count_upload(told.size);
        let attachment = Attachment {
            id,
            name,
            media_type: told.media_type,
            size: told.size,
            sha256: told.sha256,
            dimensions: told.dimensions,
        };
        let blobs = engine.core.blobs.clone();
        Ok(Received { attachment, blobs, unowned: true, space })
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut under_way = self.engine.uploads.0.lock();
        if let Some(theirs) = under_way.get_mut(&self.user) {
            *theirs -= 1;
            if *theirs == 0 {
                under_way.remove(&self.user);
            }
        }
    }
}

/// A file that is stored and belongs to no message yet. Dropped as such, it is removed again.
pub struct Received {
    attachment: Attachment,
    blobs: Arc<dyn Blobs>,
    unowned: bool,
    space: Space,
}

impl Received {
    /// The file as a message would have it.
    #[must_use]
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// From now on a message may have it, or not, if it is not among `taken` after all.
    pub(super) fn settle(&mut self, taken: &[Attachment]) {
        self.unowned = !taken.iter().any(|it| it.id == self.attachment.id);
    }

    /// A message has it, and its bytes count as that message's.
    pub(super) fn count_no_more(&mut self) {
        self.space.clear();
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if self.unowned {
            self.blobs.remove(vec![self.attachment.id.clone()]);
        }
    }
}

/// Bytes that are on their way into the store and count as used.
struct Space {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Space {
    fn grow(&mut self, bytes: u64) -> u64 {
        self.bytes += bytes;
        self.used.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    fn clear(&mut self) {
        self.used.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Engine {
    /// How much may be uploaded.
    #[must_use]
    pub fn file_limits(&self) -> FileLimits {
        self.file_limits
    }

    /// Lets this user begin to send a message with files there, and counts the message: asked before
    /// the first byte is received.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, they send too fast, or too many such messages
    /// at once.
    pub fn admit_upload(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<Admission<'_>, EngineError> {
        self.core.live.read().find(named, session)?;
        let mut under_way = self.uploads.0.lock();
        let theirs = under_way.get(&session.user.id).copied().unwrap_or(0);
        if theirs >= MAX_UPLOADS {
            return Err(EngineError::SlowDown { retry_after: Duration::from_secs(1) });
        }
        self.count_post(session)?;
        under_way.insert(session.user.id.clone(), theirs + 1);
        Ok(Admission { engine: self, user: session.user.id.clone() })
    }

    /// A file and its bytes.
    ///
    /// # Errors
    ///
    /// When no message that this user can read has such a file, or it cannot be read.
    pub async fn attachment(
        &self,
        session: &Session,
        id: &AttachmentId,
    ) -> Result<(Attachment, Box<dyn Blob>), EngineError> {
        let attachment = {
            let live = self.core.live.read();
            let found = live.state.attachment(id);
            let readable = found.filter(|(channel, ..)| channel.is_visible_to(&session.user.id));
            readable.ok_or(EngineError::NoSuchAttachment)?.2.clone()
        };
        match self.core.blobs.open(id).await {
            Ok(blob) => Ok((attachment, blob)),
            // Its message has just gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(EngineError::NoSuchAttachment)
            }
            Err(error) => {
                log::error!("A file cannot be read: {error}.");
                Err(EngineError::StorageUnavailable)
            }
        }
    }
}

/// The files that a message is to have: those received, where they are not the same as one that
/// it has already.
pub(super) fn attachments(files: &[Received], present: &[Attachment]) -> Vec<Attachment> {
    let mut present: Vec<_> = present.iter().collect();
    let mut chosen = Vec::with_capacity(files.len());
    for Received { attachment, .. } in files {
        let same = present.iter().position(|it| it.same_as(attachment));
        chosen.push(same.map_or(attachment, |at| present.remove(at)).clone());
    }
    chosen
}

/// Stores a message with its files. From before the attempt until it is known to have failed, the
/// files are not removed, even if nobody waits for that: a message may have them.
pub(super) async fn with_files(
    files: &mut [Received],
    content: &Content,
    attempt: impl Future<Output = Result<Attempt, EngineError>>,
) -> Result<Attempt, EngineError> {
    for file in &mut *files {
        file.settle(&content.attachments);
    }
    let attempt = attempt.await;
    for file in files {
        match attempt {
            Ok(Attempt::Done(_)) => file.count_no_more(),
            Err(EngineError::Unfollowed) => {}
            _ => file.settle(&[]),
        }
    }
    attempt
}
