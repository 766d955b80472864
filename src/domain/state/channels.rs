//! Channels in the state: the directory, and what each user sees of it.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::{Applied, State};
use crate::domain::channel::{Channel, ChannelRef, ChannelView, Conversation, Kind};
use crate::domain::entry::{ChannelRecord, DirectRecord, Entry, Erase, Key};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::message::Message;
use crate::domain::names::{ChannelName, Topic};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

impl State {
    /// Every channel, in no order.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// The public channels by name, then this user's direct conversations, latest first.
    pub fn channels_of(&self, user: &UserId) -> impl Iterator<Item = &Channel> {
        let of = |id: &ChannelId| self.channels.get(id);
        let directs = self.directs.get(user).into_iter().flatten();
        let mut directs: Vec<_> = directs.filter_map(of).collect();
        directs.sort_by_key(|channel| Reverse(self.last_message_at(&channel.id)));
        self.directory.values().filter_map(of).chain(directs)
    }

    /// The channel of this id.
    #[must_use]
    pub fn channel(&self, id: &ChannelId) -> Option<&Channel> {
        self.channels.get(id)
    }

    /// The public channel of this name.
    #[must_use]
    pub fn channel_named(&self, name: &ChannelName) -> Option<&Channel> {
        self.channel(self.directory.get(name)?)
    }

    /// The channel that this user names, if there is one for them. A direct conversation without a
    /// message is not stored yet, and there all the same.
    #[must_use]
    pub fn find(&self, named: &ChannelRef, user: &UserId) -> Option<Cow<'_, Channel>> {
        let found = match named {
            ChannelRef::Named(name) => self.channel_named(name),
            ChannelRef::Id(id) => {
                return match self.channel(id) {
                    None => self.unbegun(id, user).map(Cow::Owned),
                    stored => stored.filter(|it| it.is_visible_to(user)).map(Cow::Borrowed),
                };
            }
            ChannelRef::With(name) => {
                let (me, other) = (self.account(user)?, self.holder(name)?);
                let direct = Channel::direct(me.user.clone(), other.user.clone());
                let stored = self.channel(&direct.id).map(Cow::Borrowed);
                return Some(stored.unwrap_or(Cow::Owned(direct)));
            }
            ChannelRef::Nobody | ChannelRef::Nothing => None,
        };
        found.filter(|channel| channel.is_visible_to(user)).map(Cow::Borrowed)
    }

    /// The direct conversation of this id that could begin: both of its users are here, and one of
    /// them is this one.
    fn unbegun(&self, id: &ChannelId, user: &UserId) -> Option<Channel> {
        let [one, other] = Channel::members_of(id)?;
        let (one, other) = (self.account(&one)?, self.account(&other)?);
        let direct = Channel::direct(one.user.clone(), other.user.clone());
        (direct.id == *id && direct.is_visible_to(user)).then_some(direct)
    }

    /// What is kept of a channel.
    #[must_use]
    pub fn conversation(&self, id: &ChannelId) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    /// A channel as this user sees it.
    #[must_use]
    pub fn view(&self, channel: &Channel, user: &UserId) -> ChannelView {
        let conversation = self.conversations.get(&channel.id);
        let read = self.read_up_to(user, &channel.id);
        let (unread, mentions) =
            conversation.map_or((0, 0), |conversation| conversation.unread(user, read));
        let (name, kind, with, topic, created_by) = match &channel.kind {
            Kind::Public { name, topic, creator } => {
                let creator = creator.as_ref().map(|creator| self.now(creator));
                (name.as_str().to_owned(), "public", None, topic.clone(), creator)
            }
            Kind::Direct(members) => {
                let other = members.iter().find(|member| member.id != *user);
                let other = self.now(other.unwrap_or(&members[0]));
                let name = format!("@{}", other.display_name);
                (name, "direct", Some(other), Topic::default(), None)
            }
        };
        ChannelView {
            id: channel.id.clone(),
            name,
            kind,
            with,
            topic,
            created_by,
            created_at: channel.created_at,
            last_message_at: self.last_message_at(&channel.id),
            unread,
            mentions,
        }
    }

    /// Somebody under the name that they have now, or had last.
    pub(super) fn now(&self, user: &User) -> User {
        match (self.account(&user.id), self.former_names.get(&user.id)) {
            (Some(account), _) => account.user.clone(),
            (None, Some(former)) => {
                User { id: user.id.clone(), display_name: former.display_name.clone() }
            }
            (None, None) => user.clone(),
        }
    }

    fn last_message_at(&self, channel: &ChannelId) -> Option<Timestamp> {
        let mut messages = self.conversations.get(channel)?.messages();
        messages.next_back().map(|message| message.sent_at)
    }

    pub(super) fn apply_channel(&mut self, entry: &Entry, record: ChannelRecord) -> Applied {
        match record {
            ChannelRecord::Open { id, name, topic, creator, created_at } => {
                let updated = created_at.is_some();
                if self.live && self.channels.contains_key(&id) != updated {
                    return Applied::refused(entry);
                }
                let (seq, created_at) = (entry.seq, Some(created_at.unwrap_or(entry.at)));
                self.directory.insert(name.clone(), id.clone());
                let kind = Kind::Public { name, topic, creator };
                let channel = Channel { id: id.clone(), kind, created_at, seq, updated };
                self.channels.insert(id.clone(), channel);
                self.conversations.entry(id.clone()).or_default();
                let event = if updated { Event::ChannelUpdated } else { Event::ChannelCreated };
                Applied::told(event(id))
            }
            ChannelRecord::Deleted { id } => self.delete_channel(entry, id),
        }
    }

    pub(super) fn apply_direct(&mut self, entry: &Entry, record: DirectRecord) -> Applied {
        let [one, other] = record.members;
        let known = [&one, &other].iter().all(|user| self.accounts.contains_key(&user.id));
        if self.live && !known {
            return Applied::refused(entry);
        }
        let created_at = Some(entry.at);
        let channel = Channel { created_at, seq: entry.seq, ..Channel::direct(one, other) };
        let id = channel.id.clone();
        if let Kind::Direct(members) = &channel.kind {
            for member in members {
                self.directs.entry(member.id.clone()).or_default().insert(id.clone());
            }
        }
        self.channels.insert(id.clone(), channel);
        self.conversations.entry(id.clone()).or_default();
        Applied::told(Event::ChannelCreated(id))
    }

    /// Drops the direct conversations that nobody is left to read.
    pub(super) fn forget_lonely_directs(&mut self) -> Applied {
        let left = |user: &User| !self.accounts.contains_key(&user.id);
        let lonely = self.channels.values().filter(
            |channel| matches!(&channel.kind, Kind::Direct(members) if members.iter().all(left)),
        );
        let lonely: Vec<_> = lonely.map(|channel| channel.id.clone()).collect();
        self.forget_directs(&lonely)
    }

    /// Drops those of this user, who has left, that nobody else is left to read.
    pub(super) fn forget_directs_of(&mut self, user: &UserId) -> Applied {
        let directs = self.directs.get(user).cloned().unwrap_or_default();
        let alone = |id: &&ChannelId| {
            let kind = self.channels.get(id).map(|channel| &channel.kind);
            let Some(Kind::Direct(members)) = kind else { return false };
            members.iter().all(|member| !self.accounts.contains_key(&member.id))
        };
        let lonely: Vec<_> = directs.iter().filter(alone).cloned().collect();
        self.forget_directs(&lonely)
    }

    fn forget_directs(&mut self, ids: &[ChannelId]) -> Applied {
        let mut applied = Applied::default();
        for id in ids {
            let channel = self.channels.remove(id);
            let Some(Channel { kind: Kind::Direct(members), .. }) = channel else { continue };
            for member in &members {
                if let Some(directs) = self.directs.get_mut(&member.id) {
                    directs.remove(id);
                }
            }
            let conversation = self.conversations.remove(id).unwrap_or_default();
            applied.loose.extend(self.files.release_all(&conversation));
            applied.spent.push(Erase::Conversation(id.clone()));
            applied.spent.push(Erase::Key(Key::Direct(id.clone())));
        }
        self.directs.retain(|_, directs| !directs.is_empty());
        if !ids.is_empty() {
            let former: Vec<_> = self.former_names.keys().cloned().collect();
            applied.spent.extend(self.forget_former_names(&former));
        }
        applied
    }

    fn delete_channel(&mut self, entry: &Entry, id: ChannelId) -> Applied {
        let mut spent = vec![Erase::Conversation(id.clone())];
        let conversation = self.conversations.remove(&id).unwrap_or_default();
        for (user, markers) in &mut self.read_markers {
            if markers.remove(&id).is_some() {
                spent.push(Erase::Key(Key::ReadMarker(user.clone(), id.clone())));
            }
        }
        let loose = self.files.release_all(&conversation);
        let channel = self.channels.remove(&id);
        let shown = conversation.messages().flat_map(Message::people);
        let shown = shown.chain(channel.iter().filter_map(Channel::creator));
        spent.extend(self.forget_former_names(shown.map(|user| &user.id)));
        let mut events = Vec::new();
        if let Some(Channel { kind: Kind::Public { name, .. }, .. }) = channel {
            self.directory.remove(&name);
            events.push(Event::ChannelDeleted { id, name });
        }
        // Last: until then, a restart finds the deletion and finishes it.
        spent.push(Erase::One(entry.seq));
        Applied { events, spent, loose, refused: false }
    }
}
