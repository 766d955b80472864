//! Channels in the state: the directory, and what each user sees of it.

use super::{Applied, State};
use crate::domain::channel::{Channel, ChannelRef, ChannelView, Conversation, Kind};
use crate::domain::entry::{ChannelRecord, Entry, Erase, Key};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::names::ChannelName;

impl State {
    /// The public channels by name.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.directory.values().filter_map(|id| self.channels.get(id))
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

    /// The channel that a client names.
    #[must_use]
    pub fn find(&self, named: &ChannelRef) -> Option<&Channel> {
        match named {
            ChannelRef::Named(name) => self.channel_named(name),
            ChannelRef::Id(id) => self.channel(id),
            ChannelRef::Nothing => None,
        }
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
        let last = conversation.and_then(|conversation| conversation.messages().next_back());
        let creator = channel.creator.as_ref();
        let now = |id| self.account(id).map(|account| account.user.clone());
        ChannelView {
            id: channel.id.clone(),
            name: channel.name.clone(),
            kind: Kind::Public,
            topic: channel.topic.clone(),
            created_by: creator.map(|user| now(&user.id).unwrap_or_else(|| user.clone())),
            created_at: channel.created_at,
            last_message_at: last.map(|message| message.sent_at),
            unread,
            mentions,
        }
    }

    pub(super) fn apply_channel(&mut self, entry: &Entry, record: ChannelRecord) -> Applied {
        match record {
            ChannelRecord::Open { id, name, topic, creator, created_at } => {
                let updated = created_at.is_some();
                if self.live && self.channels.contains_key(&id) != updated {
                    return Applied::refused(entry);
                }
                let (seq, created_at) = (entry.seq, created_at.unwrap_or(entry.at));
                let channel =
                    Channel { id: id.clone(), name, topic, creator, created_at, seq, updated };
                self.directory.insert(channel.name.clone(), id.clone());
                self.channels.insert(id.clone(), channel);
                self.conversations.entry(id.clone()).or_default();
                let event = if updated { Event::ChannelUpdated } else { Event::ChannelCreated };
                Applied::told(event(id))
            }
            ChannelRecord::Deleted { id } => self.delete_channel(entry, id),
        }
    }

    fn delete_channel(&mut self, entry: &Entry, id: ChannelId) -> Applied {
        let mut spent = vec![Erase::Conversation(id.clone())];
        let conversation = self.conversations.remove(&id).unwrap_or_default();
        for (user, markers) in &mut self.read_markers {
            if markers.remove(&id).is_some() {
                spent.push(Erase::Key(Key::ReadMarker(user.clone(), id.clone())));
            }
        }
        for message in conversation.messages() {
            spent.extend(self.forget_former_name(&message.author.id));
        }
        // Last: until then, a restart finds the deletion and finishes it.
        spent.push(Erase::One(entry.seq));
        let Some(channel) = self.channels.remove(&id) else {
            return Applied { spent, ..Applied::default() };
        };
        self.directory.remove(&channel.name);
        let events = vec![Event::ChannelDeleted { id, name: channel.name }];
        Applied { events, spent, refused: false }
    }
}
