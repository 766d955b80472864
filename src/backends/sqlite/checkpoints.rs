//! Checkpoints, which move committed pages from the write-ahead log (WAL) into the database.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use log::warn;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode};

/// Number of new pages in the WAL after which there is a checkpoint.
const INTERVAL_PAGES: u32 = 512;
/// Number of pages in the WAL from which on the writer itself makes the checkpoint and restarts the
/// WAL, which the checkpointer cannot do while commits never pause. The file keeps its size: syncing
/// overwritten pages takes half as long as syncing appended ones.
const RESTART_PAGES: u32 = 2_048;
/// The writer's usual timeout for SQLite's locks.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A schedule of checkpoints that keeps the WAL short, mostly on a thread and a connection of its
/// own.
pub(super) struct Checkpoints {
    checkpointer: SyncSender<()>,
    /// Number of pages in the WAL at the last checkpoint.
    last_pages: u32,
}

impl Checkpoints {
    /// Starts the checkpoints of this database.
    pub(super) fn start(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        // A connection opens the WAL when it first reads. Without that, checkpoints would do nothing.
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        Ok(Self { checkpointer: spawn_checkpointer(connection), last_pages: 0 })
    }

    /// Makes or requests a checkpoint if the WAL has grown enough. Called after each commit.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        let Some(pages) = checkpoint(writer, CheckpointMode::NOOP) else { return };
        self.last_pages = self.last_pages.min(pages);
        if pages - self.last_pages < INTERVAL_PAGES {
            return;
        }
        self.last_pages = pages;
        if pages >= RESTART_PAGES {
            restart_wal(writer);
        } else if let Err(TrySendError::Disconnected(())) = self.checkpointer.try_send(()) {
            checkpoint(writer, CheckpointMode::PASSIVE);
        }
    }
}

/// Moves all pages and restarts the WAL. Does nothing, rather than wait, while the checkpointer works
/// or another process reads the database: the next checkpoint tries again.
fn restart_wal(writer: &Connection) {
    if writer.busy_timeout(Duration::ZERO).is_ok() {
        checkpoint(writer, CheckpointMode::RESTART);
    }
    // Cannot fail: the timeout is in range.
    let _ = writer.busy_timeout(BUSY_TIMEOUT);
}

fn spawn_checkpointer(connection: Connection) -> SyncSender<()> {
    let (wake, woken) = sync_channel(1);
    let run = move || {
        for () in woken {
            checkpoint(&connection, CheckpointMode::PASSIVE);
        }
    };
    if let Err(error) = thread::Builder::new().name("log-checkpoint".into()).spawn(run) {
        warn!("Checkpoints will run on the writing thread: {error}.");
    }
    wake
}

/// Makes a checkpoint of this mode (`NOOP` moves no pages); returns the number of pages in the WAL.
/// `None` when it failed, for instance because another connection makes one.
fn checkpoint(connection: &Connection, mode: CheckpointMode) -> Option<u32> {
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Ok((pages @ 0.., _)) => return Some(pages.cast_unsigned()),
        Ok(_) => warn!("The log has no write-ahead log to checkpoint."),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
        Err(error) => warn!("The log's checkpoint has to wait: {error}."),
    }
    None
}
