//! Messages in the state.

use super::{Applied, State};
use crate::domain::entry::{ChangeRecord, Entry, Erase, Key, MessageRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq};
use crate::domain::message::Message;

impl State {
    pub(super) fn apply_message(
        &mut self,
        entry: &Entry,
        channel: ChannelId,
        record: MessageRecord,
    ) -> Applied {
        if self.live && !self.channels.contains_key(&channel) {
            return Applied::refused(entry);
        }
        let conversation = self.conversations.entry(channel.clone()).or_default();
        if conversation.message(&record.id).is_some() {
            return Applied::refused(entry);
        }
        let mut message = Message::from_record(entry.seq, entry.at, record);
        if let Some(account) = self.accounts.get(&message.author.id) {
            message.author = account.user.clone();
        }
        self.files.hold(&channel, &message);
        let seq = message.seq;
        let fallen = conversation.take(message);
        let mut applied = Applied::default();
        if let Some(fallen) = fallen {
            applied.loose = self.files.release(&fallen);
            applied.spent.extend(self.forget_former_name(&fallen.author.id));
        }
        if self.live {
            let json = self.message_json(&channel, seq);
            applied.events.extend(json.map(|json| Event::Message { channel, json }));
        }
        applied
    }

    pub(super) fn apply_change(
        &mut self,
        entry: &Entry,
        channel: &ChannelId,
        message: Seq,
        record: ChangeRecord,
    ) -> Applied {
        let Some(conversation) = self.conversations.get_mut(channel) else {
            return Applied::refused(entry);
        };
        match record {
            ChangeRecord::Present { .. } => {
                let edited = conversation.edit(message, entry.seq, record);
                let Some((before, after)) = edited else { return Applied::refused(entry) };
                let loose = self.files.replace(channel, &before, after);
                let json = self.live.then(|| self.message_json(channel, message)).flatten();
                let updated = |json| Event::MessageUpdated { channel: channel.clone(), json };
                let applied = json.map(updated).map_or_else(Applied::default, Applied::told);
                Applied { loose, ..applied }
            }
            ChangeRecord::Deleted { id } => {
                if self.live && conversation.message_at(message).is_none() {
                    return Applied::refused(entry);
                }
                let (removed, forgotten) = conversation.delete(message, entry.seq, id.clone());
                let channel = channel.clone();
                let mut applied = Applied::told(Event::MessageDeleted { channel, id, message });
                applied.spent.push(Erase::One(message));
                applied.spent.extend(forgotten.map(Erase::One));
                if let Some(removed) = removed {
                    applied.loose = self.files.release(&removed);
                    applied.spent.extend(self.forget_former_name(&removed.author.id));
                }
                applied
            }
        }
    }

    fn message_json(&self, channel: &ChannelId, message: Seq) -> Option<bytes::Bytes> {
        let called = self.channels.get(channel)?.called();
        Some(self.conversations.get(channel)?.message_at(message)?.json(&called))
    }

    /// The key that changes of a message have, and its last entry: what the next must follow.
    #[must_use]
    pub fn change_key(&self, channel: &ChannelId, message: &Message) -> (Key, Option<Seq>) {
        (Key::Change(channel.clone(), message.seq), message.changed)
    }
}
