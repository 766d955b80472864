//! The log in one SQLite file.
//!
//! One thread owns the writing connection. It takes everything that waits, does it in one
//! transaction, commits (WAL, `synchronous=FULL`: the commit is synced), and only then answers and
//! feeds the followers: the disk's sync is shared by all who wait for it (group commit).
//! Checkpoints run on a connection and a thread of their own, unless commits never pause.

mod checkpoints;
mod schema;
mod writer;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use self::writer::{Command, Writer};
use crate::domain::entry::Erase;
use crate::domain::ids::{Epoch, Seq};
use crate::engine::log::{AppendError, Appended, Draft, Feed, Log};

/// How many commits a follower may lag behind before the writer waits for it.
const FEED_COMMITS: usize = 64;

/// A data directory with its log: `houston.db`, and `houston.lock` that keeps others out.
pub struct Sqlite {
    epoch: Epoch,
    commands: Option<mpsc::UnboundedSender<Command>>,
    writer: Option<JoinHandle<()>>,
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It does not exist and cannot be created, or cannot be written.
    #[error("the data directory `{}` cannot be written", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the data directory `{}` is in use by another Houston", .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error("the data is of schema {found}, written by a newer Houston; this one knows {known}")]
    TooNew {
        /// The schema's number in the file.
        found: i64,
        /// The latest that this version knows.
        known: i64,
    },
    /// SQLite refused.
    #[error("the log in `{}` cannot be opened", .path.display())]
    Log {
        /// The directory.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl Sqlite {
    /// Opens the log in this directory, creating both at need, and keeps the directory locked
    /// against other processes until dropped.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created or written, another process uses it, or its content
    /// is not a log that this version can read.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::Directory { path: directory.into(), source };
        fs::create_dir_all(directory).map_err(unwritable)?;
        let lock = File::create(directory.join("houston.lock")).map_err(unwritable)?;
        lock.try_lock().map_err(|refused| match refused {
            TryLockError::WouldBlock => OpenError::InUse { path: directory.into() },
            TryLockError::Error(source) => unwritable(source),
        })?;
        let file = directory.join("houston.db");
        let refused = |source| OpenError::Log { path: directory.into(), source };
        let mut connection = Connection::open(&file).map_err(refused)?;
        let epoch = schema::prepare(&mut connection, directory)?;
        let writer = Writer::new(connection, &file).map_err(refused)?;
        let (commands, waiting) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.run(waiting))
            .map_err(unwritable)?;
        Ok(Self { epoch, commands: Some(commands), writer: Some(writer), _lock: lock })
    }

    /// Hands the writer a command and waits for its answer.
    fn ask<T: Send + 'static>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, AppendError>>) -> Command,
    ) -> BoxFuture<'static, Result<T, AppendError>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.commands.as_ref().is_some_and(|to| to.send(command(answer)).is_ok());
        Box::pin(async move {
            if !sent {
                return Err(AppendError::Unavailable);
            }
            answered.await.unwrap_or(Err(AppendError::Unavailable))
        })
    }
}

impl Log for Sqlite {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        if draft.body.len() > Draft::MAX_BODY_BYTES {
            return Box::pin(async { Err(AppendError::TooLarge) });
        }
        self.ask(|answer| Command::Append { draft, answer })
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        let (feed, commits) = mpsc::channel(FEED_COMMITS);
        if let Some(commands) = &self.commands {
            // A writer that has ended drops the feed, which ends the stream.
            let _ = commands.send(Command::Follow { after, feed });
        }
        let next = |mut commits: mpsc::Receiver<Vec<Feed>>| async {
            Some((stream::iter(commits.recv().await?), commits))
        };
        stream::unfold(commits, next).flatten().boxed()
    }

    fn erase(&self, what: Vec<Erase>) -> BoxFuture<'static, Result<(), AppendError>> {
        self.ask(|answer| Command::Erase { what, answer })
    }
}

impl Drop for Sqlite {
    /// Waits until everything that was asked for is on disk.
    fn drop(&mut self) {
        self.commands.take();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so on standard error.
            let _ = writer.join();
        }
    }
}
