//! Events: the effects of entries that listeners are told of.

use std::sync::Arc;

use crate::domain::channel::Channel;
use crate::domain::ids::{ChannelId, MessageId, Seq, SessionId, UserId};
use crate::domain::message::Message;
use crate::domain::user::Person;

/// An effect of an entry, for listeners. Only `apply` makes events, never a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new message.
    MessagePosted(Arc<Channel>, Arc<Message>),
    /// A message was edited or reacted to, or its previews came or were hidden.
    MessageUpdated(Arc<Channel>, Arc<Message>),
    /// A message was deleted.
    MessageDeleted {
        /// The channel.
        channel: Arc<Channel>,
        /// The message's id.
        id: MessageId,
        /// The message's sequence.
        message: Seq,
    },
    /// A deleted message is at its old place again.
    MessageRestored(Arc<Channel>, Arc<Message>),
    /// A channel was created, or a direct conversation begun.
    ChannelCreated(Arc<Channel>),
    /// A channel's topic changed.
    ChannelUpdated(Arc<Channel>),
    /// A channel was deleted.
    ChannelDeleted(Arc<Channel>),
    /// A user changed their display name, or became a bot or a human again.
    Renamed(Arc<Person>),
    /// A session ended.
    SessionEnded(SessionId),
    /// A user's read markers of these channels moved, in either direction.
    Read(UserId, Vec<ChannelId>),
    /// A user wants a channel otherwise than before, or a channel that they have hidden is shown to
    /// them again.
    PreferencesChanged(UserId, ChannelId),
}

impl Event {
    /// The channel whose stream carries it; `None` for events of no one channel.
    #[must_use]
    pub fn channel(&self) -> Option<&Arc<Channel>> {
        match self {
            Self::MessagePosted(channel, _)
            | Self::MessageUpdated(channel, _)
            | Self::MessageDeleted { channel, .. }
            | Self::MessageRestored(channel, _)
            | Self::ChannelUpdated(channel)
            | Self::ChannelDeleted(channel) => Some(channel),
            Self::ChannelCreated(_)
            | Self::Renamed(_)
            | Self::SessionEnded(_)
            | Self::Read(..)
            | Self::PreferencesChanged(..) => None,
        }
    }
}
