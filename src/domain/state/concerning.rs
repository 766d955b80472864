//! An index of the channels that concern each user.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::State;
use crate::domain::channel::Channel;
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::message::Message;

/// The channels that each user created, or that hold messages by or naming them, with the number of
/// these reasons. Deleted messages count as long as they can be restored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Concerning(HashMap<UserId, BTreeMap<ChannelId, u32>>);

impl Concerning {
    /// Counts the creator of a channel.
    pub(super) fn add_channel(&mut self, channel: &Channel) {
        if let Some(user) = channel.creator() {
            self.add(user, &channel.id);
        }
    }

    /// Takes the creator of a channel out of the count.
    pub(super) fn remove_channel(&mut self, channel: &Channel) {
        if let Some(user) = channel.creator() {
            self.remove(user, &channel.id);
        }
    }

    /// Counts those whom a message of this channel concerns.
    pub(super) fn add_message(&mut self, channel: &ChannelId, message: &Message) {
        for user in concerned(message) {
            self.add(user, channel);
        }
    }

    /// Takes those whom a message of this channel concerns out of the count.
    pub(super) fn remove_message(&mut self, channel: &ChannelId, message: &Message) {
        for user in concerned(message) {
            self.remove(user, channel);
        }
    }

    fn add(&mut self, user: &UserId, channel: &ChannelId) {
        let channels = self.0.entry(user.clone()).or_default();
        *channels.entry(channel.clone()).or_default() += 1;
    }

    fn remove(&mut self, user: &UserId, channel: &ChannelId) {
        let Some(channels) = self.0.get_mut(user) else { return };
        let Some(reasons) = channels.get_mut(channel) else { return };
        *reasons -= 1;
        if *reasons == 0 {
            channels.remove(channel);
        }
        if channels.is_empty() {
            self.0.remove(user);
        }
    }
}

/// The author of a message, and the users whom it names; who names themselves comes twice.
fn concerned(message: &Message) -> impl Iterator<Item = &UserId> {
    std::iter::once(message.author.id()).chain(&message.content.mentions)
}

impl State {
    /// The channels that this user created, or that hold a message by or naming them, in no order. One
    /// that was deleted is enough, as long as it can be restored. O(their number).
    pub fn channels_concerning(&self, user: &UserId) -> impl Iterator<Item = &Arc<Channel>> {
        let channels = self.concerning.0.get(user).into_iter().flatten();
        channels.filter_map(|(id, _)| self.channels.get(id))
    }
}
