//! Messages in the state.

use super::{Applied, State};
use crate::domain::entry::{ChangeRecord, Entry, Erase, MessageRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq};
use crate::domain::message::Message;

impl State {
    pub(super) fn apply_message(
        &mut self,
        entry: &Entry,
        channel: ChannelId,
        mut record: MessageRecord,
    ) -> Applied {
        if self.live && !self.channels.contains_key(&channel) {
            return Applied::refused(entry);
        }
        record.author = self.now(&record.author);
        let conversation = self.conversations.entry(channel.clone()).or_default();
        if conversation.message(&record.id).is_some() {
            return Applied::refused(entry);
        }
        let message = Message::from_record(entry.seq, entry.at, record);
        self.files.hold(&channel, &message);
        let seq = message.seq;
        let fallen = conversation.take(message);
        let mut applied = Applied::default();
        if let Some(fallen) = fallen {
            applied.loose = self.files.release(&fallen);
            applied.spent.extend(self.forget_former_names(fallen.people().map(|user| &user.id)));
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
        mut record: ChangeRecord,
    ) -> Applied {
        if self.live && !self.channels.contains_key(channel) {
            return Applied::refused(entry);
        }
        if let ChangeRecord::Present { reactions, .. } = &mut record {
            // Some may have been renamed since this was decided.
            for user in reactions.iter_mut().flat_map(|reacted| &mut reacted.users) {
                *user = self.now(user);
            }
        }
        let conversation = self.conversations.entry(channel.clone()).or_default();
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
                    let shown = removed.people().map(|user| &user.id);
                    applied.spent.extend(self.forget_former_names(shown));
                }
                applied
            }
        }
    }

    fn message_json(&self, channel: &ChannelId, message: Seq) -> Option<bytes::Bytes> {
        let called = self.channels.get(channel)?.called();
        Some(self.conversations.get(channel)?.message_at(message)?.json(&called))
    }
}
