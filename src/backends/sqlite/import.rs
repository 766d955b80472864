//! Writing a log that was read elsewhere into an empty data directory: the same entries, of the same
//! times, under the same sequences. Whoever imports puts the files into [`Import::files`].
//!
//! As with a restored backup, everything is written into a temporary directory first and takes its
//! place when it is complete.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};
use tempfile::TempDir;

use super::directory::{DATABASE, Lock};
use super::restore::{RestoreError, first_in, give_to_owner_of, put_in_place};
use super::schema;
use super::snapshot::temporary;
use crate::backends::files;
use crate::domain::entry::Entry;
use crate::domain::ids::Seq;

/// A log that is being written.
pub struct Import {
    data: PathBuf,
    there: TempDir,
    connection: Connection,
    _locks: (Lock, File),
}

impl Import {
    /// Begins to write into this data directory, which is created at need, and must be empty and in
    /// nobody's use.
    ///
    /// # Errors
    ///
    /// When it is in use or not empty, or cannot be written.
    pub fn begin(data: &Path) -> Result<Self, RestoreError> {
        let lock = Lock::take(data)?;
        if let Some(found) = first_in(data)? {
            return Err(RestoreError::NotEmpty { path: data.into(), found });
        }
        let (there, locked) = temporary(data, ".restore-")?;
        fs::create_dir(there.path().join(files::DIRECTORY))?;
        let mut connection = Connection::open(there.path().join(DATABASE))?;
        schema::prepare(&mut connection)?;
        Ok(Self { data: data.into(), there, connection, _locks: (lock, locked) })
    }

    /// The directory to put the files into.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.there.path().join(files::DIRECTORY)
    }

    /// Writes further entries, in their order.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn add(&mut self, entries: &[Entry]) -> Result<(), RestoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(
                "insert into log (seq, key, at, op, body) values (?1, ?2, ?3, ?4, ?5)",
            )?;
            for Entry { seq, at, op, key, body } in entries {
                let op = op.0.simple().to_string();
                insert.execute(params![seq.0, key, at.as_millis(), op, body])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Puts what was written in its place. The next entry comes after `head`, the last sequence that
    /// was used where the entries come from.
    ///
    /// # Errors
    ///
    /// When it cannot be put there.
    pub fn finish(self, head: Seq) -> Result<(), RestoreError> {
        let Self { data, there, connection, .. } = self;
        connection.execute_batch("delete from sqlite_sequence where name = 'log'")?;
        connection
            .execute("insert into sqlite_sequence (name, seq) values ('log', ?1)", [head.0])?;
        // Back into one file.
        connection.pragma_update(None, "journal_mode", "delete")?;
        connection.close().map_err(|(_, error)| error)?;
        for directory in [there.path(), &there.path().join(files::DIRECTORY)] {
            File::open(directory)?.sync_all()?;
        }
        give_to_owner_of(&data, there.path())?;
        put_in_place(there.path(), &data)?;
        Ok(())
    }
}
