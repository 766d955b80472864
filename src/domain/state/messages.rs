//! Messages in the state: posting, changing, deleting, restoring, falling out.
//!
//! A deleted message keeps its entries and its files as long as it can be restored: until an erasure
//! (an entry, too: time alone changes nothing here), until it is too old for its channel, or until its
//! deletion is forgotten.

use std::sync::Arc;

use super::{Applied, EntryHeader, State};
use crate::domain::conversation::{Deletion, Dropped, Forgotten, Restoring};
use crate::domain::entry::{ChangeRecord, ErasureRecord, MessageRecord, PresentRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, MessageId, Seq, UserId};
use crate::domain::message::{Message, RenderingCache};
use crate::domain::reaction::{ReactionGroup, ReactionGroupRecord};
use crate::domain::user::Person;

impl State {
    pub(super) fn apply_message(
        &mut self,
        entry: EntryHeader,
        id: ChannelId,
        record: MessageRecord,
    ) -> Applied {
        let channel = self.channels.get(&id).cloned();
        if channel.is_none() && !entry.lenient {
            return entry.refused();
        }
        // The channel's own copy: the index then holds no other one for each message.
        let id = channel.as_ref().map_or(id, |channel| channel.id.clone());
        let known = self.conversations.get(&id);
        if known.is_some_and(|conversation| conversation.message(&record.id).is_some()) {
            return entry.refused();
        }
        let author = match record.hook {
            None => self.acquire_person(record.author),
            // No user: it keeps its name, whatever the hook is called by the next message.
            Some(_) => Arc::new(Person::new(record.author)),
        };
        let message = Arc::new(Message {
            seq: entry.seq,
            id: record.id,
            author,
            hook: record.hook.map(Box::new),
            content: record.content,
            sent_at: entry.at,
            edited_at: None,
            reactions: Box::default(),
            previews: None,
            changed: None,
            rendering: RenderingCache::default(),
        });
        self.files.hold(&id, &message);
        self.count_text(&message);
        self.concerning.add_message(&id, &message);
        self.held_messages += 1;
        let last_event = self.last_event_in(&id);
        let hidden_from = channel.as_ref().map(|channel| self.hidden_from(channel, &message));
        let conversation = Arc::make_mut(self.conversations.entry(id.clone()).or_default());
        let fallen = conversation.add(message.clone());
        self.move_by_last_event(&id, last_event);
        let mut applied = Applied::default();
        self.release_messages(&id, fallen, &mut applied);
        if let Some(channel) = channel {
            applied.events.push(Event::MessagePosted(channel.clone(), message));
            applied.events.extend(self.shown_to(&channel, hidden_from.unwrap_or_default()));
        }
        applied
    }

    pub(super) fn apply_change(
        &mut self,
        entry: EntryHeader,
        channel: &ChannelId,
        message: Seq,
        record: ChangeRecord,
    ) -> Applied {
        if !self.channels.contains_key(channel) && !entry.lenient {
            return entry.refused();
        }
        match record {
            ChangeRecord::Present(PresentRecord { content, edited_at, reactions, previews }) => {
                let kept = self.conversations.get(channel).and_then(|it| it.message_at(message));
                let Some(before) = kept.cloned() else { return entry.refused() };
                let content = content.unwrap_or_else(|| before.content.clone());
                let after = Arc::new(Message {
                    seq: message,
                    id: before.id.clone(),
                    author: before.author.clone(),
                    hook: before.hook.clone(),
                    content,
                    sent_at: before.sent_at,
                    edited_at,
                    reactions: self.show_reactions(reactions),
                    previews: (!previews.is_default()).then(|| Box::new(previews)),
                    changed: Some(entry.seq),
                    rendering: RenderingCache::default(),
                });
                self.replace_message(channel, &before, after)
            }
            ChangeRecord::Deleted { id, by } => {
                self.delete_message(entry, channel, message, id, by)
            }
            ChangeRecord::Restored { id } => self.restore_message(entry, channel, message, id),
        }
    }

    fn delete_message(
        &mut self,
        entry: EntryHeader,
        channel: &ChannelId,
        message: Seq,
        id: MessageId,
        by: Option<UserId>,
    ) -> Applied {
        let last_event = self.last_event_in(channel);
        let conversation = Arc::make_mut(self.conversations.entry(channel.clone()).or_default());
        if conversation.remembers_deleting(message) {
            return entry.refused();
        }
        // Remembered even where the message fell out before: once it is erased, a replay cannot tell
        // whether it was still there.
        let can_be_undone = by.is_some();
        let (seq, at) = (entry.seq, entry.at);
        let deletion = Deletion { seq, id: id.clone(), message, by, at };
        let (removed, forgotten) = conversation.delete(deletion);
        self.move_by_last_event(channel, last_event);
        let mut applied = Applied::default();
        if let Some(removed) = removed {
            if can_be_undone {
                self.restorable.insert(entry.seq, channel.clone());
            } else {
                self.release_message(channel, &removed, &mut applied);
            }
            let channel = self.channels.get(channel).cloned();
            let deleted = |channel| Event::MessageDeleted { channel, id, message };
            applied.events.extend(channel.map(deleted));
        }
        self.forget_removal(channel, forgotten, &mut applied);
        applied
    }

    fn restore_message(
        &mut self,
        entry: EntryHeader,
        channel: &ChannelId,
        message: Seq,
        id: MessageId,
    ) -> Applied {
        let last_event = self.last_event_in(channel);
        let conversation = Arc::make_mut(self.conversations.entry(channel.clone()).or_default());
        let (restoring, forgotten) = conversation.restore(entry.seq, id, message, entry.at);
        let mut applied = match restoring {
            Restoring::Refused => return entry.refused(),
            // Remembered for the same reason as a deletion.
            Restoring::Nothing => Applied { refused: true, ..Applied::default() },
            Restoring::Restored { message, deleted, fallen } => {
                self.restorable.remove(&deleted);
                let mut applied = Applied::default();
                self.release_messages(channel, fallen, &mut applied);
                let channel = self.channels.get(channel).cloned();
                let restored = |channel| Event::MessageRestored(channel, message);
                applied.events.extend(channel.map(restored));
                applied
            }
        };
        self.move_by_last_event(channel, last_event);
        self.forget_removal(channel, forgotten, &mut applied);
        applied
    }

    /// Ends the time in which deletions could be undone, of all up to an entry.
    pub(super) fn apply_erasure(&mut self, entry: EntryHeader, record: ErasureRecord) -> Applied {
        let mut applied = Applied::default();
        while let Some((deleted, channel)) = self.restorable.first_key_value()
            && *deleted <= record.until
        {
            let (deleted, channel) = (*deleted, channel.clone());
            let conversation = self.conversations.get_mut(&channel);
            let dropped = conversation.and_then(|it| Arc::make_mut(it).drop_deleted(deleted));
            self.restorable.remove(&deleted);
            self.release_messages(&channel, dropped, &mut applied);
        }
        applied.refused = applied.spent.is_empty();
        // Last: a replay that still finds the messages must find it, too.
        applied.spent.push(entry.seq);
        applied
    }

    fn replace_message(
        &mut self,
        channel: &ChannelId,
        before: &Arc<Message>,
        after: Arc<Message>,
    ) -> Applied {
        let mut applied = Applied::default();
        let channel_of = self.channels.get(channel).cloned();
        let hidden_from = channel_of.as_ref().map(|channel| self.hidden_from(channel, &after));
        if let Some(conversation) = self.conversations.get_mut(channel) {
            Arc::make_mut(conversation).replace(after.clone());
        }
        self.discount_text(before);
        self.count_text(&after);
        self.concerning.remove_message(channel, before);
        self.concerning.add_message(channel, &after);
        applied.orphaned_files = self.files.replace(channel, before, &after);
        applied.spent.extend(before.changed);
        // Not the author, the first: the changed message shows them, too.
        for person in before.people().skip(1) {
            self.release_person(person.id(), &mut applied);
        }
        if let Some(channel) = channel_of {
            applied.events.push(Event::MessageUpdated(channel.clone(), after));
            applied.events.extend(self.shown_to(&channel, hidden_from.unwrap_or_default()));
        }
        applied
    }

    fn show_reactions(&mut self, reactions: Vec<ReactionGroupRecord>) -> Box<[ReactionGroup]> {
        let shown = reactions.into_iter().map(|ReactionGroupRecord { reaction, users }| {
            let users = users.into_iter().map(|user| self.acquire_person(user)).collect();
            ReactionGroup { reaction, users }
        });
        shown.collect()
    }

    /// Forgets a deletion or restoration, with the message that could be restored until now.
    fn forget_removal(
        &mut self,
        channel: &ChannelId,
        forgotten: Option<Forgotten>,
        applied: &mut Applied,
    ) {
        if let Some(Forgotten { seq, dropped }) = forgotten {
            // The message first: a replay without its deletion would find it undeleted.
            self.release_messages(channel, dropped, applied);
            applied.spent.push(seq);
        }
    }

    /// Releases messages that the conversation of a channel no longer holds.
    pub(super) fn release_messages(
        &mut self,
        channel: &ChannelId,
        dropped: impl IntoIterator<Item = Dropped>,
        applied: &mut Applied,
    ) {
        for Dropped { message, deleted } in dropped {
            if let Some(deleted) = deleted {
                self.restorable.remove(&deleted);
            }
            self.release_message(channel, &message, applied);
        }
    }

    /// Releases what a message that is no longer kept holds, and spends its entries.
    fn release_message(&mut self, channel: &ChannelId, message: &Message, applied: &mut Applied) {
        applied.spent.extend(message.changed);
        applied.spent.push(message.seq);
        self.discount_text(message);
        self.concerning.remove_message(channel, message);
        self.held_messages -= 1;
        applied.orphaned_files.extend(self.files.release(message));
        for person in message.people() {
            self.release_person(person.id(), applied);
        }
    }
}
