//! A snapshot of a data directory: the log at one moment, and the files of its messages.
//!
//! A running server removes files while they are being read: as soon as their messages fall out of a
//! channel or are edited, or some seconds after those were deleted. So the files are linked into a
//! directory of their own, where they stay: all that are there before the snapshot of the log begins,
//! and once more right after that. A file of a message in the snapshot was stored before it and
//! removed after it, if at all; so it is among the links, unless it came and went within the
//! milliseconds between the two. Then another snapshot is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::directory::{Contents, DATABASE, Lock};
use super::writer::read_entry;
use super::{OpenError, has_database, schema};
use crate::backends::files;
use crate::domain::ids::AttachmentId;
use crate::domain::state::State;

/// What the names of temporary directories in the data directory begin with.
const TEMPORARY: [&str; 2] = [".backup-", ".restore-"];
/// Age below which a temporary directory is left alone: it may be about to be locked.
const YOUNG: Duration = Duration::from_mins(1);
/// Largest number of snapshots that are taken until one has all its files.
const ATTEMPTS: usize = 10;
/// Time to wait for SQLite's locks.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no data directory, or nothing in it.
    #[error("there is no database in `{}`: is `data_dir` right?", .0.display())]
    Nothing(PathBuf),
    /// The data directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error("the database cannot be read")]
    Database(#[from] rusqlite::Error),
    /// A file cannot be read or linked.
    #[error("the files cannot be read")]
    Files(#[from] io::Error),
    /// Files came and went faster than they could be linked, each time.
    #[error("files come and go faster than they can be read: try again when less is going on")]
    TooBusy,
}

/// What the log says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileFacts {
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// What the entries of a log come to.
pub(super) struct Replayed {
    /// Number of messages.
    pub(super) messages: usize,
    /// The files of all messages. Of those that were deleted and can be restored nothing more is
    /// known.
    pub(super) files: BTreeMap<AttachmentId, Option<FileFacts>>,
    /// Number of entries that cannot be read. They may have files, too.
    pub(super) unreadable: usize,
}

impl Replayed {
    /// Replays all entries that this connection sees.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (mut state, mut unreadable) = (State::default(), 0);
        let mut kept = connection.prepare("select seq, key, at, op, body from log order by seq")?;
        for entry in kept.query_map([], read_entry)? {
            let entry = entry?;
            if let Ok(decoded) = entry.decode() {
                state.apply(decoded);
            } else {
                unreadable += 1;
                state.set_aside(entry.seq, &entry.key);
            }
        }
        state.caught_up(schema::last_seq(connection)?.unwrap_or_default());
        let facts = |id| {
            if let Some((.., file)) = state.attachment(id) {
                return Some(FileFacts { size: file.size, sha256: file.sha256.clone() });
            }
            let (_, picture) = state.preview_picture(id)?;
            Some(FileFacts { size: picture.size, sha256: picture.sha256.clone() })
        };
        let files = state.attachment_ids().map(|id| (id.clone(), facts(id))).collect();
        Ok(Self { messages: state.message_count(), files, unreadable })
    }
}

/// A snapshot, in a temporary directory within the data directory, which is removed with it.
pub struct Snapshot {
    directory: TempDir,
    /// Keeps other processes from removing the directory as left behind.
    _lock: File,
    replayed: Replayed,
    /// The files of messages that are not there, although nobody removed them.
    missing: BTreeSet<AttachmentId>,
    /// All linked files.
    linked: BTreeSet<String>,
}

impl Snapshot {
    /// Takes a snapshot of this data directory, whether a server uses it or not. A server is kept from
    /// starting meanwhile, but not disturbed when it runs.
    ///
    /// # Errors
    ///
    /// When there is no log, or something cannot be read.
    pub fn take(data: &Path) -> Result<Self, SnapshotError> {
        if !has_database(data) {
            return Err(SnapshotError::Nothing(data.into()));
        }
        // Held where no server runs. SQLite's own locks are enough for what a running one does.
        let _stopped = match Lock::take(data) {
            Ok(lock) => Some(lock),
            Err(OpenError::InUse { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        remove_left_behind(data)?;
        let (directory, lock) = temporary(data, TEMPORARY[0])?;
        fs::create_dir(directory.path().join(files::DIRECTORY))?;
        let source = open(data)?;
        let contents = Contents::of(data)?;
        schema::check(&source, data, contents)?;
        let mut linked = BTreeSet::new();
        let mut lacked = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            link_all(data, directory.path(), &mut linked)?;
            let transaction = source.unchecked_transaction()?;
            // The first read fixes what the transaction sees.
            schema::last_seq(&transaction)?;
            link_all(data, directory.path(), &mut linked)?;
            let replayed = Replayed::read(&transaction)?;
            let missing = replayed.files.keys().filter(|id| !linked.contains(id.as_str()));
            let missing: BTreeSet<_> = missing.cloned().collect();
            // A file that two snapshots lack, of a message that both have, was lost before.
            if missing.is_subset(&lacked) {
                copy(&transaction, &directory.path().join(DATABASE))?;
                return Ok(Self { directory, _lock: lock, replayed, missing, linked });
            }
            lacked = missing;
        }
        Err(SnapshotError::TooBusy)
    }

    /// The path of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.directory.path().join(DATABASE)
    }

    /// The path of a file.
    pub(super) fn file(&self, id: &str) -> PathBuf {
        self.directory.path().join(files::DIRECTORY).join(id)
    }

    /// The ids of the files that belong to it. If something in the log cannot be read, all do.
    pub(super) fn file_ids(&self) -> Vec<String> {
        let needed = |id: &&String| {
            self.replayed.unreadable > 0
                || self.replayed.files.contains_key(&AttachmentId::from((*id).clone()))
        };
        self.linked.iter().filter(needed).cloned().collect()
    }

    pub(super) fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// The files of messages that were lost before.
    #[must_use]
    pub fn missing(&self) -> &BTreeSet<AttachmentId> {
        &self.missing
    }
}

/// Opens the database of a data directory as an outsider.
fn open(data: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data.join(DATABASE), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Copies what a transaction sees into a database of one file.
fn copy(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copied = Connection::open(to)?;
    // All at once: a backup in steps begins anew whenever somebody writes.
    Backup::new(from, &mut copied)?.step(-1)?;
    copied.pragma_update(None, "journal_mode", "delete")
}

/// Links every file of the data directory that is not linked yet.
fn link_all(data: &Path, to: &Path, linked: &mut BTreeSet<String>) -> io::Result<()> {
    let files = match fs::read_dir(data.join(files::DIRECTORY)) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        let name = file.file_name().into_string().unwrap_or_default();
        if is_file_name(&name) && !linked.contains(&name) {
            let there = to.join(files::DIRECTORY).join(&name);
            match link(&file.path(), &there) {
                Ok(()) => drop(linked.insert(name)),
                // Removed just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Links a file, or copies it where the file system has no links or does not allow this one.
fn link(file: &Path, there: &Path) -> io::Result<()> {
    match fs::hard_link(file, there) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => fs::copy(file, there).map(drop),
        linked => linked,
    }
}

/// Tells whether this can be the name of a message's file: nothing that leads elsewhere.
pub(super) fn is_file_name(name: &str) -> bool {
    let ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(ours)
}

/// Creates and locks a temporary directory within the data directory.
pub(super) fn temporary(data: &Path, prefix: &str) -> io::Result<(TempDir, File)> {
    let directory = tempfile::Builder::new().prefix(prefix).tempdir_in(data)?;
    let lock = File::open(directory.path())?;
    lock.try_lock().map_err(io::Error::from)?;
    Ok((directory, lock))
}

/// Removes temporary directories that a backup or restoration left behind when it was killed.
///
/// # Errors
///
/// When the data directory cannot be read.
pub fn remove_left_behind(data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data)? {
        let (entry, now) = (entry?, SystemTime::now());
        let name = entry.file_name();
        let is_temporary =
            TEMPORARY.iter().any(|prefix| name.to_str().is_some_and(|it| it.starts_with(prefix)));
        let made = entry.metadata().and_then(|it| it.modified());
        let is_old = made.is_ok_and(|made| now.duration_since(made).is_ok_and(|age| age > YOUNG));
        if !is_temporary || !is_old {
            continue;
        }
        let Ok(directory) = File::open(entry.path()) else { continue };
        if directory.try_lock().is_ok()
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            log::warn!("`{}`, which nobody needs, stays: {error}.", entry.path().display());
        }
    }
    Ok(())
}
