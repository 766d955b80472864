//! Checkpoints, which move committed pages from the write-ahead log (WAL) into the database.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use log::warn;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode};

/// Number of new pages in the WAL after which there is a checkpoint.
const INTERVAL_PAGES: u32 = 512;
/// Number of pages in the WAL from which on the writer itself makes the checkpoint and restarts the
/// WAL, which the checkpointer cannot do while commits never pause. The file keeps its size then:
/// syncing overwritten pages takes half as long as syncing appended ones.
const RESTART_PAGES: u32 = 2_048;
/// Time after an erasure until the WAL is emptied: it has copies of what was erased.
const EMPTY_AFTER: Duration = Duration::from_secs(15);
/// The writer's usual timeout for SQLite's locks.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A schedule of checkpoints that keeps the WAL short, mostly on a thread and a connection of its
/// own.
pub(super) struct Checkpoints {
    checkpointer: SyncSender<()>,
    /// Number of pages in the WAL at the last checkpoint.
    last_pages: u32,
    /// The first erasure since the WAL was last empty, if there was one.
    erased_at: Option<Instant>,
}

impl Checkpoints {
    /// Starts the checkpoints of this database.
    pub(super) fn start(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        // A connection opens the WAL when it first reads. Without that, checkpoints would do nothing.
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        // What a crash left of the WAL may have copies of what was erased before.
        let erased_at = Some(Instant::now());
        Ok(Self { checkpointer: spawn_checkpointer(connection), last_pages: 0, erased_at })
    }

    /// Notes that a commit erased something. Called after it.
    pub(super) fn note_erasure(&mut self) {
        self.erased_at.get_or_insert_with(Instant::now);
    }

    /// Moves all pages and cuts the file of the WAL down to nothing, if something was erased a while
    /// ago. Where another connection is in the way, the next call tries again.
    pub(super) fn empty_wal_if_due(&mut self, writer: &Connection) {
        let is_due = self.erased_at.is_some_and(|erased_at| erased_at.elapsed() >= EMPTY_AFTER);
        if is_due && checkpoint_at_once(writer, CheckpointMode::TRUNCATE).is_some() {
            self.last_pages = 0;
            self.erased_at = None;
        }
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
            checkpoint_at_once(writer, CheckpointMode::RESTART);
        } else if let Err(TrySendError::Disconnected(())) = self.checkpointer.try_send(()) {
            checkpoint(writer, CheckpointMode::PASSIVE);
        }
    }
}

/// Makes a checkpoint of this mode, and nothing, rather than wait, while the checkpointer works or
/// another process reads the database: the next one tries again.
fn checkpoint_at_once(writer: &Connection, mode: CheckpointMode) -> Option<u32> {
    writer.busy_timeout(Duration::ZERO).ok()?;
    let pages = checkpoint(writer, mode);
    // Cannot fail: the timeout is in range.
    let _ = writer.busy_timeout(BUSY_TIMEOUT);
    pages
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
