//! Moving a whole chat into the servers and out of them: each entry under the sequence and of the time
//! that it had, so that all that refers to it is right, and each file.
//!
//! The servers count a stream's messages by ones, while a log has gaps where entries were erased. So
//! every gap is filled with messages of a subject of their own, which are purged at the end. Until
//! then the stream's description says that it is being filled, and no node opens it.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::blobs::SharedFiles;
use super::connection::{ConnectError, Nats};
use super::follow::TIME_HEADER;
use super::log::{JetStreamLog, Times};
use super::stream::{Entries, OpenError};
use crate::domain::entry::Entry;
use crate::domain::ids::{AttachmentId, Seq};
use crate::domain::state::State;
use crate::engine::blobs::Blobs;
use crate::engine::log::{Feed, Log};

/// Number of messages that are on their way to the servers at once.
const AT_ONCE: usize = 1_000;
/// The subject of what fills gaps, below the prefix.
const FILLER: &str = "d.gap";
/// Number of times that everything is read, because it changed meanwhile, before that is given up.
const ATTEMPTS: usize = 10;

/// The reason why nothing was moved, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The servers cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The stream cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The servers have not stored something as it was sent.
    #[error(
        "the NATS servers failed in between ({0}): remove the stream that was begun (`nats stream \
         rm`), and move again"
    )]
    Broken(String),
    /// The log ended before it was read to its end.
    #[error("the log cannot be read")]
    LogEnded,
    /// A file cannot be read or stored.
    #[error("the file `{id}` cannot be moved")]
    File {
        /// Its id.
        id: String,
        /// The error.
        source: io::Error,
    },
    /// Entries were erased each time while all of them were read.
    #[error("there is too much going on to read all of it: try again when less is")]
    TooBusy,
}

/// What was moved.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// Number of entries.
    pub entries: usize,
    /// Number of files.
    pub files: usize,
    /// Sequences of entries that stay behind: their keys can be no subjects.
    pub strange: Vec<Seq>,
    /// Files of messages that are not there.
    pub missing: Vec<AttachmentId>,
}

/// Moves what this feed gives, until it has caught up, and the files of a directory into the servers,
/// where there must be no chat of the connection's prefix.
///
/// # Errors
///
/// When there is one, something cannot be read, or the servers fail meanwhile.
pub async fn move_in(
    nats: &Nats,
    mut feed: BoxStream<'static, Feed>,
    files: &Path,
) -> Result<Moved, MoveError> {
    let mut moved = Moved::default();
    let mut filling: Option<Filling> = None;
    let head = loop {
        match feed.next().await.ok_or(MoveError::LogEnded)? {
            Feed::Entry(entry) if !is_subject(&entry.key) => moved.strange.push(entry.seq),
            Feed::Entry(entry) => {
                let filling = match &mut filling {
                    Some(filling) => filling,
                    none => none.insert(Filling::begin(nats, entry.seq).await?),
                };
                filling.add(entry).await?;
                moved.entries += 1;
            }
            Feed::CaughtUp(head) => break head,
            Feed::Incomplete => return Err(MoveError::LogEnded),
        }
    };
    let shared = SharedFiles::open(nats).await;
    let shared = shared.map_err(|error| MoveError::Broken(error.to_string()))?;
    for file in files_in(files).await.map_err(|source| file_error(files.display(), source))? {
        let id = AttachmentId::from(file);
        let copied = async {
            let file = File::open(files.join(id.as_str())).await?;
            shared.put(&id, ReaderStream::new(file).boxed()).await
        };
        copied.await.map_err(|source| file_error(&id, source))?;
        moved.files += 1;
    }
    let filling = match filling {
        Some(filling) => filling,
        None => Filling::begin(nats, Seq(head.0 + 1)).await?,
    };
    filling.finish(head).await?;
    Ok(moved)
}

/// Everything that the servers have of a chat.
pub struct Copy {
    /// The entries, in their order.
    pub entries: Vec<Entry>,
    /// The last sequence that was used.
    pub head: Seq,
    /// What was copied.
    pub moved: Moved,
}

/// Copies a chat out of the servers, while nodes run or not: the files into this directory.
///
/// # Errors
///
/// When the servers have none or cannot be read, or the files not be written.
pub async fn copy_out(nats: &Nats, files: &Path) -> Result<Copy, MoveError> {
    // Opening would create it, and nothing would pass for a chat.
    Entries::require(nats).await?;
    let log = JetStreamLog::open(nats, Times::default()).await?;
    let shared = SharedFiles::open(nats).await;
    let shared = shared.map_err(|error| MoveError::Broken(error.to_string()))?;
    for attempt in 1..=ATTEMPTS {
        let Some((entries, head, ids)) = read_all(&log).await? else { continue };
        let mut moved = Moved { entries: entries.len(), ..Moved::default() };
        for id in ids {
            let path = files.join(id.as_str());
            match copy_file(&shared, &id, &path).await {
                Ok(()) => moved.files += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => moved.missing.push(id),
                Err(source) => return Err(file_error(&id, source)),
            }
        }
        // It may have been removed with its message meanwhile: then the next reading has neither.
        if moved.missing.is_empty() || attempt == ATTEMPTS {
            return Ok(Copy { entries, head, moved });
        }
    }
    Err(MoveError::TooBusy)
}

async fn copy_file(shared: &SharedFiles, id: &AttachmentId, path: &Path) -> io::Result<()> {
    if tokio::fs::try_exists(path).await? {
        return Ok(());
    }
    let mut bytes = shared.open(id).await?;
    let copied = async {
        let mut file = File::create_new(path).await?;
        tokio::io::copy(&mut bytes, &mut file).await?;
        file.sync_all().await
    };
    let copied = copied.await;
    if copied.is_err() {
        // The half of one must not pass for it; it may not have been created.
        let _ = tokio::fs::remove_file(path).await;
    }
    copied
}

/// Reads every entry, and which files their messages have; `None` where some were erased meanwhile.
async fn read_all(
    log: &JetStreamLog,
) -> Result<Option<(Vec<Entry>, Seq, Vec<AttachmentId>)>, MoveError> {
    let (mut feed, mut entries, mut state) = (log.follow(Seq(0)), Vec::new(), State::default());
    loop {
        match feed.next().await.ok_or(MoveError::LogEnded)? {
            Feed::Entry(entry) => {
                match entry.decode() {
                    Ok(decoded) => drop(state.apply(decoded)),
                    Err(_) => state.set_aside(entry.seq, &entry.key),
                }
                entries.push(entry);
            }
            Feed::CaughtUp(head) => {
                let ids = state.attachment_ids().cloned().collect();
                return Ok(Some((entries, head, ids)));
            }
            Feed::Incomplete => return Ok(None),
        }
    }
}

fn file_error(id: impl ToString, source: io::Error) -> MoveError {
    MoveError::File { id: id.to_string(), source }
}

/// The names of the files in a directory, which may be missing.
async fn files_in(directory: &Path) -> io::Result<Vec<String>> {
    let mut files = match tokio::fs::read_dir(directory).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut names = Vec::new();
    while let Some(file) = files.next_entry().await? {
        names.extend(file.file_name().into_string());
    }
    Ok(names)
}

/// Tells whether a key can be the end of a subject. All that Houston has ever written can.
fn is_subject(key: &str) -> bool {
    let is_fine = |word: &str| {
        let bad = |byte: u8| byte.is_ascii_whitespace() || b"*>".contains(&byte) || byte < b' ';
        !word.is_empty() && !word.bytes().any(bad)
    };
    key.split('.').all(is_fine) && super::stream::is_key(key)
}

/// A stream that is being filled.
struct Filling {
    entries: Entries,
    first: Seq,
    next: Seq,
    under_way: VecDeque<(Seq, PublishAckFuture)>,
}

impl Filling {
    /// Creates the stream, which begins at this sequence.
    async fn begin(nats: &Nats, first: Seq) -> Result<Self, MoveError> {
        let entries = Entries::create_to_fill(nats, first).await?;
        Ok(Self { entries, first, next: first, under_way: VecDeque::new() })
    }

    async fn add(&mut self, entry: Entry) -> Result<(), MoveError> {
        self.fill_up_to(entry.seq).await?;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, entry.op.0.simple().to_string());
        headers.insert(TIME_HEADER, entry.at.as_millis().to_string());
        self.send(&entry.key, headers, entry.body.into()).await
    }

    /// Fills the gap before this sequence.
    async fn fill_up_to(&mut self, seq: Seq) -> Result<(), MoveError> {
        while self.next < seq {
            self.send(FILLER, HeaderMap::new(), Bytes::new()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, key: &str, headers: HeaderMap, body: Bytes) -> Result<(), MoveError> {
        let nats = self.entries.nats();
        let sent = nats.jetstream().publish_with_headers(nats.subject(key), headers, body).await;
        self.under_way.push_back((self.next, sent.map_err(broken)?));
        // The first one shows whether the user may publish at all.
        let most = if self.next == self.first { 0 } else { AT_ONCE };
        self.next = Seq(self.next.0 + 1);
        self.until_under_way(most).await
    }

    /// Waits until no more than so many messages are on their way.
    async fn until_under_way(&mut self, most: usize) -> Result<(), MoveError> {
        while self.under_way.len() > most {
            let Some((seq, stored)) = self.under_way.pop_front() else { break };
            let found = Seq(stored.await.map_err(|error| self.unstored(&error))?.sequence);
            if found != seq {
                return Err(MoveError::Broken(format!("entry {seq} became entry {found}")));
            }
        }
        Ok(())
    }

    /// Says what is wrong where the servers have not stored a message.
    fn unstored(&self, error: &PublishError) -> MoveError {
        let prefix = self.entries.nats().prefix();
        MoveError::Broken(match error.kind() {
            PublishErrorKind::TimedOut => {
                format!("no answer in time; may this user publish to `{prefix}.>`?")
            }
            _ => error.to_string(),
        })
    }

    /// Fills up to the last sequence, and lets nodes open the stream.
    async fn finish(mut self, head: Seq) -> Result<(), MoveError> {
        self.fill_up_to(Seq(head.0 + 1)).await?;
        self.until_under_way(0).await?;
        self.entries.open_filled(self.first, FILLER).await.map_err(broken)
    }
}

fn broken(error: impl std::fmt::Display) -> MoveError {
    MoveError::Broken(error.to_string())
}
