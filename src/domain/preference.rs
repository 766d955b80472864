//! Preferences: how a user wants each channel, on all of their devices.

use serde::{Deserialize, Serialize};

use crate::domain::channel::Channel;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{Seq, UserId};

/// The messages of a channel that a user is notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bell {
    /// Every message.
    Everything,
    /// The messages that name the user.
    Mentions,
    /// No message.
    Nothing,
}

impl Bell {
    /// The bell of a channel for which a user has chosen none: mentions in public channels,
    /// everything in direct conversations.
    #[must_use]
    pub fn default_of(channel: &Channel) -> Self {
        if channel.is_public() { Self::Mentions } else { Self::Everything }
    }
}

/// The preferences of one user for one channel, as the log keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPreferences {
    /// True for a channel that comes first in lists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starred: bool,
    /// The entry that hid the channel; `None` while it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Seq>,
    /// The bell, if the user has chosen one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bell: Option<Bell>,
    /// The entry that last changed them.
    pub changed: Seq,
}

impl ChannelPreferences {
    /// The preferences with `entry` in the place of each 0: a record cannot know its own sequence.
    #[must_use]
    pub(crate) fn written_by(self, entry: Seq) -> Self {
        let known = |seq: Seq| if seq == Seq(0) { entry } else { seq };
        Self { hidden: self.hidden.map(known), changed: known(self.changed), ..self }
    }

    /// The first kept message that showed a hidden channel to `user` again: any in a direct
    /// conversation, in a public channel one of somebody else that names them.
    #[must_use]
    pub fn shown_again(
        &self,
        channel: &Channel,
        conversation: &Conversation,
        user: &UserId,
    ) -> Option<Seq> {
        let hidden = self.hidden?;
        if channel.is_public() {
            conversation.first_naming(user, hidden)
        } else {
            conversation.first_after(hidden)
        }
    }

    /// Tells whether the channel is left out of this user's lists.
    #[must_use]
    pub fn is_hidden(&self, channel: &Channel, conversation: &Conversation, user: &UserId) -> bool {
        self.hidden.is_some() && self.shown_again(channel, conversation, user).is_none()
    }
}

/// A change of a user's preferences for a channel: each part that is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreferencesChange {
    /// Whether the channel comes first in lists.
    pub starred: Option<bool>,
    /// Whether the channel is left out of lists.
    pub hidden: Option<bool>,
    /// The messages to be notified of.
    pub bell: Option<Bell>,
}
