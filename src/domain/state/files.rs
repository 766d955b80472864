//! Files in the state, pictures of previews among them: the message that has each of them, and their sizes
//! in sum.

use foldhash::HashMap;

use super::State;
use crate::domain::attachment::Attachment;
use crate::domain::channel::Channel;
use crate::domain::ids::{AttachmentId, ChannelId, Seq, UserId};
use crate::domain::message::Message;
use crate::domain::preview::Picture;

/// An index of the files of all messages that are kept or can be restored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    held: HashMap<AttachmentId, Location>,
    bytes: u64,
    bytes_of: HashMap<UserId, u64>,
}

/// The message that has a file, its author, and the file's size in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Location {
    channel: ChannelId,
    message: Seq,
    owner: UserId,
    size: u64,
}

impl Files {
    /// Adds the files of a message.
    pub(super) fn hold(&mut self, channel: &ChannelId, message: &Message) {
        for (id, size) in message.files() {
            let owner = message.author.id().clone();
            let (channel, message) = (channel.clone(), message.seq);
            let location = Location { channel, message, owner: owner.clone(), size };
            if self.held.insert(id.clone(), location).is_none() {
                self.bytes += size;
                *self.bytes_of.entry(owner).or_default() += size;
            }
        }
    }

    /// Removes the files of a message that is gone; returns their ids.
    pub(super) fn release(&mut self, message: &Message) -> Vec<AttachmentId> {
        message.files().filter_map(|(id, _)| self.remove(id)).collect()
    }

    /// Replaces the files of a message that was edited; returns the ids of those that it lost.
    pub(super) fn replace(
        &mut self,
        channel: &ChannelId,
        before: &Message,
        after: &Message,
    ) -> Vec<AttachmentId> {
        self.hold(channel, after);
        let kept = |id: &AttachmentId| after.files().any(|(kept, _)| kept == id);
        let before = before.files().map(|(id, _)| id);
        before.filter(|id| !kept(id)).filter_map(|id| self.remove(id)).collect()
    }

    fn remove(&mut self, id: &AttachmentId) -> Option<AttachmentId> {
        let (id, held) = self.held.remove_entry(id)?;
        self.bytes -= held.size;
        if let Some(bytes) = self.bytes_of.get_mut(&held.owner) {
            *bytes -= held.size;
            if *bytes == 0 {
                self.bytes_of.remove(&held.owner);
            }
        }
        Some(id)
    }
}

impl State {
    /// The file of this id, with the channel and the message that has it. `None` while that message is
    /// deleted.
    #[must_use]
    pub fn attachment(&self, id: &AttachmentId) -> Option<(&Channel, &Message, &Attachment)> {
        let held = self.files.held.get(id)?;
        let message = self.conversation(&held.channel)?.message_at(held.message)?;
        let attachment = message.content.attachments.iter().find(|it| it.id == *id)?;
        Some((self.channel(&held.channel)?, message, attachment))
    }

    /// The picture of this id that a preview has, with the channel of its message. `None` while that
    /// message is deleted.
    #[must_use]
    pub fn preview_picture(&self, id: &AttachmentId) -> Option<(&Channel, &Picture)> {
        let held = self.files.held.get(id)?;
        let message = self.conversation(&held.channel)?.message_at(held.message)?;
        let mut pictures = message.previews().iter().filter_map(|it| it.picture.as_ref());
        Some((self.channel(&held.channel)?, pictures.find(|picture| picture.id == *id)?))
    }

    /// The ids of all files that messages have, those of previews too, deleted ones too as long as they can be restored.
    pub fn attachment_ids(&self) -> impl Iterator<Item = &AttachmentId> {
        self.files.held.keys()
    }

    /// The size of the files of all messages together, in bytes; of deleted ones too, as long as they
    /// can be restored.
    #[must_use]
    pub fn attachment_bytes(&self) -> u64 {
        self.files.bytes
    }

    /// The size of the files of this user's messages together, in bytes.
    #[must_use]
    pub fn attachment_bytes_of(&self, user: &UserId) -> u64 {
        self.files.bytes_of.get(user).copied().unwrap_or_default()
    }
}
