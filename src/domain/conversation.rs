//! The conversation of a channel: its last hundred messages, and its latest deletions and
//! restorations.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use crate::domain::ids::{MessageId, Seq, UserId};
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// Largest number of messages that a channel keeps.
pub const KEPT_MESSAGES: usize = 100;
/// Largest number of deletions and restorations that a channel remembers, for listeners who resume
/// and for users who restore what they deleted.
pub const KEPT_REMOVALS: usize = 100;
/// Time from a deletion within which it can be undone, by the times of both entries.
pub const RESTORABLE_FOR: Duration = Duration::from_secs(15);

/// The kept messages of a channel, oldest first, and the deletions and restorations that listeners
/// may have missed.
///
/// At most [`KEPT_MESSAGES`] and [`KEPT_REMOVALS`]. A clone shares the messages: it copies a few
/// words for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    messages: VecDeque<Slot>,
    removals: VecDeque<Removal>,
    last: Seq,
    last_activity: Seq,
}

/// A kept message, with copies of what [`Conversation::unread`] reads: counting then stays within
/// one piece of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    seq: Seq,
    author: Arc<Person>,
    has_mentions: bool,
    message: Arc<Message>,
}

impl Slot {
    fn of(message: Arc<Message>) -> Self {
        let author = message.author.clone();
        let has_mentions = !message.content.mentions.is_empty();
        Self { seq: message.seq, author, has_mentions, message }
    }
}

/// A remembered entry, `seq`, that deleted or restored a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Removal {
    seq: Seq,
    id: MessageId,
    message: Seq,
    kind: RemovalKind,
}

/// The kind of a [`Removal`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum RemovalKind {
    /// The message was deleted.
    Deleted {
        /// The user who did; `None` in older entries.
        by: Option<UserId>,
        /// The time of the entry.
        at: Timestamp,
        /// The message, as long as it can be restored.
        restorable: Option<Arc<Message>>,
    },
    /// The message was restored.
    Restored,
}

/// A deletion that is applied.
#[derive(Debug)]
pub(crate) struct Deletion {
    /// The entry.
    pub(crate) seq: Seq,
    /// The message's id.
    pub(crate) id: MessageId,
    /// The message's sequence.
    pub(crate) message: Seq,
    /// The user who can undo it, if anybody can.
    pub(crate) by: Option<UserId>,
    /// The time of the entry.
    pub(crate) at: Timestamp,
}

/// A message that a conversation no longer holds.
#[derive(Debug)]
pub(crate) struct Dropped {
    /// The message.
    pub(crate) message: Arc<Message>,
    /// The entry that had deleted it, if one had: the message could still be restored until now.
    pub(crate) deleted: Option<Seq>,
}

/// An entry that a conversation no longer remembers, with the message that it had deleted, if that
/// could still be restored.
#[derive(Debug)]
pub(crate) struct Forgotten {
    /// The entry.
    pub(crate) seq: Seq,
    /// The message.
    pub(crate) dropped: Option<Dropped>,
}

/// The result of restoring a message.
#[derive(Debug)]
pub(crate) enum Restoring {
    /// It is at its old place again.
    Restored {
        /// The message.
        message: Arc<Message>,
        /// The entry that had deleted it.
        deleted: Seq,
        /// The messages that fell out for it.
        fallen: Vec<Dropped>,
    },
    /// There is nothing to restore: the message is gone, or was not deleted. The entry is remembered
    /// all the same.
    Nothing,
    /// It comes too late, or the message's id or place is taken.
    Refused,
}

/// A change of a conversation that a listener missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissedChange {
    /// A new message.
    Posted(Arc<Message>),
    /// An edited message, or one that was reacted to or got previews.
    Updated(Arc<Message>),
    /// A deleted message.
    Deleted {
        /// The message's id.
        id: MessageId,
        /// The message's sequence.
        message: Seq,
    },
    /// A message that was deleted and is there again.
    Restored(Arc<Message>),
}

/// The answer to a listener who resumes: the changes after its cursor, or a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Exactly these changes, each with the sequence that its event id carries, in order.
    Changes(Vec<(Seq, MissedChange)>),
    /// Some of the changes are no longer kept: the listener starts again from all stored messages.
    Gap,
}

impl Conversation {
    /// The kept messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> + ExactSizeIterator {
        self.messages.iter().map(|slot| &slot.message)
    }

    /// The kept message of this id. O(messages kept).
    #[must_use]
    pub fn message(&self, id: &MessageId) -> Option<&Arc<Message>> {
        self.messages().rev().find(|message| message.id == *id)
    }

    /// The kept message of this sequence. O(log n).
    #[must_use]
    pub fn message_at(&self, seq: Seq) -> Option<&Arc<Message>> {
        Some(&self.messages.get(self.position(seq)?)?.message)
    }

    fn position(&self, seq: Seq) -> Option<usize> {
        self.messages.binary_search_by_key(&seq, |slot| slot.seq).ok()
    }

    /// The last remembered entry that deleted or restored a message of this id.
    #[must_use]
    pub fn last_removal_of(&self, id: &MessageId) -> Option<Seq> {
        self.removals.iter().rev().find(|removal| removal.id == *id).map(|last| last.seq)
    }

    /// The last entry that changed, deleted or restored this kept message, among those that are
    /// remembered: a change of it is appended on the condition that it still is.
    #[must_use]
    pub fn last_change_of(&self, message: &Message) -> Option<Seq> {
        message.changed.max(self.last_removal(message.seq).map(|last| last.seq))
    }

    /// The last message of this id that this user deleted and can restore at this time, and the
    /// entry that deleted it.
    #[must_use]
    pub fn restorable(
        &self,
        id: &MessageId,
        user: &UserId,
        now: Timestamp,
    ) -> Option<(&Arc<Message>, Seq)> {
        let theirs = |removal: &&Removal| removal.id == *id && removal.is_by(user);
        let mut theirs = self.removals.iter().rev().filter(theirs);
        theirs.find_map(|removal| {
            let message = removal.restorable()?;
            let can_be = removal.can_be_undone(now) && self.has_place_for(message);
            can_be.then_some((message, removal.seq))
        })
    }

    /// The kept message of this id, if this user has deleted and restored it, and could still do so
    /// at this time.
    #[must_use]
    pub fn restored(&self, id: &MessageId, user: &UserId, now: Timestamp) -> Option<&Arc<Message>> {
        let message = self.message(id)?;
        let mut removals = self.removals.iter().rev().filter(|it| it.message == message.seq);
        let restoration = removals.next()?;
        let deletion = removals.next()?;
        let theirs = deletion.is_by(user) && deletion.can_be_undone(now);
        (restoration.kind == RemovalKind::Restored && theirs).then_some(message)
    }

    fn last_removal(&self, message: Seq) -> Option<&Removal> {
        self.removals.iter().rev().find(|removal| removal.message == message)
    }

    /// Tells whether a deleted message can be put back: nobody has its id, and it is not older than
    /// the hundred that are kept.
    fn has_place_for(&self, message: &Message) -> bool {
        let full = self.messages.len() >= KEPT_MESSAGES;
        let too_old = full && self.messages.front().is_some_and(|slot| slot.seq > message.seq);
        !too_old && self.message(&message.id).is_none()
    }

    /// The last entry that changed this conversation: the channel's cursor.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The last entry that posted, deleted or restored a message.
    #[must_use]
    pub fn last_activity(&self) -> Seq {
        self.last_activity
    }

    /// The number of others' messages after `read`, and the number of those that mention `user`.
    #[must_use]
    pub fn unread(&self, user: &Arc<Person>, read: Seq) -> (usize, usize) {
        let mut unread = (0, 0);
        for slot in self.messages.iter().rev().take_while(|slot| slot.seq > read) {
            if !Arc::ptr_eq(&slot.author, user) {
                unread.0 += 1;
                let mentions =
                    slot.has_mentions && slot.message.content.mentions.contains(user.id());
                unread.1 += usize::from(mentions);
            }
        }
        unread
    }

    /// The first kept message after `after`. O(log n).
    #[must_use]
    pub fn first_after(&self, after: Seq) -> Option<Seq> {
        let later = self.messages.partition_point(|slot| slot.seq <= after);
        self.messages.get(later).map(|slot| slot.seq)
    }

    /// The first kept message after `after` in which somebody else mentions `user`.
    #[must_use]
    pub fn first_naming(&self, user: &UserId, after: Seq) -> Option<Seq> {
        let later = self.messages.partition_point(|slot| slot.seq <= after);
        let mut naming = self.messages.range(later..).filter(|slot| {
            slot.has_mentions
                && slot.author.id() != user
                && slot.message.content.mentions.contains(user)
        });
        naming.next().map(|slot| slot.seq)
    }

    /// Tells whether a kept message is by this user.
    #[must_use]
    pub fn has_message_by(&self, user: &Arc<Person>) -> bool {
        self.messages.iter().any(|slot| Arc::ptr_eq(&slot.author, user))
    }

    /// Adds a message. Returns what falls out where there are too many.
    pub(crate) fn add(&mut self, message: Arc<Message>) -> Vec<Dropped> {
        self.note_activity(message.seq);
        self.messages.push_back(Slot::of(message));
        self.let_oldest_fall()
    }

    fn note_activity(&mut self, seq: Seq) {
        self.last = seq;
        self.last_activity = seq;
    }

    /// Removes the oldest message where there are too many, and before it all deleted messages that
    /// are older: then all that ever fell out is older than all that is kept, whatever is restored.
    fn let_oldest_fall(&mut self) -> Vec<Dropped> {
        if self.messages.len() <= KEPT_MESSAGES {
            return Vec::new();
        }
        let Some(oldest) = self.messages.pop_front() else { return Vec::new() };
        let older = self.removals.iter_mut().filter(|removal| removal.message < oldest.seq);
        let mut fallen: Vec<_> = older.filter_map(Removal::drop_message).collect();
        fallen.push(Dropped { message: oldest.message, deleted: None });
        fallen
    }

    /// Replaces a message by its changed form; returns the former. `None`, and no change, when it is
    /// not kept.
    pub(crate) fn replace(&mut self, message: Arc<Message>) -> Option<Arc<Message>> {
        let at = self.position(message.seq)?;
        let slot = self.messages.get_mut(at)?;
        self.last = self.last.max(message.changed.unwrap_or_default());
        Some(std::mem::replace(slot, Slot::of(message)).message)
    }

    /// Tells whether the message was deleted, and not restored, as far as is remembered.
    pub(crate) fn remembers_deleting(&self, message: Seq) -> bool {
        let last = self.last_removal(message);
        last.is_some_and(|last| matches!(last.kind, RemovalKind::Deleted { .. }))
    }

    /// Removes a message and remembers the deletion, with the message if it can be undone. Returns the
    /// message, if it was still kept, and what had to be forgotten for it.
    pub(crate) fn delete(
        &mut self,
        deletion: Deletion,
    ) -> (Option<Arc<Message>>, Option<Forgotten>) {
        let Deletion { seq, id, message, by, at } = deletion;
        let removed = self.position(message).and_then(|at| self.messages.remove(at));
        let removed = removed.map(|slot| slot.message);
        let restorable = removed.clone().filter(|_| by.is_some());
        let kind = RemovalKind::Deleted { by, at, restorable };
        (removed, self.remember(Removal { seq, id, message, kind }))
    }

    /// Puts a deleted message back, if that can be done at this time, and remembers the restoration.
    /// Returns the result, and what had to be forgotten for it.
    pub(crate) fn restore(
        &mut self,
        seq: Seq,
        id: MessageId,
        message: Seq,
        at: Timestamp,
    ) -> (Restoring, Option<Forgotten>) {
        let removal = self.removals.iter().rev().find(|removal| removal.message == message);
        let removed = removal.and_then(|removal| Some((removal, removal.restorable()?.clone())));
        let restored = match removed {
            Some((removal, message))
                if removal.can_be_undone(at) && self.has_place_for(&message) =>
            {
                Some(message)
            }
            Some(_) => return (Restoring::Refused, None),
            None => None,
        };
        let deletion = self.removals.iter_mut().rev().find(|removal| removal.message == message);
        let deleted = deletion.and_then(|deletion| deletion.drop_message()?.deleted);
        let forgotten = self.remember(Removal { seq, id, message, kind: RemovalKind::Restored });
        let (Some(message), Some(deleted)) = (restored, deleted) else {
            return (Restoring::Nothing, forgotten);
        };
        let place = self.messages.partition_point(|slot| slot.seq < message.seq);
        self.messages.insert(place, Slot::of(message.clone()));
        let fallen = self.let_oldest_fall();
        (Restoring::Restored { message, deleted, fallen }, forgotten)
    }

    /// Drops the message that this entry deleted: it can be restored no longer.
    pub(crate) fn drop_deleted(&mut self, deletion: Seq) -> Option<Dropped> {
        let at = self.removals.binary_search_by_key(&deletion, |removal| removal.seq).ok()?;
        self.removals.get_mut(at)?.drop_message()
    }

    fn remember(&mut self, removal: Removal) -> Option<Forgotten> {
        self.note_activity(removal.seq);
        self.removals.push_back(removal);
        let full = self.removals.len() > KEPT_REMOVALS;
        let mut oldest = if full { self.removals.pop_front() } else { None }?;
        Some(Forgotten { seq: oldest.seq, dropped: oldest.drop_message() })
    }

    /// Takes everything out that is kept, as when the channel is gone: its messages, those that could
    /// be restored among them, and the entries of deletions and restorations.
    pub(crate) fn into_parts(self) -> (Vec<Dropped>, Vec<Seq>) {
        let kept = self.messages.into_iter().map(|slot| slot.message);
        let kept = kept.map(|message| Dropped { message, deleted: None });
        let mut removals = self.removals;
        let deleted = removals.iter_mut().filter_map(Removal::drop_message);
        let dropped = kept.chain(deleted).collect();
        (dropped, removals.into_iter().map(|removal| removal.seq).collect())
    }

    /// The oldest sequence from which [`since`](Self::since) can answer without a gap.
    ///
    /// Computed from what is kept alone, so it is the same after a restart and on every node. A
    /// message falls out only while the channel is full; from then on, each message that is missing
    /// from the hundred has left a deletion. So fewer than a hundred of both mean that none ever
    /// fell out. Otherwise all that fell out came before the oldest that is kept.
    fn complete_since(&self) -> Seq {
        let before_oldest = || match (self.messages.front(), self.removals.back()) {
            (Some(oldest), _) => Seq(oldest.seq.0 - 1),
            (None, Some(last)) => last.seq,
            (None, None) => Seq(0),
        };
        let ever_full = self.messages.len() + self.removals.len() >= KEPT_MESSAGES;
        let messages = if ever_full { before_oldest() } else { Seq(0) };
        let removals = match self.removals.front() {
            Some(oldest) if self.removals.len() == KEPT_REMOVALS => oldest.seq,
            _ => Seq(0),
        };
        messages.max(removals)
    }

    /// The changes after `seen`, each message once, in order. O(what is kept).
    ///
    /// Messages come in their present form: a message that was seen and then changed as an update,
    /// one that was seen and then deleted as a deletion, one that was posted and deleted in between
    /// not at all. One that was restored since comes as such even where it was not yet deleted at
    /// `seen`: who was cut off there may have been sent the messages that were left without it.
    #[must_use]
    pub fn since(&self, seen: Seq) -> Missed {
        if seen < self.complete_since() {
            return Missed::Gap;
        }
        // The last deletion and the last restoration of each message.
        let (mut deletions, mut restorations) = (HashMap::default(), HashMap::default());
        for removal in &self.removals {
            let last = match removal.kind {
                RemovalKind::Deleted { .. } => &mut deletions,
                RemovalKind::Restored => &mut restorations,
            };
            last.insert(removal.message, removal);
        }
        let missed = |message: &Arc<Message>| {
            let restored = restorations.get(&message.seq).map(|restoration| restoration.seq);
            match (restored, message.changed) {
                _ if message.seq > seen => {
                    Some((message.seq, MissedChange::Posted(message.clone())))
                }
                (Some(by), _) if by > seen => Some((by, MissedChange::Restored(message.clone()))),
                (_, Some(by)) if by > seen => Some((by, MissedChange::Updated(message.clone()))),
                _ => None,
            }
        };
        let mut changes: Vec<_> = self.messages().filter_map(missed).collect();
        let was_seen = |deletion: &&Removal| deletion.seq > seen && deletion.message <= seen;
        let is_gone = |deletion: &&Removal| self.position(deletion.message).is_none();
        let missed = deletions.into_values().filter(was_seen).filter(is_gone);
        changes.extend(missed.map(|deletion| {
            let (id, message) = (deletion.id.clone(), deletion.message);
            (deletion.seq, MissedChange::Deleted { id, message })
        }));
        changes.sort_by_key(|(seq, _)| *seq);
        Missed::Changes(changes)
    }
}

impl Removal {
    fn is_by(&self, user: &UserId) -> bool {
        matches!(&self.kind, RemovalKind::Deleted { by: Some(by), .. } if by == user)
    }

    /// Tells whether this is a deletion whose time is not over at this moment. A clock that went back
    /// does not end it.
    fn can_be_undone(&self, now: Timestamp) -> bool {
        let RemovalKind::Deleted { at, .. } = self.kind else { return false };
        let elapsed = now.as_millis().saturating_sub(at.as_millis());
        u128::try_from(elapsed).unwrap_or_default() <= RESTORABLE_FOR.as_millis()
    }

    /// The deleted message, as long as it can be restored.
    fn restorable(&self) -> Option<&Arc<Message>> {
        match &self.kind {
            RemovalKind::Deleted { restorable, .. } => restorable.as_ref(),
            RemovalKind::Restored => None,
        }
    }

    /// Takes the deleted message out: it can be restored no longer.
    fn drop_message(&mut self) -> Option<Dropped> {
        let RemovalKind::Deleted { restorable, .. } = &mut self.kind else { return None };
        let message = restorable.take()?;
        Some(Dropped { message, deleted: Some(self.seq) })
    }
}
