//! Channels as clients see them.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::user::UserView;
use crate::domain::channel::{Channel, ChannelKind};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ChannelId, Seq};
use crate::domain::names::Topic;
use crate::domain::preference::{Bell, ChannelPreferences};
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// A channel, as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelView {
    /// The channel's id. `id:` and it name the channel in an address.
    #[schema(value_type = String)]
    pub id: ChannelId,
    /// The name; of a direct conversation, `@` and the other user's present display name.
    pub name: String,
    /// The kind.
    pub kind: ChannelKindView,
    /// The other user of a direct conversation, under their present or last name; the caller where
    /// it is their own notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UserView, required = false)]
    pub with: Option<UserView>,
    /// The topic; empty where there is none.
    #[schema(value_type = String)]
    pub topic: Topic,
    /// The creator; `null` for `general`, for direct conversations, and where the creator is no
    /// user any more.
    #[schema(required = true)]
    pub created_by: Option<UserView>,
    /// The time of its creation; `null` for a direct conversation without a message.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub created_at: Option<Timestamp>,
    /// The time of its latest kept message; `null` where there is none.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_message_at: Option<Timestamp>,
    /// The number of kept messages.
    pub messages: usize,
    /// The number of kept messages of others after the caller's read marker.
    pub unread: usize,
    /// The number of those that name the caller.
    pub mentions: usize,
    /// How the caller wants the channel.
    pub mine: MineView,
}

/// How the caller wants a channel, on all of their devices. Nobody else is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Mine)]
pub struct MineView {
    /// Whether it comes first in the caller's lists.
    pub starred: bool,
    /// Whether it is left out of the caller's lists, until somebody names them in it, or says anything
    /// in a direct conversation.
    pub hidden: bool,
    /// The messages that the caller is notified of. As long as they have chosen none: `mentions` in
    /// public channels, `everything` in direct conversations.
    pub bell: BellView,
}

/// The messages that a user is notified of: all, those that name them, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Bell)]
pub enum BellView {
    /// Every message.
    Everything,
    /// The messages that name the user.
    Mentions,
    /// No message.
    Nothing,
}

impl From<Bell> for BellView {
    fn from(bell: Bell) -> Self {
        match bell {
            Bell::Everything => Self::Everything,
            Bell::Mentions => Self::Mentions,
            Bell::Nothing => Self::Nothing,
        }
    }
}

impl From<BellView> for Bell {
    fn from(bell: BellView) -> Self {
        match bell {
            BellView::Everything => Self::Everything,
            BellView::Mentions => Self::Mentions,
            BellView::Nothing => Self::Nothing,
        }
    }
}

/// The kind of a channel: `public`, seen by everybody, or `direct`, a conversation that only its
/// two users see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChannelKind)]
pub enum ChannelKindView {
    /// A channel that everybody sees.
    Public,
    /// A conversation that only its two users see.
    Direct,
}

/// The channels that the caller can see.
#[derive(ToSchema)]
pub struct ChannelList {
    /// Every public channel by name, then the caller's direct conversations, latest first.
    #[schema(inline)]
    pub channels: Vec<ListedChannel>,
}

/// A channel of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedChannel {
    /// The channel.
    #[serde(flatten)]
    pub channel: ChannelView,
    /// The place in the channel's stream at which it is so: listen after it. It is another one once
    /// anything has happened there.
    pub cursor: String,
}

/// A channel with the users who listen to it.
#[derive(Serialize, ToSchema)]
pub struct ChannelDetails {
    /// The channel.
    pub channel: ChannelView,
    /// The users who listen to it now.
    pub online: Vec<UserView>,
}

/// The body of `POST /api/channels`.
#[derive(Deserialize, ToSchema)]
pub struct CreateChannel {
    /// 1 to 64 letters, digits and marks of any script, `-`, `_` and `.`, but not `.` or `..`
    /// (RFC 8265, UsernameCaseMapped). Stored in lower case.
    #[schema(min_length = 1, examples("launch"))]
    pub name: String,
    /// One line of at most 250 characters.
    #[serde(default)]
    #[schema(examples("Countdown"))]
    pub topic: String,
}

/// The body of `PATCH /api/channels/<channel>`.
#[derive(Deserialize, ToSchema)]
pub struct SetTopic {
    /// One line of at most 250 characters; empty for none.
    #[schema(examples("Lift-off"))]
    pub topic: String,
}

/// The body of `PATCH /api/channels/<channel>/mine`. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct SetMine {
    /// Whether the channel comes first in lists.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub starred: Option<bool>,
    /// Whether the channel is left out of lists, until it calls the caller.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub hidden: Option<bool>,
    /// The messages to be notified of.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub bell: Option<BellView>,
}

/// Reads a field that can be left out but, where it is there, has a value: `null` is none.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// The body of `PUT /api/channels/<channel>/read`.
#[derive(Deserialize, ToSchema)]
pub struct MarkRead {
    /// The id of the last message that was read.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", examples("status"))]
    pub message: String,
}

/// A snapshot of a channel with what is needed to show it to a user.
#[derive(Clone, Debug)]
pub struct ChannelSnapshot {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The channel's kept messages.
    pub conversation: Arc<Conversation>,
    /// The user who created it, while they hold a name.
    pub creator: Option<Arc<Person>>,
    /// The last message that the user has read.
    pub read: Seq,
    /// The user's preferences for the channel.
    pub preferences: ChannelPreferences,
}

impl ChannelSnapshot {
    /// The view of the channel that this user, whose snapshot it is, gets.
    #[must_use]
    pub fn view(&self, me: &Arc<Person>) -> ChannelView {
        let Self { channel, creator, .. } = self;
        let (unread, mentions) = self.unread(me);
        let (kind, topic) = match &channel.kind {
            ChannelKind::Public { topic, .. } => (ChannelKindView::Public, topic.clone()),
            ChannelKind::Direct { .. } => (ChannelKindView::Direct, Topic::default()),
        };
        ChannelView {
            id: channel.id.clone(),
            name: self.name_for(me).into_owned(),
            kind,
            with: channel.other_than(me.id()).map(|other| (&**other).into()),
            topic,
            created_by: creator.as_deref().map(UserView::from),
            created_at: channel.created_at,
            last_message_at: self.last_message_at(),
            messages: self.conversation.messages().len(),
            unread,
            mentions,
            mine: MineView {
                starred: self.preferences.starred,
                hidden: self.is_hidden(me),
                bell: self.preferences.bell.unwrap_or(Bell::default_of(channel)).into(),
            },
        }
    }

    /// Tells whether the channel is left out of this user's lists.
    #[must_use]
    pub fn is_hidden(&self, me: &Arc<Person>) -> bool {
        self.preferences.is_hidden(&self.channel, &self.conversation, me.id())
    }

    /// The name under which this user knows the channel.
    pub(super) fn name_for(&self, me: &Arc<Person>) -> Cow<'_, str> {
        match self.channel.other_than(me.id()) {
            Some(other) => format!("@{}", other.user().display_name).into(),
            None => self.channel.reference(),
        }
    }

    /// The number of others' messages that this user has not read, and of those that mention them.
    #[must_use]
    pub fn unread(&self, me: &Arc<Person>) -> (usize, usize) {
        self.conversation.unread(me, self.read)
    }

    pub(super) fn last_message_at(&self) -> Option<Timestamp> {
        self.conversation.messages().next_back().map(|message| message.sent_at)
    }
}
