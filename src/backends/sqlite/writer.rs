//! The writer: the thread that owns the writing connection and commits in groups.

use std::collections::VecDeque;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use chrono::Utc;
use log::{error, info};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::checkpoints::Checkpoints;
use super::directory::Watch;
use super::ops::RecentOps;
use super::schema;
use crate::domain::entry::Entry;
use crate::domain::ids::{OpId, Seq};
use crate::domain::time::Timestamp;
use crate::engine::log::{AppendError, Appended, Draft, Expect, Feed};

/// Largest number of commands in one transaction.
const BATCH_COMMANDS: usize = 512;
/// Number of entries that a replay hands over at once. As many pieces as commits may wait for the
/// follower, and memory that was once used for them is not given back.
const REPLAYED_ENTRIES: usize = 64;
/// Interval at which the writer checks the directory, erases spent entries that no append took along,
/// tries again after a failed commit, and looks whether the write-ahead log has to be emptied.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A command to the writer.
pub(super) enum Command {
    Append { draft: Draft, answer: Answer },
    Erase(Vec<Seq>),
    Follow { after: Seq, feed: mpsc::Sender<Vec<Feed>> },
}

type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// The results of one transaction, to be used once it is committed.
#[derive(Default)]
struct Batch {
    /// The answers to the appends.
    answers: Vec<(Answer, Result<Appended, AppendError>)>,
    /// The entries that were appended.
    entries: Vec<Entry>,
    /// The number of entries erased, from the front of [`Writer::spent`].
    erased: usize,
}

/// The state of the writing thread.
pub(super) struct Writer {
    connection: Connection,
    checkpoints: Checkpoints,
    followers: Vec<mpsc::Sender<Vec<Feed>>>,
    ops: RecentOps,
    /// The entries still to erase, in this order.
    spent: VecDeque<Seq>,
    watch: Watch,
    /// Set while the last commit failed.
    failed: bool,
    /// Set while the directory or the database is not in its place, as of the last check.
    misplaced: bool,
    /// Published to [`Sqlite::is_writable`](super::Sqlite): neither `failed` nor `misplaced`.
    writable: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        file: &Path,
        watch: Watch,
        writable: Arc<AtomicBool>,
    ) -> rusqlite::Result<Self> {
        let ops = RecentOps::read(&connection, Utc::now())?;
        let checkpoints = Checkpoints::start(file)?;
        let (followers, spent) = (Vec::new(), VecDeque::new());
        let (failed, misplaced) = (false, false);
        Ok(Self {
            connection,
            checkpoints,
            followers,
            ops,
            spent,
            watch,
            failed,
            misplaced,
            writable,
        })
    }

    /// Runs until every sender of commands is dropped and all their commands are done.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut last_upkeep = Instant::now();
        loop {
            match commands.recv_timeout(UPKEEP_INTERVAL.saturating_sub(last_upkeep.elapsed())) {
                Ok(first) => {
                    let more = commands.try_iter().take(BATCH_COMMANDS - 1);
                    self.serve([first].into_iter().chain(more));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if last_upkeep.elapsed() >= UPKEEP_INTERVAL {
                self.upkeep();
                last_upkeep = Instant::now();
            }
        }
        self.upkeep();
    }

    fn serve(&mut self, commands: impl Iterator<Item = Command>) {
        let (mut writes, mut follows, mut appends) = (Vec::new(), Vec::new(), false);
        for command in commands {
            match command {
                Command::Follow { after, feed } => follows.push((after, feed)),
                write => {
                    appends |= matches!(write, Command::Append { .. });
                    writes.push(write);
                }
            }
        }
        // Erasing alone is no reason to commit: it waits for the next append, or the upkeep.
        if appends && self.is_in_place() {
            self.write(writes);
        } else {
            for command in writes {
                self.defer(command);
            }
        }
        for (after, feed) in follows {
            match self.replay(after, &feed) {
                Ok(()) => self.followers.push(feed),
                Err(error) => error!("The log cannot be read: {error}."),
            }
        }
    }

    /// Erases what waits, or tries again after a failed commit, and empties the write-ahead log.
    fn upkeep(&mut self) {
        if !self.is_in_place() {
            return;
        }
        if self.failed || !self.spent.is_empty() {
            self.write(Vec::new());
        }
        self.checkpoints.empty_wal_if_due(&self.connection);
    }

    /// Handles a command without the disk: an append fails, an erasure is queued.
    fn defer(&mut self, command: Command) {
        match command {
            // The receiver may be gone.
            Command::Append { answer, .. } => drop(answer.send(Err(AppendError::Unavailable))),
            Command::Erase(spent) => self.spent.extend(spent),
            Command::Follow { .. } => {}
        }
    }

    /// Carries out all commands in one transaction, or none; then answers and feeds the followers.
    fn write(&mut self, commands: Vec<Command>) {
        let mut batch = Batch::default();
        match self.transact(commands, &mut batch) {
            Ok(()) => {
                self.spent.drain(..batch.erased);
                if batch.erased > 0 {
                    self.checkpoints.note_erasure();
                }
                self.note_commit(None);
                self.feed(&batch.entries);
                for (to, answer) in batch.answers {
                    // The receiver may be gone.
                    let _ = to.send(answer);
                }
                self.ops.forget_old();
                self.checkpoints.after_commit(&self.connection);
            }
            Err(error) => {
                self.note_commit(Some(&error));
                for entry in batch.entries.iter().rev() {
                    self.ops.forget_last(entry.op);
                }
                for (to, _) in batch.answers {
                    let _ = to.send(Err(AppendError::Unavailable));
                }
            }
        }
    }

    /// Tells whether the directory and the database are in their place. Checked before each commit, so
    /// only a commit that runs while they are moved away can be acknowledged and lost.
    fn is_in_place(&mut self) -> bool {
        let missing = self.watch.missing();
        match missing {
            Some(path) if !self.misplaced => error!(
                "`{}` was moved, removed or replaced: nothing is stored until what was there is \
                 back, or the server is started again.",
                path.display()
            ),
            None if self.misplaced => info!("The data directory is back in its place."),
            _ => {}
        }
        self.misplaced = missing.is_some();
        self.publish();
        !self.misplaced
    }

    fn note_commit(&mut self, error: Option<&rusqlite::Error>) {
        match error {
            Some(error) if !self.failed => {
                error!("The log cannot be written: {error}. That is tried again each second.");
            }
            None if self.failed => info!("The log can be written again."),
            _ => {}
        }
        self.failed = error.is_some();
        self.publish();
    }

    fn publish(&self) {
        self.writable.store(!(self.failed || self.misplaced), Ordering::Relaxed);
    }

    fn transact(&mut self, commands: Vec<Command>, batch: &mut Batch) -> rusqlite::Result<()> {
        let mut failed = self.execute("begin immediate").err();
        for command in commands {
            match command {
                Command::Append { draft, answer } => {
                    let done = match &failed {
                        None => self.append(draft, batch),
                        Some(_) => Ok(Err(AppendError::Unavailable)),
                    };
                    let answered = done.unwrap_or_else(|error| {
                        failed.get_or_insert(error);
                        Err(AppendError::Unavailable)
                    });
                    batch.answers.push((answer, answered));
                }
                other => self.defer(other),
            }
        }
        let failed = failed.or_else(|| self.finish(batch).err());
        let Some(error) = failed else { return Ok(()) };
        if !self.connection.is_autocommit() {
            self.execute("rollback")?;
        }
        Err(error)
    }

    fn append(
        &mut self,
        draft: Draft,
        batch: &mut Batch,
    ) -> rusqlite::Result<Result<Appended, AppendError>> {
        if let Some(seq) = self.ops.get(draft.op) {
            return Ok(Ok(Appended { seq, repeated: true }));
        }
        // Expectations must not find entries that were spent before this append.
        self.erase_spent(batch)?;
        let key = draft.key.to_string();
        if draft.expect != Expect::Any {
            let last = self.last_of(&key)?;
            if draft.expect != Expect::from(last) {
                return Ok(Err(AppendError::Conflict(last)));
            }
        }
        let at = Timestamp::from(Utc::now());
        let op = draft.op.0.simple().to_string();
        self.statement("insert into log (key, at, op, body) values (?1, ?2, ?3, ?4)")?
            .execute(params![key, at.as_millis(), op, draft.body])?;
        let seq = Seq(self.connection.last_insert_rowid().cast_unsigned());
        self.ops.remember(draft.op, seq);
        batch.entries.push(Entry { seq, at, op: draft.op, key, body: draft.body });
        Ok(Ok(Appended { seq, repeated: false }))
    }

    /// Erases the spent entries that this transaction has not erased yet.
    fn erase_spent(&self, batch: &mut Batch) -> rusqlite::Result<()> {
        if batch.erased == self.spent.len() {
            return Ok(());
        }
        let mut delete = self.statement("delete from log where seq = ?1")?;
        for seq in self.spent.range(batch.erased..) {
            delete.execute([seq.0.cast_signed()])?;
        }
        batch.erased = self.spent.len();
        Ok(())
    }

    fn finish(&self, batch: &mut Batch) -> rusqlite::Result<()> {
        self.erase_spent(batch)?;
        if self.failed && batch.entries.is_empty() {
            // Tries whether the disk has room for a message again, although nothing is appended. The
            // value is random because SQLite does not write pages that did not change.
            self.execute("replace into meta (name, value) values ('room', randomblob(16384))")?;
        }
        self.execute("commit")
    }

    fn last_of(&self, key: &str) -> rusqlite::Result<Option<Seq>> {
        let last = self
            .statement("select seq from log where key = ?1 order by seq desc limit 1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        Ok(last.map(Seq))
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.statement(sql)?.execute([]).map(drop)
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql)
    }

    /// Sends the followers the entries of one commit, in one piece.
    fn feed(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        self.followers.retain(|follower| {
            follower.blocking_send(entries.iter().cloned().map(Feed::Entry).collect()).is_ok()
        });
    }

    /// Sends a new follower all stored entries after this one. The writer's own thread does it, so no
    /// entry can be missed between the last stored one and the first new one.
    fn replay(&self, after: Seq, feed: &mpsc::Sender<Vec<Feed>>) -> rusqlite::Result<()> {
        let mut kept =
            self.statement("select seq, key, at, op, body from log where seq > ?1 order by seq")?;
        let mut piece = Vec::new();
        for entry in kept.query_map([after.0], read_entry)? {
            piece.push(Feed::Entry(entry?));
            if piece.len() == REPLAYED_ENTRIES
                && feed.blocking_send(std::mem::take(&mut piece)).is_err()
            {
                return Ok(());
            }
        }
        let last = schema::last_seq(&self.connection)?;
        piece.push(Feed::CaughtUp(last.unwrap_or_default()));
        // A follower that is gone is removed at the next commit.
        let _ = feed.blocking_send(piece);
        Ok(())
    }
}

/// Reads a row without judging it: an entry that cannot be understood is for the reader to set aside.
pub(super) fn read_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let op = text(row, 3)?;
    Ok(Entry {
        seq: Seq(row.get(0)?),
        key: text(row, 1)?,
        at: Timestamp::from_millis(row.get(2)?),
        op: OpId(Uuid::from_str(&op).unwrap_or_default()),
        body: text(row, 4)?,
    })
}

/// Reads a column as text, with U+FFFD for bytes that are not UTF-8, which SQLite does not check.
fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let value = row.get_ref(column)?;
    Ok(String::from_utf8_lossy(value.as_bytes()?).into_owned())
}
