//! The files, in a stream of their own beside the log's.
//!
//! A file is cut into pieces of 256 KiB. Each is a message of the subject `<prefix>.f.<id>.<n>`, and
//! once all of them are there, a message of `<prefix>.f.<id>` says how large the file is; without
//! that it cannot be opened. So any part of a file is a few requests away, and no more than some
//! pieces of it are in memory. JetStream's own object store gives a file from its beginning on
//! alone, and remembers each that was removed.
//!
//! Whoever reads a file that is removed can read on for a while: its size goes at once, its pieces
//! later. Should this node end in between, the next that starts removes them.

use std::collections::HashSet;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{
    Compression, Config, DirectGetErrorKind, LastRawMessageErrorKind, StorageType, Stream,
};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, TryStreamExt, try_unfold};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::connection::{MAX_MESSAGE_BYTES, Nats};
use super::stream::check_settings;
use crate::domain::ids::AttachmentId;
use crate::engine::blobs::{Blob, Blobs};

/// Size of a piece in bytes; the last one of a file is smaller.
const PIECE_BYTES: usize = 256 * 1024;
/// Number of pieces of one file that are on their way to the servers at once.
const PIECES_AT_ONCE: usize = 4;
/// Time for which something is tried again: longer than an election takes.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time in which a message that is sent again is stored once.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(1);
/// Pause before something is tried again.
const PAUSE: Duration = Duration::from_millis(100);
/// Time for which a file that was removed can be read on.
const READ_ON: Duration = Duration::from_secs(20);
/// Age up to which a file that nobody knows may belong to a message that is on its way. Clocks of
/// nodes may differ by less than that.
const MAY_BE_ON_ITS_WAY: Duration = Duration::from_hours(1);

/// The files of all nodes.
pub struct SharedFiles {
    store: Store,
    runtime: Handle,
}

/// What is said of a file once all of its pieces are there.
#[derive(Serialize, Deserialize)]
struct Size {
    bytes: u64,
}

impl SharedFiles {
    /// Opens the stream of files, and creates it at need. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the servers do not let it be created, or it has settings that lose files.
    pub async fn open(nats: &Nats) -> io::Result<Self> {
        let config = Config {
            name: format!("{}-files", nats.prefix()),
            description: Some("Files of Houston".to_owned()),
            subjects: vec![nats.subject("f.>")],
            storage: StorageType::File,
            num_replicas: nats.replicas(),
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: 1,
            max_message_size: i32::try_from(MAX_MESSAGE_BYTES).unwrap_or(i32::MAX),
            duplicate_window: DUPLICATE_WINDOW,
            allow_direct: true,
            compression: Some(Compression::None),
            ..Config::default()
        };
        // Servers that have just started elect a leader first.
        let give_up = Instant::now() + PATIENCE;
        let stream = loop {
            match nats.jetstream().get_or_create_stream(config.clone()).await {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > give_up => return Err(io::Error::other(error)),
                Err(_) => sleep(PAUSE).await,
            }
        };
        check_settings(&stream.cached_info().config, &config).map_err(io::Error::other)?;
        let store = Store { nats: nats.clone(), stream };
        Ok(Self { store, runtime: Handle::current() })
    }
}

impl Blobs for SharedFiles {
    fn put<'a>(
        &'a self,
        id: &'a AttachmentId,
        bytes: BoxStream<'a, io::Result<Bytes>>,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let mut partial = PartialFile { files: self, id: Some(id.clone()) };
            let store = &self.store;
            let stored = pieces_of(bytes).enumerate().map(|(n, piece)| async move {
                let piece = piece?;
                let length = piece.len() as u64;
                store.publish(store.subject_of(id, Some(n as u64))?, piece).await?;
                Ok::<_, io::Error>(length)
            });
            let stored = stored.buffer_unordered(PIECES_AT_ONCE);
            let bytes = stored.try_fold(0, async |sum, length| Ok(sum + length)).await?;
            let size = serde_json::to_vec(&Size { bytes })?;
            store.publish(store.subject_of(id, None)?, size.into()).await?;
            partial.id = None;
            Ok(())
        })
    }

    fn open(&self, id: &AttachmentId) -> BoxFuture<'static, io::Result<Box<dyn Blob>>> {
        let (store, id) = (self.store.clone(), id.clone());
        Box::pin(async move {
            let size = store.get(&store.subject_of(&id, None)?).await?;
            let Size { bytes } = serde_json::from_slice(&size)?;
            let mut file = SharedFile { store, id, bytes, position: 0, piece: None, coming: None };
            // So that a small one can be read to its end, whatever becomes of it.
            file.fetch(0);
            file.arrive().await?;
            Ok(Box::new(file) as Box<dyn Blob>)
        })
    }

    fn remove(&self, ids: Vec<AttachmentId>) {
        let store = self.store.clone();
        self.runtime.spawn(async move {
            for id in &ids {
                store.remove(id, Part::Size).await;
            }
            sleep(READ_ON).await;
            for id in &ids {
                store.remove(id, Part::Pieces).await;
            }
        });
    }

    fn retain(&self, ids: HashSet<AttachmentId>) -> BoxFuture<'static, io::Result<()>> {
        // Not the time at which a file is looked at: this node may be stopped in between, and
        // others take files meanwhile.
        let (store, known_at) = (self.store.clone(), SystemTime::now());
        Box::pin(async move {
            let prefix = store.nats.subject("f.");
            let subjects = store.stream.info_with_subjects(format!("{prefix}>")).await;
            let mut subjects = subjects.map_err(io::Error::other)?;
            let mut unknown = HashSet::new();
            while let Some((subject, _)) = subjects.try_next().await.map_err(io::Error::other)? {
                let id = subject.strip_prefix(&prefix).and_then(|rest| rest.split('.').next());
                let id = AttachmentId::from(id.unwrap_or_default().to_owned());
                if !ids.contains(&id) && !may_be_on_its_way(&id, known_at) {
                    unknown.insert(id);
                }
            }
            for id in &unknown {
                store.remove(id, Part::Size).await;
                store.remove(id, Part::Pieces).await;
            }
            Ok(())
        })
    }
}

/// Cuts what comes into pieces of [`PIECE_BYTES`].
fn pieces_of(bytes: BoxStream<'_, io::Result<Bytes>>) -> BoxStream<'_, io::Result<Bytes>> {
    try_unfold((bytes, BytesMut::new()), async |(mut bytes, mut ahead)| {
        while ahead.len() < PIECE_BYTES {
            let Some(chunk) = bytes.try_next().await? else { break };
            ahead.extend_from_slice(&chunk);
        }
        let piece = ahead.split_to(ahead.len().min(PIECE_BYTES)).freeze();
        Ok((!piece.is_empty()).then_some((piece, (bytes, ahead))))
    })
    .boxed()
}

/// Tells, by the time in its id, whether a file may have been so new at this moment that its message
/// was not stored yet.
fn may_be_on_its_way(id: &AttachmentId, at: SystemTime) -> bool {
    let made = id.as_str().parse::<uuid::Uuid>().ok().and_then(|id| id.get_timestamp());
    let Some((seconds, nanoseconds)) = made.map(|made| made.to_unix()) else { return false };
    let made = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    // What is from later may have been made after that moment, or by a clock that is ahead.
    at.duration_since(made).map_or(true, |age| age < MAY_BE_ON_ITS_WAY)
}

/// A part of what is stored of a file.
#[derive(Clone, Copy)]
enum Part {
    Size,
    Pieces,
}

/// The stream of files.
#[derive(Clone)]
struct Store {
    nats: Nats,
    stream: Stream,
}

impl Store {
    /// The subject of a piece of a file, or of its size. No file has an id that is no word.
    fn subject_of(&self, id: &AttachmentId, piece: Option<u64>) -> io::Result<String> {
        let id = id.as_str();
        let is_word = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
        if id.is_empty() || !id.bytes().all(is_word) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let size = self.nats.subject(&format!("f.{id}"));
        Ok(piece.map_or_else(|| size.clone(), |n| format!("{size}.{n}")))
    }

    /// Stores a message once, through an election if one is under way.
    async fn publish(&self, subject: String, bytes: Bytes) -> io::Result<()> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let message = PublishMessage::build().payload(bytes.clone()).message_id(&subject);
            let sent = self.nats.jetstream().send_publish(subject.clone(), message).await;
            let stored = match sent {
                Ok(stored) => stored.await,
                Err(error) => Err(error),
            };
            match stored {
                // One without a number says nothing.
                Ok(ack) if ack.sequence > 0 => return Ok(()),
                Err(error) if Instant::now() > give_up => return Err(io::Error::other(error)),
                _ if Instant::now() > give_up => return Err(io::ErrorKind::TimedOut.into()),
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// The message of a subject. Each is stored once, so that any server's is right; but only the
    /// leader knows that there is none.
    async fn get(&self, subject: &str) -> io::Result<Bytes> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let error = match self.stream.direct_get_last_for_subject(subject).await {
                Ok(message) => return Ok(message.payload),
                Err(error) if error.kind() != DirectGetErrorKind::NotFound => {
                    io::Error::other(error)
                }
                Err(_) => match self.stream.get_last_raw_message_by_subject(subject).await {
                    Ok(message) => return Ok(message.payload),
                    Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                        return Err(io::ErrorKind::NotFound.into());
                    }
                    Err(error) => io::Error::other(error),
                },
            };
            if Instant::now() > give_up {
                return Err(error);
            }
            sleep(PAUSE).await;
        }
    }

    async fn remove(&self, id: &AttachmentId, part: Part) {
        let Ok(subject) = self.subject_of(id, None) else { return };
        let subject = match part {
            Part::Size => subject,
            Part::Pieces => format!("{subject}.>"),
        };
        if let Err(error) = self.stream.purge().filter(&subject).await {
            log::warn!("`{subject}`, which nobody needs, cannot be removed yet: {error}.");
        }
    }
}

/// A guard that removes a file which was not stored to its end.
struct PartialFile<'a> {
    files: &'a SharedFiles,
    /// The file's id; `None` once it is complete.
    id: Option<AttachmentId>,
}

impl Drop for PartialFile<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.files.remove(vec![id]);
        }
    }
}

/// A reader of a file: of the piece that it is at, while the next one comes.
struct SharedFile {
    store: Store,
    id: AttachmentId,
    bytes: u64,
    position: u64,
    /// The piece that came last, with its number.
    piece: Option<(u64, Bytes)>,
    coming: Option<(u64, BoxFuture<'static, io::Result<Bytes>>)>,
}

impl SharedFile {
    /// Begins to fetch a piece, if the file has it.
    fn fetch(&mut self, n: u64) {
        self.coming = (n * PIECE_BYTES as u64 <= self.bytes.saturating_sub(1) && self.bytes > 0)
            .then(|| {
                let (store, id) = (self.store.clone(), self.id.clone());
                let piece = async move { store.get(&store.subject_of(&id, Some(n))?).await };
                (n, Box::pin(piece) as BoxFuture<'static, _>)
            });
    }

    async fn arrive(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll_arrive(context)).await
    }

    /// Waits for the piece that is on its way, and begins to fetch the next.
    fn poll_arrive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((n, piece)) = &mut self.coming else { return Poll::Ready(Ok(())) };
        let n = *n;
        let piece = ready!(piece.as_mut().poll(context));
        self.coming = None;
        self.piece = Some((n, piece?));
        self.fetch(n + 1);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for SharedFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.position >= self.bytes {
            return Poll::Ready(Ok(()));
        }
        let at = self.position / PIECE_BYTES as u64;
        while self.piece.as_ref().is_none_or(|(n, _)| *n != at) {
            if self.coming.as_ref().is_none_or(|(n, _)| *n != at) {
                self.fetch(at);
            }
            ready!(self.poll_arrive(context))?;
        }
        let from = usize::try_from(self.position % PIECE_BYTES as u64).unwrap_or_default();
        let rest = self.piece.as_ref().and_then(|(_, piece)| piece.get(from..)).unwrap_or_default();
        let taken = rest.len().min(buffer.remaining());
        if taken == 0 && buffer.remaining() > 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        buffer.put_slice(&rest[..taken]);
        self.position += taken as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for SharedFile {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_last_hour_or_of_later_may_be_on_its_way() {
        let now = SystemTime::now();
        let made = now.duration_since(UNIX_EPOCH).expect("it is later");
        let made = uuid::Timestamp::from_unix(uuid::NoContext, made.as_secs(), 0);
        let file = AttachmentId::from(uuid::Uuid::new_v7(made));
        let (minute, hour) = (Duration::from_mins(1), MAY_BE_ON_ITS_WAY);
        for known_at in [now - hour, now, now + hour - minute] {
            assert!(may_be_on_its_way(&file, known_at));
        }
        assert!(!may_be_on_its_way(&file, now + hour + minute));
        assert!(!may_be_on_its_way(&AttachmentId::from("x".to_owned()), now));
    }
}
