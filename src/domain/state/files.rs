//! Files in the state: which message has which.

use std::collections::HashMap;

use super::State;
use crate::domain::attachment::Attachment;
use crate::domain::channel::{Channel, Conversation};
use crate::domain::ids::{AttachmentId, ChannelId, Seq};
use crate::domain::message::Message;

/// Every file that a kept message has.
#[derive(Debug, Default)]
pub(super) struct Files {
    held: HashMap<AttachmentId, Held>,
    bytes: u64,
}

/// Where a file is, and what it takes.
#[derive(Debug)]
struct Held {
    channel: ChannelId,
    message: Seq,
    size: u64,
}

impl Files {
    /// Notes that a message has its files.
    pub(super) fn hold(&mut self, channel: &ChannelId, message: &Message) {
        for attachment in &message.content.attachments {
            let (channel, message, size) = (channel.clone(), message.seq, attachment.size);
            if self.held.insert(attachment.id.clone(), Held { channel, message, size }).is_none() {
                self.bytes += size;
            }
        }
    }

    /// Notes that a message is gone, and gives the files that went with it.
    pub(super) fn release(&mut self, message: &Message) -> Vec<AttachmentId> {
        message.content.attachments.iter().filter_map(|it| self.let_go(&it.id)).collect()
    }

    /// Notes that a conversation is gone, and gives the files that went with it.
    pub(super) fn release_all(&mut self, conversation: &Conversation) -> Vec<AttachmentId> {
        conversation.messages().flat_map(|message| self.release(message)).collect()
    }

    /// Notes that a message has other files than before, and gives those that it has no longer.
    pub(super) fn replace(
        &mut self,
        channel: &ChannelId,
        before: &[Attachment],
        after: &Message,
    ) -> Vec<AttachmentId> {
        self.hold(channel, after);
        let kept = |id: &AttachmentId| after.content.attachments.iter().any(|it| it.id == *id);
        let before = before.iter().map(|it| &it.id);
        before.filter(|id| !kept(id)).filter_map(|id| self.let_go(id)).collect()
    }

    fn let_go(&mut self, id: &AttachmentId) -> Option<AttachmentId> {
        let (id, held) = self.held.remove_entry(id)?;
        self.bytes -= held.size;
        Some(id)
    }
}

impl State {
    /// The file of this id, with the channel and the message that has it.
    #[must_use]
    pub fn attachment(&self, id: &AttachmentId) -> Option<(&Channel, &Message, &Attachment)> {
        let held = self.files.held.get(id)?;
        let message = self.conversation(&held.channel)?.message_at(held.message)?;
        let attachment = message.content.attachments.iter().find(|it| it.id == *id)?;
        Some((self.channel(&held.channel)?, message, attachment))
    }

    /// The ids of all files that messages have.
    pub fn attachment_ids(&self) -> impl Iterator<Item = &AttachmentId> {
        self.files.held.keys()
    }

    /// How many bytes the files of all messages have together.
    #[must_use]
    pub fn attachment_bytes(&self) -> u64 {
        self.files.bytes
    }
}
