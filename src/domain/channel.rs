//! Channels, and the references by which clients name them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::ids::{ChannelId, Seq, UserId};
use crate::domain::names::{ChannelName, DisplayName, Topic};
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// A channel: public, or the direct conversation of two users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The id, which no other channel ever has.
    pub id: ChannelId,
    /// Public or direct, with the name or the two members.
    pub kind: ChannelKind,
    /// The time of creation; `None` for a direct conversation without a message, which is not stored.
    pub created_at: Option<Timestamp>,
    /// The entry that created it.
    pub created: Seq,
    /// The entry that last changed it, if any did.
    pub updated: Option<Seq>,
}

/// The kind of a channel, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A channel that everybody sees.
    Public {
        /// The name.
        name: ChannelName,
        /// The topic.
        topic: Topic,
        /// The user who created it; nobody created `general`.
        creator: Option<UserId>,
    },
    /// A conversation that only its two users see.
    Direct {
        /// The two users, in the order of their ids; the same user twice for notes to oneself.
        members: [Arc<Person>; 2],
        /// The user who began it, where that is known.
        begun_by: Option<UserId>,
    },
}

impl Channel {
    /// Makes the direct conversation of these two users, not stored yet. Its id is made of theirs,
    /// so it is known before the first message.
    #[must_use]
    pub fn direct(one: Arc<Person>, other: Arc<Person>) -> Self {
        let mut members = [one, other];
        members.sort_by(|a, b| a.id().cmp(b.id()));
        let id = ChannelId::from(format!("{}_{}", members[0].id(), members[1].id()));
        let kind = ChannelKind::Direct { members, begun_by: None };
        Self { id, kind, created_at: None, created: Seq(0), updated: None }
    }

    /// The two users that the id of a direct conversation is made of; `None` for other ids.
    #[must_use]
    pub fn members_of(id: &ChannelId) -> Option<[UserId; 2]> {
        let (one, other) = id.as_str().split_once('_')?;
        Some([one, other].map(|id| UserId::from(id.to_owned())))
    }

    /// The last entry of the channel itself: a change is appended on the condition that it still is.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.updated.unwrap_or(self.created)
    }

    /// Tells whether everybody sees it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.kind, ChannelKind::Public { .. })
    }

    /// The name of a public channel.
    #[must_use]
    pub fn name(&self) -> Option<&ChannelName> {
        match &self.kind {
            ChannelKind::Public { name, .. } => Some(name),
            ChannelKind::Direct { .. } => None,
        }
    }

    /// The two users of a direct conversation; nobody of a public channel.
    #[must_use]
    pub fn members(&self) -> &[Arc<Person>] {
        match &self.kind {
            ChannelKind::Public { .. } => &[],
            ChannelKind::Direct { members, .. } => members,
        }
    }

    /// The other user of this user's direct conversation; they themselves where it is their notes.
    /// `None` for a public channel.
    #[must_use]
    pub fn other_than(&self, user: &UserId) -> Option<&Arc<Person>> {
        let members = self.members();
        members.iter().find(|member| member.id() != user).or(members.first())
    }

    /// Tells whether this user can see it. For anybody else it does not exist.
    #[must_use]
    pub fn is_visible_to(&self, user: &UserId) -> bool {
        self.is_public() || self.members().iter().any(|member| member.id() == user)
    }

    /// The user who created it, if anybody did.
    #[must_use]
    pub fn creator(&self) -> Option<&UserId> {
        match &self.kind {
            ChannelKind::Public { creator, .. } => creator.as_ref(),
            ChannelKind::Direct { .. } => None,
        }
    }

    /// The user who began this direct conversation, where that is known.
    #[must_use]
    pub fn begun_by(&self) -> Option<&UserId> {
        match &self.kind {
            ChannelKind::Public { .. } => None,
            ChannelKind::Direct { begun_by, .. } => begun_by.as_ref(),
        }
    }

    /// The reference that is the same for everybody: a public channel's name, or `id:` and the id.
    #[must_use]
    pub fn reference(&self) -> Cow<'_, str> {
        match &self.kind {
            ChannelKind::Public { name, .. } => name.as_str().into(),
            ChannelKind::Direct { .. } => format!("id:{}", self.id).into(),
        }
    }
}

/// A reference to a channel, as clients write it: a public channel's name, `@` and a display name,
/// or `id:` and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelRef {
    /// A public channel's name.
    Named(ChannelName),
    /// The display name of the other user of a direct conversation.
    With(DisplayName),
    /// A channel's id.
    Id(ChannelId),
    /// `@` and a text that is no display name.
    Nobody,
    /// A text that is no channel name.
    Nothing,
}

impl From<&str> for ChannelRef {
    fn from(named: &str) -> Self {
        if let Some(id) = named.strip_prefix("id:") {
            return Self::Id(ChannelId::from(id.to_owned()));
        }
        match named.strip_prefix('@') {
            Some(name) => name.parse().map_or(Self::Nobody, Self::With),
            None => named.parse().map_or(Self::Nothing, Self::Named),
        }
    }
}
