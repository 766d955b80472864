//! Committing an action, in the three steps that all actions share: check the rules, append one
//! entry, wait until it is applied.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;
use uuid::Uuid;

use super::log::{AppendError, Draft, Expect, Log};
use super::{Core, Engine, EngineError, Live, Outcome};
use crate::domain::entry::{Key, encode};
use crate::domain::event::Event;
use crate::domain::ids::OpId;

/// Largest number of times that an action is decided because somebody else was faster each time.
const MAX_DECISIONS: usize = 32;

/// Longest time for which an entry that is stored waits to be applied: where several nodes share
/// the log, this one may be cut off from it just then.
const APPLY_TIMEOUT: Duration = Duration::from_secs(15);

/// The decision about an action, by the rules and the present state.
pub(super) enum Decision<T> {
    /// Nothing has to change: this is the result.
    Unchanged(T),
    /// This entry has to be appended.
    Append(Proposal),
}

/// An entry to append, whose record is encoded once the state's lock is released.
pub(super) struct Proposal {
    op: OpId,
    key: Key,
    record: Box<dyn FnOnce() -> String + Send>,
    expect: Expect,
}

/// The result of a committed action.
pub(super) enum Committed<T> {
    /// Nothing had to change.
    Unchanged(T),
    /// An entry was applied, with these events.
    Applied(Vec<Event>),
}

impl<T> Decision<T> {
    /// The decision to append an entry of this key and record.
    pub(super) fn append(
        key: Key,
        record: impl Serialize + Send + 'static,
        expect: Expect,
    ) -> Self {
        Self::append_as(fresh_op(), key, record, expect)
    }

    /// The decision to append an entry whose body is made once the state's lock is released.
    pub(super) fn append_encoded(
        key: Key,
        body: impl FnOnce() -> String + Send + 'static,
        expect: Expect,
    ) -> Self {
        Self::Append(Proposal { op: fresh_op(), key, record: Box::new(body), expect })
    }

    /// The same under an op of one's own.
    pub(super) fn append_as(
        op: OpId,
        key: Key,
        record: impl Serialize + Send + 'static,
        expect: Expect,
    ) -> Self {
        Self::Append(Proposal { op, key, record: Box::new(move || encode(&record)), expect })
    }
}

/// The result of an attempt to append.
enum Attempt {
    /// The entry was applied, with these events.
    Applied(Vec<Event>),
    /// The state on which the entry was decided has changed.
    Outdated,
}

/// The log, and the state that is made of it: all that committing an action needs.
#[derive(Clone, Copy)]
pub(super) struct Committer<'e> {
    pub(super) log: &'e Arc<dyn Log>,
    pub(super) core: &'e Core,
}

impl Engine {
    /// Commits an action: see [`Committer::commit`].
    pub(super) async fn commit<T>(
        &self,
        decide: impl Fn(&Live) -> Result<Decision<T>, EngineError>,
    ) -> Result<Committed<T>, EngineError> {
        Committer { log: &self.log, core: &self.core }.commit(decide).await
    }
}

impl Committer<'_> {
    /// Commits an action: decides on the present state, appends, and decides again as long as
    /// somebody else was faster.
    ///
    /// # Errors
    ///
    /// Those of `decide`, and when the log cannot be written or others are faster each time.
    pub(super) async fn commit<T>(
        self,
        decide: impl Fn(&Live) -> Result<Decision<T>, EngineError>,
    ) -> Result<Committed<T>, EngineError> {
        for _ in 0..MAX_DECISIONS {
            let decision = {
                let live = self.core.live.read();
                let mut decision = decide(&live)?;
                if let Decision::Append(proposal) = &mut decision {
                    proposal.expect = live.expectation(proposal);
                }
                decision
            };
            match decision {
                Decision::Unchanged(result) => return Ok(Committed::Unchanged(result)),
                Decision::Append(Proposal { op, key, record, expect }) => {
                    let draft = Draft { op, key, body: record(), expect };
                    if let Attempt::Applied(events) = self.append(draft).await? {
                        return Ok(Committed::Applied(events));
                    }
                }
            }
        }
        Err(EngineError::TooBusy)
    }

    /// Appends one entry and waits until it is applied.
    async fn append(self, draft: Draft) -> Result<Attempt, EngineError> {
        let (log, core) = (self.log, self.core);
        let op = draft.op;
        let outcome = core.expect_outcome(op).ok_or(EngineError::StorageUnavailable)?;
        let pending = core.flow.commit();
        let appended = log.append(draft).await;
        if appended.is_ok() {
            pending.succeed();
        } else {
            drop(pending);
        }
        match appended {
            Ok(appended) if !appended.repeated => match timeout(APPLY_TIMEOUT, outcome).await {
                Ok(Ok(Outcome::Applied(events))) => Ok(Attempt::Applied(events)),
                Ok(Ok(Outcome::Refused)) => Ok(Attempt::Outdated),
                Ok(Err(_)) | Err(_) => Err(EngineError::FollowerStopped),
            },
            Ok(repeated) => {
                core.forget_outcome(op, outcome);
                let applied = timeout(APPLY_TIMEOUT, core.applied(repeated.seq)).await;
                applied.ok().flatten().ok_or(EngineError::FollowerStopped)?;
                Ok(Attempt::Outdated)
            }
            Err(refused) => {
                core.forget_outcome(op, outcome);
                let last = match refused {
                    AppendError::Conflict(last) => last,
                    AppendError::Unavailable => return Err(EngineError::StorageUnavailable),
                    AppendError::Unknown => return Err(EngineError::OutcomeUnknown),
                    AppendError::TooLarge => {
                        return Err(EngineError::TooLarge("all of it together is too large"));
                    }
                };
                let applied = timeout(APPLY_TIMEOUT, core.applied(last.unwrap_or_default())).await;
                applied.ok().flatten().ok_or(EngineError::StorageUnavailable)?;
                Ok(Attempt::Outdated)
            }
        }
    }
}

impl Live {
    /// What the key's last entry has to be, with those that cannot be read.
    fn expectation(&self, proposal: &Proposal) -> Expect {
        let readable = match proposal.expect {
            Expect::Any => return Expect::Any,
            Expect::Absent => None,
            Expect::At(seq) => Some(seq),
        };
        self.state.last_of_key(&proposal.key, readable).into()
    }
}

/// The id of a new attempt.
pub(super) fn fresh_op() -> OpId {
    OpId(Uuid::now_v7())
}
