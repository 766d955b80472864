//! The log in one SQLite database.
//!
//! One thread owns the writing connection. It takes all waiting commands, carries them out in one
//! transaction, commits (WAL, `synchronous=FULL`: the commit is synced), and only then answers and
//! feeds the followers: all who wait share one sync of the disk (group commit). Spent entries are
//! erased in the same transactions. Checkpoints run on a connection and a thread of their own,
//! unless commits never pause.
//!
//! SQLite locks the database by POSIX locks, and a process loses its locks on a file, for all its
//! descriptors, as soon as it closes *any* descriptor of that file. So nothing in this process but
//! SQLite may ever open `houston.db`, `houston.db-wal` or `houston.db-shm`, or duplicate a
//! descriptor of them: another process that reads the database would then see no lock, and delete
//! the write-ahead log under the server. This module only looks at the metadata of these files,
//! which needs no descriptor.

pub mod backup;
mod checkpoints;
mod directory;
pub mod import;
mod ops;
pub mod restore;
mod schema;
pub mod snapshot;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use self::directory::{Contents, DATABASE, Lock, Watch};
use self::writer::{Command, Writer};
use crate::domain::ids::{Epoch, Seq, Start};
use crate::engine::log::{AppendError, Appended, Draft, Feed, Log};

/// Largest number of commits that a follower may lag behind before the writer waits for it.
const FEED_COMMITS: usize = 64;

/// The log in a data directory: `houston.db`, and `houston.lock` that keeps other processes out.
pub struct Sqlite {
    epoch: Epoch,
    starts: Vec<Start>,
    commands: Option<std_mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
    writable: Arc<AtomicBool>,
    _lock: Lock,
}

/// The reason why a data directory cannot be used. Nothing in it was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be created, read or written.
    #[error("the data directory `{}` cannot be written", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error(
        "the data directory `{}` is in use by another Houston: stop that one first, or give this \
         one a `data_dir` of its own",
        .path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// There are files or a write-ahead log, but no database that they belong to.
    #[error(
        "the data directory `{}` has {left}, but `houston.db`, which that belongs to, is \
         {database}: put the database back from a backup, or move everything out of the directory \
         to begin anew",
        .path.display()
    )]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// The files that are there, in words.
        left: &'static str,
        /// The database's state in one word: `missing` or `empty`.
        database: &'static str,
    },
    /// The database is damaged, or not Houston's.
    #[error(
        "the database `{}/houston.db` cannot be opened: it is damaged, or none of Houston's \
         ({found}); put it back from a backup, or move everything out of the directory to begin \
         anew",
        .path.display()
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The sign of that, in words.
        found: String,
    },
    /// A newer version of Houston wrote the database.
    #[error(
        "the data is of schema {found}, written by a newer Houston; this one knows {known}: run \
         the newer one, or put back a backup from before it"
    )]
    TooNew {
        /// The schema number in the database.
        found: i64,
        /// The latest schema number that this version knows.
        known: i64,
    },
    /// SQLite cannot open the database for another reason.
    #[error("the log in `{}` cannot be opened", .path.display())]
    Log {
        /// The directory.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
}

impl OpenError {
    fn of(path: &Path, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path: path.into(), found: source.to_string() }
            }
            _ => Self::Log { path: path.into(), source },
        }
    }
}

/// Tells whether there is a database in this data directory.
#[must_use]
pub fn has_database(directory: &Path) -> bool {
    directory.join(DATABASE).is_file()
}

impl Sqlite {
    /// Opens the log in this directory, creating both at need, and locks the directory against other
    /// processes until dropped. Each opening is a new start.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created or written, another process uses it, or its content
    /// is not a log that this version can read, or only what is left of one.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::Directory { path: directory.into(), source };
        let refused = |source| OpenError::of(directory, source);
        let mut lock = Lock::take(directory)?;
        let contents = Contents::of(directory).map_err(unwritable)?;
        contents.require_database(directory)?;
        let file = directory.join(DATABASE);
        let mut connection = Connection::open(&file).map_err(refused)?;
        // SQLite must not remove the write-ahead log on closing before it is clear that it belongs to
        // this database: it may be the only copy of something.
        let leave_wal = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(leave_wal, contents.wal).map_err(refused)?;
        schema::check(&connection, directory, contents)?;
        lock.create_file(directory)?;
        let (epoch, starts) = schema::prepare(&mut connection).map_err(refused)?;
        connection.set_db_config(leave_wal, false).map_err(refused)?;
        let watch = Watch::begin(directory).map_err(unwritable)?;
        let writable = Arc::new(AtomicBool::new(true));
        let writer = Writer::new(connection, &file, watch, writable.clone()).map_err(refused)?;
        let (commands, waiting) = std_mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.run(&waiting))
            .map_err(unwritable)?;
        let (commands, writer) = (Some(commands), Some(writer));
        Ok(Self { epoch, starts, commands, writer, writable, _lock: lock })
    }

    /// Sends the writer a command, which is lost if the writer has ended.
    fn command(&self, command: Command) -> bool {
        self.commands.as_ref().is_some_and(|to| to.send(command).is_ok())
    }
}

impl Log for Sqlite {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn starts(&self) -> Vec<Start> {
        self.starts.clone()
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        if draft.body.len() > Draft::MAX_BODY_BYTES {
            return Box::pin(async { Err(AppendError::TooLarge) });
        }
        let (answer, answered) = oneshot::channel();
        // A writer that has ended drops the command, and with it the answer.
        self.command(Command::Append { draft, answer });
        Box::pin(async { answered.await.unwrap_or(Err(AppendError::Unavailable)) })
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        let (feed, commits) = mpsc::channel(FEED_COMMITS);
        // A writer that has ended drops the feed, which ends the stream.
        self.command(Command::Follow { after, feed });
        let next = |mut commits: mpsc::Receiver<Vec<Feed>>| async {
            Some((stream::iter(commits.recv().await?), commits))
        };
        stream::unfold(commits, next).flatten().boxed()
    }

    fn erase(&self, _cause: Seq, spent: Vec<Seq>) {
        if !spent.is_empty() {
            self.command(Command::Erase(spent));
        }
    }

    fn is_writable(&self) -> bool {
        let runs = self.writer.as_ref().is_some_and(|writer| !writer.is_finished());
        runs && self.writable.load(Ordering::Relaxed)
    }
}

impl Drop for Sqlite {
    /// Waits until everything that was appended is on disk.
    fn drop(&mut self) {
        self.commands.take();
        if let Some(writer) = self.writer.take() {
            // The message of a writer that panicked is on standard error already.
            let _ = writer.join();
        }
    }
}
