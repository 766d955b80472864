//! Channels in the state: the public ones by name, and each user's direct conversations.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Bound;
use std::sync::Arc;

use super::{Applied, EntryHeader, State};
use crate::domain::channel::{Channel, ChannelKind, ChannelRef};
use crate::domain::conversation::Conversation;
use crate::domain::entry::{ChannelRecord, DirectRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq, UserId};
use crate::domain::names::{ChannelName, NameHash, Topic};
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// Largest number of channel deletions that are remembered for listeners who resume.
const KEPT_CHANNEL_DELETIONS: usize = 100;

/// A remembered deletion of a public channel; `seq` is the entry that deleted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeletedChannel {
    seq: Seq,
    id: ChannelId,
    name: ChannelName,
    key: NameHash,
}

impl State {
    /// Every channel, in no order.
    pub fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// The public channels, by name.
    #[must_use]
    pub fn public_channels(&self) -> impl ExactSizeIterator<Item = &Arc<Channel>> {
        self.directory.values()
    }

    /// The public channels whose names come after this one, by name. O(log n) to the first.
    pub fn public_channels_after(
        &self,
        name: Option<&ChannelName>,
    ) -> impl Iterator<Item = &Arc<Channel>> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.directory.range::<ChannelName, _>((from, Bound::Unbounded)).map(|(_, channel)| channel)
    }

    /// The public channels, those with the latest [events](State::last_event_in) first.
    pub fn latest_public_channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.by_last_event.values().rev().filter_map(|id| self.channels.get(id))
    }

    /// The direct conversations of this user, in no order.
    pub fn directs_of(&self, user: &UserId) -> impl Iterator<Item = &Arc<Channel>> {
        let directs = self.directs.get(user).into_iter().flatten();
        directs.filter_map(|id| self.channels.get(id))
    }

    /// The direct conversations of this user, those with the latest messages first.
    pub fn latest_directs_of(&self, user: &UserId) -> impl Iterator<Item = &Arc<Channel>> {
        let mut directs: Vec<_> = self.directs_of(user).collect();
        directs.sort_by_cached_key(|channel| {
            let conversation = self.conversations.get(&channel.id);
            Reverse(conversation.and_then(|it| Some(it.messages().next_back()?.seq)))
        });
        directs.into_iter()
    }

    /// The public channels by name, then this user's direct conversations, in no order.
    pub fn channels_of(&self, user: &UserId) -> impl Iterator<Item = &Arc<Channel>> {
        self.directory.values().chain(self.directs_of(user))
    }

    /// The channel of this id.
    #[must_use]
    pub fn channel(&self, id: &ChannelId) -> Option<&Arc<Channel>> {
        self.channels.get(id)
    }

    /// The public channel of this name.
    #[must_use]
    pub fn channel_named(&self, name: &ChannelName) -> Option<&Arc<Channel>> {
        self.directory.get(name)
    }

    /// Tells whether there is a public channel of exactly this name.
    #[must_use]
    pub fn has_channel(&self, name: &str) -> bool {
        self.directory.contains_key(name)
    }

    /// The channel that a reference of this user means, if they can see it. A direct conversation
    /// without a message is found, too, although it is not stored.
    #[must_use]
    pub fn find(&self, named: &ChannelRef, user: &UserId) -> Option<Cow<'_, Arc<Channel>>> {
        match named {
            ChannelRef::Named(name) => self.channel_named(name).map(Cow::Borrowed),
            ChannelRef::Id(id) => match self.channel(id) {
                None => self.unstored_direct(id, user).map(Cow::Owned),
                stored => stored.filter(|it| it.is_visible_to(user)).map(Cow::Borrowed),
            },
            ChannelRef::With(name) => {
                let (me, other) = (self.account(user)?, self.holder(name)?);
                let direct = Channel::direct(me.person.clone(), other.person.clone());
                let stored = self.channel(&direct.id).map(Cow::Borrowed);
                Some(stored.unwrap_or_else(|| Cow::Owned(Arc::new(direct))))
            }
            ChannelRef::Nobody | ChannelRef::Nothing => None,
        }
    }

    /// The direct conversation of this id that is not stored yet: both of its users hold a name, and
    /// this user is one of them.
    fn unstored_direct(&self, id: &ChannelId, user: &UserId) -> Option<Arc<Channel>> {
        let [one, other] = Channel::members_of(id)?;
        let (one, other) = (self.account(&one)?, self.account(&other)?);
        let direct = Channel::direct(one.person.clone(), other.person.clone());
        (direct.id == *id && direct.is_visible_to(user)).then(|| Arc::new(direct))
    }

    /// The kept messages of a channel, and its latest deletions and restorations.
    #[must_use]
    pub fn conversation(&self, id: &ChannelId) -> Option<&Arc<Conversation>> {
        self.conversations.get(id)
    }

    /// The last entry that created or changed this channel, or posted, deleted or restored a message
    /// in it. It never goes back.
    #[must_use]
    pub fn last_event_in(&self, id: &ChannelId) -> Option<Seq> {
        let channel = self.channels.get(id)?.seq();
        let activity = self.conversations.get(id).map(|it| it.last_activity());
        Some(channel.max(activity.unwrap_or_default()))
    }

    /// The public channels with an event after the entry `seen`, in the order of their last events.
    /// O(their number).
    pub fn public_channels_since(&self, seen: Seq) -> impl Iterator<Item = &Arc<Channel>> {
        let later = self.by_last_event.range(Seq(seen.0 + 1)..);
        later.filter_map(|(_, id)| self.channels.get(id))
    }

    /// The last entry with an event that everybody sees: of a public channel, a deletion of one, or a
    /// rename. It goes back when somebody leaves who was renamed last. O(log n).
    #[must_use]
    pub fn last_public_event(&self) -> Seq {
        let channel = self.by_last_event.last_key_value().map(|(seq, _)| *seq);
        let deletion = self.deleted_channels.back().map(|deleted| deleted.seq);
        channel.max(deletion).max(self.last_rename()).unwrap_or_default()
    }

    /// Moves a public channel to its place by its last event, which was `before`.
    pub(super) fn move_by_last_event(&mut self, id: &ChannelId, before: Option<Seq>) {
        if !self.channels.get(id).is_some_and(|channel| channel.is_public()) {
            return;
        }
        if let Some(before) = before {
            self.by_last_event.remove(&before);
        }
        let now = self.last_event_in(id);
        self.by_last_event.extend(now.map(|now| (now, id.clone())));
    }

    /// The last kept entry under the key of this channel name: the expectation for the next one.
    #[must_use]
    pub fn last_of_channel_name(&self, name: &ChannelName) -> Option<Seq> {
        self.keyed.last(&name.hash())
    }

    /// The deletions of public channels after the entry `seen`, in order, each with its entry and the
    /// channel's name. `None` where some of them may be forgotten.
    #[must_use]
    pub fn channels_deleted_since(&self, seen: Seq) -> Option<Vec<(Seq, &ChannelName)>> {
        let deleted = &self.deleted_channels;
        if deleted.len() == KEPT_CHANNEL_DELETIONS
            && deleted.front().is_some_and(|it| seen < it.seq)
        {
            return None;
        }
        let later = deleted.iter().filter(|deleted| deleted.seq > seen);
        Some(later.map(|deleted| (deleted.seq, &deleted.name)).collect())
    }

    pub(super) fn apply_channel(
        &mut self,
        entry: EntryHeader,
        key: NameHash,
        record: ChannelRecord,
    ) -> Applied {
        match record {
            ChannelRecord::Deleted { id, name } => self.delete_channel(entry, key, &id, name),
            ChannelRecord::Open { id, name, topic, creator, created_at } => {
                let creator = creator.map(|creator| creator.id);
                let opened = Opened { id, name, topic, creator, created_at };
                self.open_channel(entry, key, opened)
            }
        }
    }

    fn open_channel(&mut self, entry: EntryHeader, key: NameHash, opened: Opened) -> Applied {
        let Opened { id, name, topic, creator, created_at } = opened;
        let present = self.channels.get(&id);
        let is_change = created_at.is_some();
        if present.is_some() != is_change && !entry.lenient {
            return entry.refused();
        }
        let last_event = self.last_event_in(&id);
        let mut applied = Applied::default();
        if let Some(superseded) = present.and_then(|present| present.updated) {
            applied.spent.push(superseded);
            self.keyed.remove(&key, superseded);
        }
        let channel = Arc::new(Channel {
            id: id.clone(),
            kind: ChannelKind::Public { name: name.clone(), topic, creator },
            created_at: Some(created_at.unwrap_or(entry.at)),
            created: present.map_or(entry.seq, |present| present.created),
            // A change that comes first, in what version 1 left, stands for the creation too.
            updated: present.is_some().then_some(entry.seq),
        });
        if let Some(present) = present {
            self.concerning.remove_channel(present);
        }
        self.concerning.add_channel(&channel);
        self.keyed.add(&key, entry.seq);
        self.directory.insert(name, channel.clone());
        self.channels.insert(id.clone(), channel.clone());
        self.conversations.entry(id.clone()).or_default();
        self.move_by_last_event(&id, last_event);
        let event = if is_change { Event::ChannelUpdated } else { Event::ChannelCreated };
        applied.events.push(event(channel));
        applied
    }

    fn delete_channel(
        &mut self,
        entry: EntryHeader,
        key: NameHash,
        id: &ChannelId,
        name: Option<ChannelName>,
    ) -> Applied {
        if self.deleted_channels.iter().any(|deleted| deleted.id == *id) {
            return entry.refused();
        }
        let mut applied = Applied::default();
        if let Some(channel) = self.forget_channel(id, &mut applied) {
            for entry in channel.updated.into_iter().chain([channel.created]) {
                self.keyed.remove(&key, entry);
            }
            applied.events.push(Event::ChannelDeleted(channel));
        }
        let Some(name) = name else {
            // Version 1 did not remember deletions.
            applied.spent.push(entry.seq);
            return applied;
        };
        if self.directory.get(&name).is_some_and(|channel| channel.id == *id) {
            self.directory.remove(&name);
        }
        self.keyed.add(&key, entry.seq);
        self.deleted_channels.push_back(DeletedChannel {
            seq: entry.seq,
            id: id.clone(),
            name,
            key,
        });
        if self.deleted_channels.len() > KEPT_CHANNEL_DELETIONS
            && let Some(forgotten) = self.deleted_channels.pop_front()
        {
            self.keyed.remove(&forgotten.key, forgotten.seq);
            applied.spent.push(forgotten.seq);
        }
        applied
    }

    pub(super) fn apply_direct(&mut self, entry: EntryHeader, record: DirectRecord) -> Applied {
        let somebody = record.members.iter().any(|user| self.account(&user.id).is_some());
        if !somebody && !entry.lenient {
            return entry.refused();
        }
        let [one, other] = record.members.map(|user| self.acquire_person(user));
        let mut channel = Channel::direct(one, other);
        if let ChannelKind::Direct { begun_by, .. } = &mut channel.kind {
            *begun_by = record.begun_by;
        }
        let channel =
            Arc::new(Channel { created_at: Some(entry.at), created: entry.seq, ..channel });
        let id = &channel.id;
        if self.channels.contains_key(id) {
            let mut applied = entry.refused();
            for member in channel.members() {
                self.release_person(member.id(), &mut applied);
            }
            return applied;
        }
        for member in channel.members() {
            self.directs.entry(member.id().clone()).or_default().insert(id.clone());
        }
        self.channels.insert(id.clone(), channel.clone());
        self.conversations.entry(id.clone()).or_default();
        Applied { events: vec![Event::ChannelCreated(channel)], ..Applied::default() }
    }

    /// Drops this user's direct conversations whose other user has left, too.
    pub(super) fn forget_abandoned_directs_of(&mut self, user: &UserId, applied: &mut Applied) {
        let directs = self.directs.get(user).into_iter().flatten();
        let abandoned: Vec<_> = directs.filter(|id| self.is_abandoned(id)).cloned().collect();
        for id in abandoned {
            self.forget_channel(&id, applied);
        }
    }

    /// Tells whether this is a direct conversation of two users who have both left.
    fn is_abandoned(&self, id: &ChannelId) -> bool {
        let members = self.channels.get(id).map_or(&[][..], |channel| channel.members());
        !members.is_empty() && members.iter().all(|member| self.account(member.id()).is_none())
    }

    /// Drops the conversations without a channel, and direct ones whose users have both left.
    pub(super) fn drop_ownerless_conversations(&mut self, applied: &mut Applied) {
        let ownerless = |id: &&ChannelId| !self.channels.contains_key(*id) || self.is_abandoned(id);
        let mut ownerless: Vec<_> = self.conversations.keys().filter(ownerless).cloned().collect();
        ownerless.sort();
        for id in ownerless {
            self.forget_channel(&id, applied);
        }
    }

    /// Removes a channel with its conversation, and spends the entries of both: the channel's own
    /// last.
    fn forget_channel(&mut self, id: &ChannelId, applied: &mut Applied) -> Option<Arc<Channel>> {
        if let Some(last_event) = self.last_event_in(id) {
            self.by_last_event.remove(&last_event);
        }
        let conversation = self.conversations.remove(id).unwrap_or_default();
        let (messages, removals) = Arc::unwrap_or_clone(conversation).into_parts();
        self.release_messages(id, messages, applied);
        applied.spent.extend(removals);
        self.forget_preferences_for(id);
        self.forget_hooks_of(id, applied);
        let channel = self.channels.remove(id)?;
        self.concerning.remove_channel(&channel);
        applied.spent.extend(channel.updated);
        applied.spent.push(channel.created);
        match &channel.kind {
            ChannelKind::Public { name, .. } => {
                self.directory.remove(name);
            }
            ChannelKind::Direct { members, .. } => self.forget_members(id, members, applied),
        }
        Some(channel)
    }

    fn forget_members(
        &mut self,
        id: &ChannelId,
        members: &[Arc<Person>; 2],
        applied: &mut Applied,
    ) {
        for member in members {
            if let Some(directs) = self.directs.get_mut(member.id()) {
                directs.remove(id);
                if directs.is_empty() {
                    self.directs.remove(member.id());
                }
            }
            self.release_person(member.id(), applied);
        }
    }
}

/// The fields of a record that opens or changes a channel.
struct Opened {
    id: ChannelId,
    name: ChannelName,
    topic: Topic,
    creator: Option<UserId>,
    created_at: Option<Timestamp>,
}
