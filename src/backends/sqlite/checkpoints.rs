//! Checkpoints: what was committed moves from the write-ahead log (WAL) into the database.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use log::warn;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode};

/// After how many more pages in the WAL there is a checkpoint.
const EVERY_PAGES: u32 = 512;
/// With how many pages in the WAL the writer itself makes it, and begins the WAL anew: the
/// checkpointer cannot while commits never pause. The file keeps its size, since writing where
/// there is something already takes half the time to sync.
const WAL_PAGES: u32 = 2_048;
/// How long the writer waits for locks otherwise: what is usual here.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// Keeps the WAL short, mostly on a thread and a connection of its own.
pub(super) struct Checkpoints {
    checkpointer: SyncSender<()>,
    /// How many pages the WAL had at the last checkpoint.
    last_at: u32,
}

impl Checkpoints {
    /// Those of this database.
    pub(super) fn of(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        // Only when it reads does a connection find the WAL, and has something to move.
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        Ok(Self { checkpointer: spawn_checkpointer(connection), last_at: 0 })
    }

    /// Makes one, or has it made, if the WAL has grown enough.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        let Some(pages) = checkpoint(writer, CheckpointMode::NOOP) else { return };
        self.last_at = self.last_at.min(pages);
        if pages - self.last_at < EVERY_PAGES {
            return;
        }
        self.last_at = pages;
        if pages >= WAL_PAGES {
            begin_wal_anew(writer);
        } else if let Err(TrySendError::Disconnected(())) = self.checkpointer.try_send(()) {
            checkpoint(writer, CheckpointMode::PASSIVE);
        }
    }
}

/// In vain while the checkpointer is at work, or somebody from outside reads the database: nobody
/// waits for them, and the next checkpoint may find them gone.
fn begin_wal_anew(writer: &Connection) {
    if writer.busy_timeout(Duration::ZERO).is_ok() {
        checkpoint(writer, CheckpointMode::RESTART);
    }
    // Setting it cannot fail for a number that is in range.
    let _ = writer.busy_timeout(BUSY_PATIENCE);
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

/// Moves pages from the WAL into the database as far as this mode does (`NOOP` moves none), and
/// gives how many the WAL has; none when it could not, as while another connection is at it.
fn checkpoint(connection: &Connection, mode: CheckpointMode) -> Option<u32> {
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Ok((pages @ 0.., _)) => return Some(pages.cast_unsigned()),
        Ok(_) => warn!("The log has no write-ahead log to checkpoint."),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
        Err(error) => warn!("The log's checkpoint has to wait: {error}."),
    }
    None
}
