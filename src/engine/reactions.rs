//! Reactions to messages.

use tokio::sync::Mutex;

use super::commit::Decision;
use super::{Engine, EngineError};
use crate::domain::channel::ChannelRef;
use crate::domain::entry::{ChangeRecord, PresentRecord};
use crate::domain::ids::{MessageId, Seq, UserId};
use crate::domain::reaction::{Reaction, ReactionGroup, ReactionGroupRecord};
use crate::domain::user::{Session, User};

/// Number of locks for reactions.
const LOCKS: usize = 64;

/// Locks that let reactions to a message be decided and stored one by one: a hundred users who
/// react at once would only make each other decide again. Few messages share a lock.
pub(super) struct ReactionLocks([Mutex<()>; LOCKS]);

impl Default for ReactionLocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl ReactionLocks {
    fn lock_of(&self, message: Seq) -> &Mutex<()> {
        let [.., low] = message.0.to_be_bytes();
        &self.0[usize::from(low) % LOCKS]
    }
}

impl Engine {
    /// Adds a reaction to a message, in the form in which it was given there first. Doing it again
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, the user or the
    /// message has as many reactions as there can be, they react too fast, the session is gone, or
    /// nothing can be stored.
    pub async fn react(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        reaction: &Reaction,
    ) -> Result<(), EngineError> {
        self.change_reactions(
            session,
            named,
            id,
            |reactions, me| {
                let theirs =
                    |reacted: &&ReactionGroup| reacted.users.iter().any(|user| user.id() == me);
                let same = |reacted: &&ReactionGroup| reacted.reaction.same_as(reaction);
                if reactions.iter().filter(same).any(|reacted| theirs(&reacted)) {
                    return Ok(None);
                }
                let bounds = &self.bounds;
                if reactions.iter().filter(theirs).count() >= bounds.max_reactions_per_user {
                    return Err(EngineError::LimitReached("reactions of yours to one message"));
                }
                let all: usize = reactions.iter().map(|reacted| reacted.users.len()).sum();
                if all >= bounds.max_reactions {
                    return Err(EngineError::LimitReached("reactions to one message"));
                }
                let is_new = !reactions.iter().any(|reacted| same(&reacted));
                if is_new && reactions.len() >= bounds.max_reaction_kinds {
                    return Err(EngineError::LimitReached("different reactions to one message"));
                }
                Ok(Some(ReactionChange::Add))
            },
            reaction,
        )
        .await
    }

    /// Removes a reaction from a message. Where there is none, nothing changes.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, they react too fast,
    /// the session is gone, or nothing can be stored.
    pub async fn unreact(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        reaction: &Reaction,
    ) -> Result<(), EngineError> {
        self.change_reactions(
            session,
            named,
            id,
            |reactions, me| {
                let mut same = reactions.iter().filter(|it| it.reaction.same_as(reaction));
                let theirs = same.any(|it| it.users.iter().any(|user| user.id() == me));
                Ok(theirs.then_some(ReactionChange::Remove))
            },
            reaction,
        )
        .await
    }

    /// Changes the user's reaction to a message as `decide` says, unless that is `None`.
    async fn change_reactions(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        decide: impl Fn(&[ReactionGroup], &UserId) -> Result<Option<ReactionChange>, EngineError>,
        reaction: &Reaction,
    ) -> Result<(), EngineError> {
        let seq = {
            let live = self.core.live.read();
            live.account(session)?;
            let (_, message) = live.find_message(named, session, id)?;
            if decide(&message.reactions, &session.user.id)?.is_none() {
                return Ok(());
            }
            message.seq
        };
        self.count_post(session)?;
        let _lock = self.reaction_locks.lock_of(seq).lock().await;
        let changed = self.commit(|live| {
            let me = live.account(session)?.person.user();
            let (channel, message) = live.find_message(named, session, id)?;
            let Some(change) = decide(&message.reactions, &me.id)? else {
                return Ok(Decision::Unchanged(()));
            };
            let mut record = PresentRecord::of(&message);
            match change {
                ReactionChange::Add => add(&mut record.reactions, reaction, &me),
                ReactionChange::Remove => remove(&mut record.reactions, reaction, &me),
            }
            Ok(live.change_of(&channel, &message, ChangeRecord::Present(record)))
        });
        changed.await.map(drop)
    }
}

/// A change of a user's reaction.
#[derive(Clone, Copy)]
enum ReactionChange {
    Add,
    Remove,
}

/// Adds a user's reaction to the group of it, or as a new one. Older entries may hold groups of both
/// `❤️` and `❤`: then to the one of this very form.
fn add(reactions: &mut Vec<ReactionGroupRecord>, reaction: &Reaction, user: &User) {
    let exact = reactions.iter().position(|group| group.reaction == *reaction);
    let group = exact.or_else(|| reactions.iter().position(|it| it.reaction.same_as(reaction)));
    if let Some(at) = group {
        reactions[at].users.push(user.clone());
    } else {
        let (reaction, users) = (reaction.clone(), vec![user.clone()]);
        reactions.push(ReactionGroupRecord { reaction, users });
    }
}

/// Removes a user's reaction from every group of it, whatever their forms.
fn remove(reactions: &mut Vec<ReactionGroupRecord>, reaction: &Reaction, user: &User) {
    for group in reactions.iter_mut().filter(|group| group.reaction.same_as(reaction)) {
        group.users.retain(|other| other.id != user.id);
    }
    reactions.retain(|group| !group.users.is_empty());
}
