//! The database's schema, its migrations, and the settings of the writing connection.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::OpenError;
use super::directory::Contents;
use crate::domain::ids::{Epoch, Seq, Start, StartId};
use crate::engine::log::KEPT_STARTS;

/// Size that the file of the write-ahead log is cut down to, in bytes.
const WAL_KEPT_BYTES: u32 = 16 * 1024 * 1024;

/// The migrations: each brings a database from schema n to n + 1; a new one takes them all.
const MIGRATIONS: [&str; 2] = [
    r"
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
",
    r"
    create table start (
        place integer primary key,   -- in the order of starts
        id integer not null unique,
        after integer not null       -- the last seq before it
    ) strict;
",
];

/// The number of the latest schema.
fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("few migrations")
}

/// Refuses a database that is damaged, not a log, or of a newer schema; changes nothing.
pub(super) fn check(
    connection: &Connection,
    path: &Path,
    contents: Contents,
) -> Result<(), OpenError> {
    let refused = |source| OpenError::of(path, source);
    let damaged = |found: &str| OpenError::Damaged { path: path.into(), found: found.into() };
    let schema = schema(connection).map_err(refused)?;
    if schema > latest() {
        return Err(OpenError::TooNew { found: schema, known: latest() });
    }
    let tables: u64 = connection
        .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
        .map_err(refused)?;
    if tables == 0 {
        return contents.require_nothing_else(path, "empty");
    }
    if schema < 1 {
        return Err(damaged("a database of something else"));
    }
    if last_seq(connection).map_err(refused)?.is_none() && contents.files {
        return contents.require_nothing_else(path, "empty");
    }
    let health: String =
        connection.query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(refused)?;
    if health == "ok" { Ok(()) } else { Err(damaged(&health)) }
}

/// Migrates the database and records a start; returns the log's epoch and its starts.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<(Epoch, Vec<Start>)> {
    connection.pragma_update(None, "synchronous", "full")?;
    // Before the first write-ahead log exists: a crash during a first start can then never leave an
    // empty database beside a write-ahead log, which `Contents` refuses.
    migrate(connection)?;
    set_up(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let epoch = epoch(&transaction)?;
    begin_start(&transaction)?;
    let starts = starts(&transaction)?;
    transaction.commit()?;
    Ok((epoch, starts))
}

/// Sets up the writing connection.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Deleted messages leave nothing readable in the database; the WAL is emptied soon after.
    connection.pragma_update(None, "secure_delete", "on")?;
    // A WAL that has grown beyond its usual size is cut down when it is restarted.
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    // Checkpoints are made elsewhere: see `checkpoints.rs`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Without it, SQLite prepares a statement again when another parameter might change its plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn schema(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("pragma user_version", [], |row| row.get(0))
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let found = schema(connection)?;
    let missing = &MIGRATIONS[usize::try_from(found).unwrap_or(0)..];
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", latest())?;
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

/// The last sequence that was used, whether or not its entry is erased; `None` in a new log.
pub(super) fn last_seq(connection: &Connection) -> rusqlite::Result<Option<Seq>> {
    connection
        .query_row("select seq from sqlite_sequence where name = 'log'", [], |row| row.get(0))
        .map(Seq)
        .optional()
}

fn begin_start(connection: &Connection) -> rusqlite::Result<()> {
    let after = last_seq(connection)?.unwrap_or_default();
    // Repeated while the random id is that of an earlier start.
    while connection.execute(
        "insert or ignore into start (id, after) values (random() & 0xffffffff, ?1)",
        [after.0],
    )? == 0
    {}
    let kept = u64::try_from(KEPT_STARTS).expect("a small number");
    connection
        .execute("delete from start where place <= (select max(place) from start) - ?1", [kept])
        .map(drop)
}

fn starts(connection: &Connection) -> rusqlite::Result<Vec<Start>> {
    let mut starts = connection.prepare("select id, after from start order by place")?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Start { id: StartId(row.get(0)?), after: Seq(row.get(1)?) });
    starts.query_map(params![], read)?.collect()
}
