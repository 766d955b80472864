//! The data directory: its locks against other processes, the check of its contents at a start, and
//! a watch on it while it is in use.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::backends::files;

/// The name of the database in the data directory.
pub(super) const DATABASE: &str = "houston.db";
/// The beginning of what stands in the database's place while another is being restored.
pub(super) const BEING_RESTORED: &[u8] = b"being restored\n\n";
/// The suffix of the write-ahead log's file name.
pub(super) const WAL: &str = "-wal";
/// The suffix of the file with the index of the write-ahead log, which processes share.
pub(super) const SHARED: &str = "-shm";
/// The name of the file that is locked besides the directory.
pub(super) const LOCK: &str = "houston.lock";

/// Locks that keep other processes out of a data directory until they are dropped.
///
/// One is on the directory itself: unlike a file in it, it cannot be removed unnoticed. The other is
/// on a file, for earlier versions, which know no other.
pub(super) struct Lock {
    _directory: File,
    file: Option<File>,
}

impl Lock {
    /// Creates the directory at need and locks it. Changes nothing in it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::Directory { path: path.into(), source };
        // What is said in private, and secrets of hooks, are nobody else's on this machine.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
        // Its name, too, or all in it may be lost with it after a power cut.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = File::open(parent.unwrap_or(Path::new("."))).map_err(unwritable)?;
        parent.sync_all().map_err(unwritable)?;
        let directory = File::open(path).map_err(unwritable)?;
        lock(&directory, path)?;
        let file = match OpenOptions::new().write(true).open(path.join(LOCK)) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unwritable(error)),
        };
        file.iter().try_for_each(|file| lock(file, path))?;
        Ok(Self { _directory: directory, file })
    }

    /// Creates and locks the lock file, if it was missing.
    pub(super) fn create_file(&mut self, path: &Path) -> Result<(), OpenError> {
        if self.file.is_none() {
            let created = File::create(path.join(LOCK));
            let file =
                created.map_err(|source| OpenError::Directory { path: path.into(), source })?;
            lock(&file, path)?;
            self.file = Some(file);
        }
        Ok(())
    }
}

fn lock(file: &File, path: &Path) -> Result<(), OpenError> {
    file.try_lock().map_err(|refused| match refused {
        TryLockError::WouldBlock => OpenError::InUse { path: path.into() },
        TryLockError::Error(source) => OpenError::Directory { path: path.into(), source },
    })
}

/// The contents of a data directory before SQLite opens the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contents {
    /// The size of the database in bytes, if there is one.
    database: Option<u64>,
    /// Set when there is a write-ahead log that is not empty.
    pub(super) wal: bool,
    /// Set when there are files of messages.
    pub(super) files: bool,
}

impl Contents {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let size = |file: &Path| match fs::metadata(file) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let wal = size(&beside_database(path, WAL))?.is_some_and(|bytes| bytes > 0);
        let files = files::any_in(&path.join(files::DIRECTORY))?;
        Ok(Self { database: size(&path.join(DATABASE))?, wal, files })
    }

    /// Refuses a directory with a write-ahead log or files, but no database: SQLite would delete the
    /// one, and the engine the others.
    pub(super) fn require_database(self, path: &Path) -> Result<(), OpenError> {
        match self.database {
            None => self.require_nothing_else(path, "missing"),
            Some(0) => self.require_nothing_else(path, "empty"),
            Some(_) => require_beginning(path),
        }
    }

    /// Refuses a directory with a write-ahead log or files, for a database that is empty or missing.
    pub(super) fn require_nothing_else(
        self,
        path: &Path,
        database: &'static str,
    ) -> Result<(), OpenError> {
        let left = match (self.wal, self.files) {
            (true, true) => "files and a write-ahead log",
            (true, false) => "a write-ahead log",
            (false, true) => "files",
            (false, false) => return Ok(()),
        };
        Err(OpenError::Incomplete { path: path.into(), left, database })
    }
}

/// Refuses a database that does not begin as those of SQLite do (*Database File Format*, 1.3): SQLite
/// itself might take a write-ahead log beside it for the database. To be called before SQLite opens it,
/// whose locks would go when this closes the file.
fn require_beginning(path: &Path) -> Result<(), OpenError> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut beginning = Vec::with_capacity(MAGIC.len());
    let file = File::open(path.join(DATABASE));
    let read = file.and_then(|it| it.take(MAGIC.len() as u64).read_to_end(&mut beginning));
    read.map_err(|source| OpenError::Directory { path: path.into(), source })?;
    if beginning == MAGIC {
        return Ok(());
    }
    let found = match &*beginning {
        BEING_RESTORED => "a restoration did not come to its end: repeat it",
        _ => "file is not a database",
    };
    Err(OpenError::Damaged { path: path.into(), found: found.into() })
}

/// A watch on the data directory and the database's files, by the device and inode that each had
/// when it was opened.
///
/// Without it, writing to files that were moved or removed would go on and seem to succeed.
pub(super) struct Watch(Vec<(PathBuf, Identity)>);

type Identity = (u64, u64);

impl Watch {
    /// Records the identities of the files that are in use now.
    pub(super) fn begin(directory: &Path) -> io::Result<Self> {
        let [wal, shared] = [WAL, SHARED].map(|added| beside_database(directory, added));
        let watched = [directory.into(), directory.join(DATABASE), wal, shared].into_iter();
        let known = watched.map(|path| identity(&path).map(|identity| (path, identity)));
        known.collect::<io::Result<_>>().map(Self)
    }

    /// The first path that is no longer the file that was opened, if any. Takes some microseconds.
    pub(super) fn missing(&self) -> Option<&Path> {
        let moved = |(path, known): &&(PathBuf, Identity)| {
            identity(path).map_or(true, |present| present != *known)
        };
        self.0.iter().find(moved).map(|(path, _)| path.as_path())
    }
}

/// The path of the file that SQLite keeps beside the database under this suffix. If the database is a
/// symbolic link, that is beside its target.
fn beside_database(directory: &Path, added: &str) -> PathBuf {
    let database = directory.join(DATABASE);
    let mut file = match fs::read_link(&database).and_then(|_| fs::canonicalize(&database)) {
        Ok(linked) => linked.into_os_string(),
        Err(_) => database.into_os_string(),
    };
    file.push(added);
    file.into()
}

/// The device and inode of a file. The file is not opened for it: see [`super`].
fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
