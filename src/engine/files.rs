//! Files: received before their message, and readable by those who can read the message.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use serde::Serialize;
use uuid::Uuid;

use super::blobs::{Blob, Blobs};
use super::commit::Committed;
use super::{Engine, EngineError};
use crate::domain::attachment::{Attachment, FileName};
use crate::domain::channel::ChannelRef;
use crate::domain::hook::Hook;
use crate::domain::ids::{AttachmentId, UserId};
use crate::domain::media_type::Sniffer;
use crate::domain::message::Content;
use crate::domain::preview::Picture;
use crate::domain::user::Session;

/// The name of the file that a preview's picture is, which nobody sees.
const PICTURE: &str = "picture";
/// Largest number of messages with files that a user may be sending at a time.
const MAX_UPLOADS: usize = 4;

/// The limits of uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileLimits {
    /// The largest file, in bytes.
    pub max_file_bytes: u64,
    /// The largest number of files of one message.
    pub max_message_files: usize,
    /// The largest size of the files of all messages together that are kept or can be restored, with
    /// those that are being uploaded, in bytes.
    pub max_total_bytes: u64,
}

impl FileLimits {
    /// The largest size of the files of one message together, in bytes.
    #[must_use]
    pub fn max_message_bytes(&self) -> u64 {
        self.max_file_bytes.saturating_mul(self.max_message_files as u64)
    }
}

/// The uploads that are under way, by user.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<UserId, UserUploads>>);

/// The uploads of one user that are under way.
#[derive(Default)]
struct UserUploads {
    /// Number of messages with files that are being sent.
    messages: usize,
    /// Number of bytes of files that are in no message yet.
    bytes: Arc<AtomicU64>,
}

/// A permit to send one message with files, and the only way to have them received. A user has few
/// of them at a time; dropping one gives it back.
pub struct Admission<'e> {
    engine: &'e Engine,
    user: UserId,
    /// Number of bytes of the user's files that are in no message yet.
    bytes: Arc<AtomicU64>,
}

impl Admission<'_> {
    /// Stores a file as its bytes come. It is durable when this returns, but belongs to no message
    /// yet.
    ///
    /// # Errors
    ///
    /// When the file, or all files together, would be too large, its bytes end early, or
    /// nothing can be stored. Then nothing of it stays.
    pub async fn receive(
        &self,
        name: FileName,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<ReceivedFile, EngineError> {
        let received = self.engine.receive(&self.user, self.bytes.clone(), name, bytes).await?;
        self.engine.counters.count_upload(received.attachment.size);
        Ok(received)
    }
}

impl Engine {
    /// Stores a picture of a preview for a message of this user, on the same terms as their files.
    pub(super) async fn receive_picture(
        &self,
        user: &UserId,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<ReceivedFile, EngineError> {
        let theirs = self.uploads.0.lock().get(user).map(|theirs| theirs.bytes.clone());
        let name = FileName::from(PICTURE);
        self.receive(user, theirs.unwrap_or_default(), name, bytes).await
    }

    async fn receive(
        &self,
        user: &UserId,
        uploading: Arc<AtomicU64>,
        name: FileName,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<ReceivedFile, EngineError> {
        let engine = self;
        let id = AttachmentId::from(Uuid::now_v7());
        let counters = [engine.uploading.clone(), uploading];
        let mut space = ReservedSpace { used: counters, bytes: 0 };
        let mut sniffer = Sniffer::new();
        let refused = Mutex::new(None);
        let refuse = |error: EngineError| {
            *refused.lock() = Some(error);
            io::Error::other("refused")
        };
        let checked = bytes.map(|chunk| {
            let chunk = chunk.map_err(|_| refuse(EngineError::CutOff))?;
            let [all, theirs] = space.grow(chunk.len() as u64);
            if space.bytes > engine.file_limits.max_file_bytes {
                return Err(refuse(EngineError::TooLarge("the file is too large")));
            }
            if !engine.has_room(user, all, theirs) {
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
        let facts = sniffer.finish();
        let attachment = Attachment {
            id,
            name,
            media_type: facts.media_type,
            size: facts.size,
            sha256: facts.sha256,
            dimensions: facts.dimensions,
        };
        let blobs = engine.core.blobs.clone();
        Ok(ReceivedFile { attachment, blobs, unclaimed: AtomicBool::new(true), space })
    }
}

impl Uploads {
    /// The number of messages with files that are being sent.
    pub(super) fn count(&self) -> usize {
        self.0.lock().values().map(|theirs| theirs.messages).sum()
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut under_way = self.engine.uploads.0.lock();
        if let Some(theirs) = under_way.get_mut(&self.user) {
            theirs.messages -= 1;
            if theirs.messages == 0 {
                under_way.remove(&self.user);
            }
        }
    }
}

/// A file that is stored and belongs to no message yet. It is removed again when it is dropped
/// unclaimed.
pub struct ReceivedFile {
    attachment: Attachment,
    blobs: Arc<dyn Blobs>,
    unclaimed: AtomicBool,
    space: ReservedSpace,
}

impl ReceivedFile {
    /// The file as a message would have it.
    #[must_use]
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Gives the file another name.
    pub fn rename(&mut self, name: FileName) {
        self.attachment.name = name;
    }

    /// Claims the file for a message, if that is to have it, or gives it up: an unclaimed file is removed
    /// when it is dropped.
    pub(super) fn claim(&self, is_wanted: bool) {
        self.unclaimed.store(!is_wanted, Ordering::Relaxed);
    }

    /// Frees the reserved space: the file is a message's now, and its bytes count as such.
    pub(super) fn free_space(&mut self) {
        self.space.clear();
    }
}

impl Drop for ReceivedFile {
    fn drop(&mut self) {
        if *self.unclaimed.get_mut() {
            self.blobs.remove(vec![self.attachment.id.clone()]);
        }
    }
}

/// A reservation of space for bytes on their way into the store, until it is dropped.
struct ReservedSpace {
    /// Number of bytes in use by everybody, and by the user.
    used: [Arc<AtomicU64>; 2],
    bytes: u64,
}

impl ReservedSpace {
    /// Reserves more bytes. Returns the number in use now, by everybody and by the user.
    fn grow(&mut self, bytes: u64) -> [u64; 2] {
        self.bytes += bytes;
        self.used.each_ref().map(|used| used.fetch_add(bytes, Ordering::Relaxed) + bytes)
    }

    fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        for used in &self.used {
            used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for ReservedSpace {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Engine {
    /// The limits of uploads.
    #[must_use]
    pub fn file_limits(&self) -> FileLimits {
        self.file_limits
    }

    /// Admits a message with files of this user to a channel, and counts it against their rate
    /// limit. Called before the first byte is received.
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
        self.admit(session.user.id.clone(), || self.count_post(session))
    }

    /// Admits a message with files of a hook.
    ///
    /// # Errors
    ///
    /// When it sends too many such messages at once.
    pub(super) fn admit_hook(&self, hook: &Hook) -> Result<Admission<'_>, EngineError> {
        self.admit(hook.id.as_author(), || Ok(()))
    }

    fn admit(
        &self,
        user: UserId,
        count: impl FnOnce() -> Result<(), EngineError>,
    ) -> Result<Admission<'_>, EngineError> {
        let mut under_way = self.uploads.0.lock();
        let theirs = under_way.get(&user).map_or(0, |theirs| theirs.messages);
        if theirs >= MAX_UPLOADS {
            return Err(EngineError::SlowDown { retry_after: Duration::from_secs(1) });
        }
        count()?;
        let theirs = under_way.entry(user.clone()).or_default();
        theirs.messages += 1;
        let bytes = theirs.bytes.clone();
        Ok(Admission { engine: self, user, bytes })
    }

    /// True when there is room for the files that are being sent: no user takes more than half of
    /// what the others leave.
    fn has_room(&self, user: &UserId, uploading: u64, theirs: u64) -> bool {
        let live = self.core.live.read();
        let all = live.state.attachment_bytes() + uploading;
        let theirs = live.state.attachment_bytes_of(user) + theirs;
        let left = self.file_limits.max_total_bytes.saturating_sub(all.saturating_sub(theirs));
        all <= self.file_limits.max_total_bytes && theirs <= left.div_ceil(2)
    }

    /// Opens a file for reading.
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
        Ok((attachment, self.open_blob(id).await?))
    }

    /// Opens the picture of a preview for reading.
    ///
    /// # Errors
    ///
    /// When no message that this user can read has such a picture, or it cannot be read.
    pub async fn preview_picture(
        &self,
        session: &Session,
        id: &AttachmentId,
    ) -> Result<(Picture, Box<dyn Blob>), EngineError> {
        let picture = {
            let live = self.core.live.read();
            let found = live.state.preview_picture(id);
            let readable = found.filter(|(channel, _)| channel.is_visible_to(&session.user.id));
            readable.ok_or(EngineError::NoSuchAttachment)?.1.clone()
        };
        Ok((picture, self.open_blob(id).await?))
    }

    async fn open_blob(&self, id: &AttachmentId) -> Result<Box<dyn Blob>, EngineError> {
        match self.core.blobs.open(id).await {
            Ok(blob) => Ok(blob),
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

/// The attachments of a message with these files. Where it has the same file already, that one
/// stays.
pub(super) fn attachments(files: &[ReceivedFile], present: &[Attachment]) -> Vec<Attachment> {
    let mut present: Vec<_> = present.iter().collect();
    let mut chosen = Vec::with_capacity(files.len());
    for ReceivedFile { attachment, .. } in files {
        let same = present.iter().position(|it| it.same_as(attachment));
        chosen.push(same.map_or(attachment, |at| present.remove(at)).clone());
    }
    chosen
}

/// Claims files for a message that is about to be stored: from before the attempt until it is known
/// to have failed they are not removed, even if the request ends meanwhile.
pub(super) fn claim(files: &[ReceivedFile], content: &Content) {
    for file in files {
        file.claim(content.attachments.iter().any(|it| it.id == file.attachment.id));
    }
}

/// Releases the claims of a message's files after the attempt to store it, unless it may have them.
pub(super) fn release_unclaimed<T>(
    files: &mut [ReceivedFile],
    stored: &Result<Committed<T>, EngineError>,
) {
    for file in files {
        match stored {
            Ok(Committed::Applied(_)) => file.free_space(),
            Err(EngineError::FollowerStopped | EngineError::OutcomeUnknown) => {}
            _ => file.claim(false),
        }
    }
}
