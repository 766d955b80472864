//! The file's schema, by number, and how a connection is set up.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::OpenError;
use crate::domain::ids::Epoch;

/// The size that the file of the write-ahead log keeps.
const WAL_KEPT_BYTES: u32 = 16 * 1024 * 1024;

/// Each step brings a file from schema n to n + 1; a new file takes them all.
const MIGRATIONS: [&str; 1] = [r"
    create table meta (
        name text primary key,
        value any
    ) strict, without rowid;
    create table log (
        seq integer primary key autoincrement,
        key text not null,
        at integer not null,   -- milliseconds since 1970
        op text not null,
        body text not null     -- JSON with a version
    ) strict;
    create index log_by_key on log (key, seq);
"];

/// Brings the file to the present schema and gives the log's epoch.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<Epoch, OpenError> {
    let refused = |source| OpenError::Log { path: path.into(), source };
    set_up(connection).map_err(refused)?;
    let known = i64::try_from(MIGRATIONS.len()).expect("few migrations");
    let found = connection
        .query_row("pragma user_version", [], |row| row.get::<_, i64>(0))
        .map_err(refused)?;
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    let missing = &MIGRATIONS[usize::try_from(found).unwrap_or(0)..];
    migrate(connection, missing, known).map_err(refused)?;
    epoch(connection).map_err(refused)
}

/// What every writing connection needs.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Deleted messages leave nothing readable in the database; the WAL is written over in time.
    connection.pragma_update(None, "secure_delete", "on")?;
    // What is more than it mostly needs is given back.
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    // That is decided elsewhere: see `checkpoints.rs`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Without it, SQLite prepares statements anew whose plan a parameter's value might change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn migrate(connection: &mut Connection, missing: &[&str], known: i64) -> rusqlite::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()
}

fn epoch(connection: &Connection) -> rusqlite::Result<Epoch> {
    let made = connection
        .query_row("select value from meta where name = 'epoch'", [], |row| row.get(0))
        .optional()?;
    let epoch: i64 = match made {
        Some(epoch) => epoch,
        None => connection.query_row(
            "insert into meta (name, value) values ('epoch', random()) returning value",
            [],
            |row| row.get(0),
        )?,
    };
    Ok(Epoch(epoch.cast_unsigned()))
}
