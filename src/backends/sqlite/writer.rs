//! The thread that writes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::Utc;
use log::error;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::checkpoints::Checkpoints;
use crate::domain::entry::{Entry, Erase, Key};
use crate::domain::ids::{OpId, Seq};
use crate::domain::time::Timestamp;
use crate::engine::log::{AppendError, Appended, Draft, Expect, Feed};

/// How many commands one transaction takes at most.
const BATCH_COMMANDS: usize = 512;
/// How long an op is remembered.
const OP_MEMORY: Duration = Duration::from_mins(1);

/// What the writer is asked.
pub(super) enum Command {
    Append { draft: Draft, answer: oneshot::Sender<Result<Appended, AppendError>> },
    Erase { what: Vec<Erase>, answer: oneshot::Sender<Result<(), AppendError>> },
    Follow { after: Seq, feed: mpsc::Sender<Vec<Feed>> },
}

/// An answer that is given once the transaction is on disk.
enum Answer {
    Appended(oneshot::Sender<Result<Appended, AppendError>>, Result<Appended, AppendError>),
    Erased(oneshot::Sender<Result<(), AppendError>>),
}

impl Answer {
    fn give(self) {
        // Whoever asked may have gone.
        match self {
            Self::Appended(to, answer) => drop(to.send(answer)),
            Self::Erased(to) => drop(to.send(Ok(()))),
        }
    }

    fn fail(self) {
        match self {
            Self::Appended(to, _) => drop(to.send(Err(AppendError::Unavailable))),
            Self::Erased(to) => drop(to.send(Err(AppendError::Unavailable))),
        }
    }
}

pub(super) struct Writer {
    connection: Connection,
    checkpoints: Checkpoints,
    followers: Vec<mpsc::Sender<Vec<Feed>>>,
    ops: Ops,
    latest: Timestamp,
}

impl Writer {
    pub(super) fn new(connection: Connection, file: &Path) -> rusqlite::Result<Self> {
        let latest: Option<i64> =
            connection.query_row("select max(at) from log", [], |row| row.get(0))?;
        let ops = Ops::recent(&connection)?;
        Ok(Self {
            checkpoints: Checkpoints::of(file)?,
            connection,
            followers: Vec::new(),
            ops,
            latest: Timestamp::from_millis(latest.unwrap_or(0)),
        })
    }

    /// Serves until every sender of commands is gone and all that they asked for is done.
    pub(super) fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        while let Some(first) = commands.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_COMMANDS
                && let Ok(next) = commands.try_recv()
            {
                batch.push(next);
            }
            self.serve(batch);
        }
    }

    fn serve(&mut self, batch: Vec<Command>) {
        let (mut writes, mut follows) = (Vec::new(), Vec::new());
        for command in batch {
            match command {
                Command::Follow { after, feed } => follows.push((after, feed)),
                write => writes.push(write),
            }
        }
        if !writes.is_empty() {
            self.write(writes);
        }
        for (after, feed) in follows {
            match self.replay(after, &feed) {
                Ok(()) => self.followers.push(feed),
                Err(error) => error!("The log cannot be read: {error}."),
            }
        }
    }

    /// Does all of it in one transaction, or none of it.
    fn write(&mut self, commands: Vec<Command>) {
        let mut answers = Vec::with_capacity(commands.len());
        let mut entries = Vec::with_capacity(commands.len());
        match self.transact(commands, &mut answers, &mut entries) {
            Ok(()) => {
                self.feed(&entries);
                answers.into_iter().for_each(Answer::give);
                self.ops.forget_old();
                self.checkpoints.after_commit(&self.connection);
            }
            Err(error) => {
                error!("The log cannot be written: {error}.");
                for entry in entries.iter().rev() {
                    self.ops.forget_last(entry.op);
                }
                answers.into_iter().for_each(Answer::fail);
            }
        }
    }

    fn transact(
        &mut self,
        commands: Vec<Command>,
        answers: &mut Vec<Answer>,
        entries: &mut Vec<Entry>,
    ) -> rusqlite::Result<()> {
        let mut failed = self.execute("begin immediate").err();
        for command in commands {
            match command {
                Command::Append { draft, answer } => {
                    let done = match &failed {
                        None => self.append(draft, entries),
                        Some(_) => Ok(Err(AppendError::Unavailable)),
                    };
                    let told = done.unwrap_or_else(|error| {
                        failed.get_or_insert(error);
                        Err(AppendError::Unavailable)
                    });
                    answers.push(Answer::Appended(answer, told));
                }
                Command::Erase { what, answer } => {
                    if failed.is_none() {
                        failed = what.iter().try_for_each(|what| self.erase(what)).err();
                    }
                    answers.push(Answer::Erased(answer));
                }
                Command::Follow { .. } => {}
            }
        }
        let failed = failed.or_else(|| self.trim(entries).err());
        let failed = failed.or_else(|| self.execute("commit").err());
        let Some(error) = failed else { return Ok(()) };
        if !self.connection.is_autocommit() {
            self.execute("rollback")?;
        }
        Err(error)
    }

    fn append(
        &mut self,
        draft: Draft,
        entries: &mut Vec<Entry>,
    ) -> rusqlite::Result<Result<Appended, AppendError>> {
        if let Some(seq) = self.ops.get(draft.op) {
            return Ok(Ok(Appended { seq, repeated: true }));
        }
        let key = draft.key.to_string();
        if draft.expect != Expect::Any {
            let last = self.last_of(&key)?;
            if draft.expect != Expect::from(last) {
                return Ok(Err(AppendError::Conflict(last)));
            }
        }
        self.latest = self.latest.max(Utc::now().into());
        let at = self.latest;
        let op = draft.op.0.simple().to_string();
        self.statement("insert into log (key, at, op, body) values (?1, ?2, ?3, ?4)")?
            .execute(params![key, at.as_millis(), op, draft.body])?;
        let seq = Seq(self.connection.last_insert_rowid().cast_unsigned());
        if draft.key.kept() == 1 {
            self.statement("delete from log where key = ?1 and seq < ?2")?
                .execute(params![key, seq.0])?;
        }
        self.ops.remember(draft.op, seq);
        entries.push(Entry { seq, at, op: draft.op, key: draft.key, body: draft.body });
        Ok(Ok(Appended { seq, repeated: false }))
    }

    /// Lets go the messages that their channels keep no longer now that these entries are there:
    /// once for all that a channel was sent in the transaction.
    fn trim(&self, entries: &[Entry]) -> rusqlite::Result<()> {
        let mut trimmed = HashSet::new();
        for key in entries.iter().map(|entry| &entry.key) {
            let Key::Messages(channel) = key else { continue };
            if !trimmed.insert(channel) {
                continue;
            }
            let text = key.to_string();
            let fallen: Vec<u64> = self
                .statement(
                    "select seq from log where key = ?1 order by seq desc limit -1 offset ?2",
                )?
                .query_map(params![text, key.kept()], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let Some(newest) = fallen.first() else { continue };
            self.statement("delete from log where key = ?1 and seq <= ?2")?
                .execute(params![text, newest])?;
            for seq in fallen {
                let change = Key::Change(channel.clone(), Seq(seq));
                self.statement("delete from log where key = ?1")?.execute([change.to_string()])?;
            }
        }
        Ok(())
    }

    fn erase(&self, what: &Erase) -> rusqlite::Result<()> {
        let erased = match what {
            Erase::One(seq) => self.statement("delete from log where seq = ?1")?.execute([seq.0]),
            Erase::Key(key) => {
                self.statement("delete from log where key = ?1")?.execute([key.to_string()])
            }
            // From `c.<id>.` up to what would follow it: `/` comes after `.`.
            Erase::Conversation(id) => self
                .statement("delete from log where key > ?1 and key < ?2")?
                .execute([format!("c.{id}."), format!("c.{id}/")]),
        };
        erased.map(drop)
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

    /// Gives the followers what was committed together in one piece, so that it is told together.
    fn feed(&mut self, entries: &[Entry]) {
        self.followers.retain(|follower| {
            follower.blocking_send(entries.iter().cloned().map(Feed::Entry).collect()).is_ok()
        });
    }

    /// Gives a new follower what is kept. The writer does it itself, so that nothing can come
    /// between the last kept entry and the first new one.
    fn replay(&self, after: Seq, feed: &mpsc::Sender<Vec<Feed>>) -> rusqlite::Result<()> {
        let mut kept =
            self.statement("select seq, key, at, op, body from log where seq > ?1 order by seq")?;
        let mut piece = Vec::new();
        for entry in kept.query_map([after.0], read_entry)? {
            piece.push(Feed::Entry(entry?));
            if piece.len() == BATCH_COMMANDS
                && feed.blocking_send(std::mem::take(&mut piece)).is_err()
            {
                return Ok(());
            }
        }
        let last = self
            .statement("select seq from sqlite_sequence where name = 'log'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        piece.push(Feed::CaughtUp(last.map(Seq).unwrap_or_default()));
        // A follower that has gone is noticed at the next entry.
        let _ = feed.blocking_send(piece);
        Ok(())
    }
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: Seq(row.get(0)?),
        key: parsed(row, 1, Key::from_str)?,
        at: Timestamp::from_millis(row.get(2)?),
        op: OpId(parsed(row, 3, Uuid::from_str)?),
        body: row.get(4)?,
    })
}

fn parsed<T, E>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    parse(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// The ops of the last minute.
#[derive(Default)]
struct Ops {
    seqs: HashMap<OpId, Seq>,
    ages: VecDeque<(Instant, OpId)>,
}

impl Ops {
    /// Those that the log still knows, as if they had come just now.
    fn recent(connection: &Connection) -> rusqlite::Result<Self> {
        let since = Utc::now() - OP_MEMORY;
        let mut ops = Self::default();
        let mut kept = connection.prepare("select op, seq from log where at > ?1")?;
        let read = |row: &Row<'_>| Ok((parsed(row, 0, Uuid::from_str)?, row.get(1)?));
        for op in kept.query_map([since.timestamp_millis()], read)? {
            let (op, seq) = op?;
            ops.remember(OpId(op), Seq(seq));
        }
        Ok(ops)
    }

    fn get(&self, op: OpId) -> Option<Seq> {
        self.seqs.get(&op).copied()
    }

    fn remember(&mut self, op: OpId, seq: Seq) {
        self.seqs.insert(op, seq);
        self.ages.push_back((Instant::now(), op));
    }

    /// Forgets the op that was remembered last: this one.
    fn forget_last(&mut self, op: OpId) {
        self.seqs.remove(&op);
        self.ages.pop_back_if(|(_, last)| *last == op);
    }

    fn forget_old(&mut self) {
        while let Some((_, op)) = self.ages.pop_front_if(|(age, _)| age.elapsed() > OP_MEMORY) {
            self.seqs.remove(&op);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_op_that_failed_is_remembered_anew_for_its_whole_time() {
        let (mut ops, op) = (Ops::default(), OpId(Uuid::from_u128(1)));
        ops.remember(op, Seq(1));
        ops.forget_last(op);
        assert_eq!(ops.get(op), None);
        ops.remember(op, Seq(2));
        assert_eq!((ops.get(op), ops.ages.len()), (Some(Seq(2)), 1));
    }
}
