//! The conversation of a channel: its last hundred messages and its latest deletions.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::ids::{MessageId, Seq, UserId};
use crate::domain::message::Message;
use crate::domain::user::Person;

/// Largest number of messages that a channel keeps.
pub const KEPT_MESSAGES: usize = 100;
/// Largest number of deletions that a channel remembers for listeners who resume.
pub const KEPT_DELETIONS: usize = 100;

/// The kept messages of a channel, oldest first, and the deletions that listeners may have missed.
///
/// At most [`KEPT_MESSAGES`] and [`KEPT_DELETIONS`]. A clone shares the messages: it copies a few
/// words for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    messages: VecDeque<Slot>,
    deletions: VecDeque<Deletion>,
    last: Seq,
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

/// A remembered deletion of a message; `seq` is the entry that deleted it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deletion {
    seq: Seq,
    id: MessageId,
    message: Seq,
}

/// A change of a conversation that a listener missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissedChange {
    /// A new message.
    Posted(Arc<Message>),
    /// An edited message, or one that was reacted to.
    Updated(Arc<Message>),
    /// A deleted message.
    Deleted {
        /// The message's id.
        id: MessageId,
        /// The message's sequence.
        message: Seq,
    },
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

    /// The last remembered entry that deleted a message of this id.
    #[must_use]
    pub fn last_deletion_of(&self, id: &MessageId) -> Option<Seq> {
        self.deletions.iter().rev().find(|deletion| deletion.id == *id).map(|last| last.seq)
    }

    /// The last entry that changed this conversation: the channel's cursor.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The last entry that posted or deleted a message, among those that are kept.
    #[must_use]
    pub fn last_activity(&self) -> Seq {
        let message = self.messages.back().map(|slot| slot.seq);
        let deletion = self.deletions.back().map(|deletion| deletion.seq);
        message.max(deletion).unwrap_or_default()
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

    /// Adds a message; returns the oldest, which falls out, where there are too many.
    pub(crate) fn add(&mut self, message: Arc<Message>) -> Option<Arc<Message>> {
        self.last = message.seq;
        self.messages.push_back(Slot::of(message));
        let full = self.messages.len() > KEPT_MESSAGES;
        let fallen = if full { self.messages.pop_front() } else { None };
        fallen.map(|slot| slot.message)
    }

    /// Replaces a message by its changed form; returns the former. `None`, and no change, when it is
    /// not kept.
    pub(crate) fn replace(&mut self, message: Arc<Message>) -> Option<Arc<Message>> {
        let at = self.position(message.seq)?;
        let slot = self.messages.get_mut(at)?;
        self.last = self.last.max(message.changed.unwrap_or_default());
        Some(std::mem::replace(slot, Slot::of(message)).message)
    }

    /// Tells whether the deletion of this message is remembered.
    pub(crate) fn remembers_deleting(&self, message: Seq) -> bool {
        self.deletions.iter().any(|deletion| deletion.message == message)
    }

    /// Removes a message and remembers the deletion. Returns the message, if it was still kept, and
    /// the entry of the oldest deletion, if that had to be forgotten.
    pub(crate) fn delete(
        &mut self,
        message: Seq,
        by: Seq,
        id: MessageId,
    ) -> (Option<Arc<Message>>, Option<Seq>) {
        let removed = self.position(message).and_then(|at| self.messages.remove(at));
        self.last = by;
        self.deletions.push_back(Deletion { seq: by, id, message });
        let full = self.deletions.len() > KEPT_DELETIONS;
        let forgotten = if full { self.deletions.pop_front() } else { None };
        (removed.map(|slot| slot.message), forgotten.map(|deletion| deletion.seq))
    }

    /// The entries of all remembered deletions, oldest first.
    pub(crate) fn deletion_entries(&self) -> impl Iterator<Item = Seq> {
        self.deletions.iter().map(|deletion| deletion.seq)
    }

    /// The oldest sequence from which [`since`](Self::since) can answer without a gap.
    ///
    /// Computed from what is kept alone, so it is the same after a restart and on every node. A
    /// message falls out only while the channel is full; from then on, each message that is missing
    /// from the hundred has left a deletion. So fewer than a hundred of both mean that none ever
    /// fell out. Otherwise all that fell out came before the oldest that is kept.
    fn complete_since(&self) -> Seq {
        let before_oldest = || match (self.messages.front(), self.deletions.back()) {
            (Some(oldest), _) => Seq(oldest.seq.0 - 1),
            (None, Some(last)) => last.seq,
            (None, None) => Seq(0),
        };
        let ever_full = self.messages.len() + self.deletions.len() >= KEPT_MESSAGES;
        let messages = if ever_full { before_oldest() } else { Seq(0) };
        let deletions = match self.deletions.front() {
            Some(oldest) if self.deletions.len() == KEPT_DELETIONS => oldest.seq,
            _ => Seq(0),
        };
        messages.max(deletions)
    }

    /// The changes after `seen`, each message once, in order. O(what is kept).
    ///
    /// Messages come in their present form: a message that was seen and then changed as an update,
    /// one that was seen and then deleted as a deletion, one that was posted and deleted in between
    /// not at all.
    #[must_use]
    pub fn since(&self, seen: Seq) -> Missed {
        if seen < self.complete_since() {
            return Missed::Gap;
        }
        let missed = |message: &Arc<Message>| match message.changed {
            _ if message.seq > seen => Some((message.seq, MissedChange::Posted(message.clone()))),
            Some(by) if by > seen => Some((by, MissedChange::Updated(message.clone()))),
            _ => None,
        };
        let mut changes: Vec<_> = self.messages().filter_map(missed).collect();
        let was_seen = |deletion: &&Deletion| deletion.seq > seen && deletion.message <= seen;
        changes.extend(self.deletions.iter().filter(was_seen).map(|deletion| {
            let (id, message) = (deletion.id.clone(), deletion.message);
            (deletion.seq, MissedChange::Deleted { id, message })
        }));
        changes.sort_by_key(|(seq, _)| *seq);
        Missed::Changes(changes)
    }
}
