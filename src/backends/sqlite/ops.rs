//! The operation ids (ops) of the last minute, by which repeated appends are recognised.

use std::collections::{HashMap, VecDeque};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use uuid::Uuid;

use crate::domain::ids::{OpId, Seq};

/// Time that an op is remembered.
const MEMORY: Duration = Duration::from_mins(1);

/// The ops of the last minute, with the entries that they stored.
#[derive(Default)]
pub(super) struct RecentOps {
    seqs: HashMap<OpId, Seq>,
    /// The ops with the times at which they were remembered, oldest first.
    by_time: VecDeque<(Instant, OpId)>,
}

impl RecentOps {
    /// Reads the ops of the last minute from the log, and remembers them for another minute. Those of
    /// the minute ahead, too: the clock may have been set back since.
    pub(super) fn read(connection: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Self> {
        let mut ops = Self::default();
        let mut kept = connection
            .prepare("select op, seq from log where at between ?1 and ?2 order by seq")?;
        let range = [now - MEMORY, now + MEMORY].map(|moment| moment.timestamp_millis());
        let mut rows = kept.query(range)?;
        while let Some(row) = rows.next()? {
            let op = row.get_ref(0)?.as_str().ok().and_then(|op| Uuid::from_str(op).ok());
            // Nobody can repeat an op that is no UUID.
            let Some(op) = op else { continue };
            ops.remember(OpId(op), Seq(row.get(1)?));
        }
        Ok(ops)
    }

    pub(super) fn get(&self, op: OpId) -> Option<Seq> {
        self.seqs.get(&op).copied()
    }

    pub(super) fn remember(&mut self, op: OpId, seq: Seq) {
        self.seqs.insert(op, seq);
        self.by_time.push_back((Instant::now(), op));
    }

    /// Forgets this op, which must be the one that was remembered last: its transaction failed.
    pub(super) fn forget_last(&mut self, op: OpId) {
        self.seqs.remove(&op);
        self.by_time.pop_back_if(|(_, last)| *last == op);
    }

    pub(super) fn forget_old(&mut self) {
        while let Some((_, op)) = self.by_time.pop_front_if(|(age, _)| age.elapsed() > MEMORY) {
            self.seqs.remove(&op);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_op_that_failed_is_remembered_anew_for_its_whole_time() {
        let (mut ops, op) = (RecentOps::default(), OpId(Uuid::from_u128(1)));
        ops.remember(op, Seq(1));
        ops.forget_last(op);
        assert_eq!(ops.get(op), None);
        ops.remember(op, Seq(2));
        assert_eq!((ops.get(op), ops.by_time.len()), (Some(Seq(2)), 1));
    }

    #[test]
    fn at_a_start_the_ops_around_now_are_remembered_whatever_the_clock_was_before() {
        let log = Connection::open_in_memory().expect("a database");
        log.execute_batch("create table log (seq integer primary key, op text, at integer)")
            .expect("a table");
        let now = Utc::now();
        let ops = [-61, -59, 59, 61, 400_000_000].map(|seconds: i64| {
            let (op, at) = (Uuid::now_v7(), now.timestamp_millis() + seconds * 1_000);
            log.execute("insert into log (op, at) values (?1, ?2)", (op.to_string(), at))
                .expect("an entry");
            OpId(op)
        });
        log.execute("insert into log (op, at) values ('?', ?1)", [now.timestamp_millis()])
            .expect("an entry");

        let recent = RecentOps::read(&log, now).expect("ops");

        let known = ops.map(|op| recent.get(op).map(|seq| seq.0));
        assert_eq!(known, [None, Some(2), Some(3), None, None]);
    }
}
