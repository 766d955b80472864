//! A channel and what it keeps: its last hundred messages, and what was deleted from them.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Serialize;

use crate::domain::attachment::Attachment;
use crate::domain::entry::{ChangeRecord, KEPT_MESSAGES, MessageRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, MessageId, Seq, UserId};
use crate::domain::message::Message;
use crate::domain::names::{ChannelName, DisplayName, Topic};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// How many deletions a channel remembers, so that a listener who was away learns of them.
pub const KEPT_DELETIONS: usize = 100;

/// A channel: where messages are, and who can see them.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Which channel.
    pub id: ChannelId,
    /// Who can see it, and what it is called.
    pub kind: Kind,
    /// When it was created; not yet, for a direct conversation without a message.
    pub created_at: Option<Timestamp>,
    /// The entry that this was last written by: what the next one must follow.
    pub seq: Seq,
    /// Whether that entry changed the channel rather than created it.
    pub updated: bool,
}

/// Who can see a channel, and what it is called.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Everybody.
    Public {
        /// What it is called.
        name: ChannelName,
        /// What it is about.
        topic: Topic,
        /// Who created it, as they were called then; nobody created `general`.
        creator: Option<User>,
    },
    /// These two, as they were called when it began; twice the same for notes to oneself.
    Direct([User; 2]),
}

impl Channel {
    /// The direct conversation of these two. Its id is made of theirs, so that it is known before
    /// the first message brings it into being.
    #[must_use]
    pub fn direct(one: User, other: User) -> Self {
        let mut members = [one, other];
        members.sort_by(|a, b| a.id.cmp(&b.id));
        let id = ChannelId::from(format!("{}_{}", members[0].id, members[1].id));
        let (kind, created_at) = (Kind::Direct(members), None);
        Self { id, kind, created_at, seq: Seq(0), updated: false }
    }

    /// Whose direct conversation has this id, if it is the id of one.
    #[must_use]
    pub fn members_of(id: &ChannelId) -> Option<[UserId; 2]> {
        let (one, other) = id.as_str().split_once('_')?;
        Some([one, other].map(|id| UserId::from(id.to_owned())))
    }

    /// Whether this user can see it. To anybody else it does not exist.
    #[must_use]
    pub fn is_visible_to(&self, user: &UserId) -> bool {
        match &self.kind {
            Kind::Public { .. } => true,
            Kind::Direct(members) => members.iter().any(|member| member.id == *user),
        }
    }

    /// Who created it, if anybody did.
    #[must_use]
    pub fn creator(&self) -> Option<&User> {
        match &self.kind {
            Kind::Public { creator, .. } => creator.as_ref(),
            Kind::Direct(_) => None,
        }
    }

    /// Whether this user created it.
    #[must_use]
    pub fn is_of(&self, user: &UserId) -> bool {
        self.creator().is_some_and(|creator| creator.id == *user)
    }

    /// What it is called in its messages, the same for everybody: a name, or `id:` and its id.
    #[must_use]
    pub fn called(&self) -> Cow<'_, str> {
        match &self.kind {
            Kind::Public { name, .. } => name.as_str().into(),
            Kind::Direct(_) => format!("id:{}", self.id).into(),
        }
    }
}

/// A channel as one user sees it, in the shape of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelView {
    /// Which channel.
    pub id: ChannelId,
    /// What it is called: a name, or `@` and the other one's present display name.
    pub name: String,
    /// `public` or `direct`.
    pub kind: &'static str,
    /// The other one of a direct conversation, as they are called now, or were last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<User>,
    /// What it is about.
    pub topic: Topic,
    /// Who created it.
    pub created_by: Option<User>,
    /// When it was created; `null` for a direct conversation without a message.
    pub created_at: Option<Timestamp>,
    /// When its latest kept message was sent.
    pub last_message_at: Option<Timestamp>,
    /// How many kept messages of others the user has not read.
    pub unread: usize,
    /// How many of those name the user.
    pub mentions: usize,
}

/// A channel as a client names it: by a public channel's name, by `@` and a display name, or by
/// `id:` and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelRef {
    /// A public channel's name.
    Named(ChannelName),
    /// Whoever the direct conversation is with.
    With(DisplayName),
    /// A channel's id.
    Id(ChannelId),
    /// `@` and something that nobody is called.
    Nobody,
    /// Something that no channel is called.
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

/// What was deleted, and by which entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deletion {
    seq: Seq,
    id: MessageId,
    message: Seq,
}

/// The messages of a channel, oldest first, and the deletions that listeners may have missed.
///
/// At most [`KEPT_MESSAGES`] and [`KEPT_DELETIONS`]; what falls out is gone.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    messages: VecDeque<Message>,
    deletions: VecDeque<Deletion>,
}

/// What a listener whose cursor stands at some sequence has missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Exactly these, each with the sequence that its event id carries, in order.
    Events(Vec<(Seq, Event)>),
    /// Something that is no longer kept: start again from what is stored.
    Gap,
}

impl Conversation {
    /// The kept messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> + ExactSizeIterator {
        self.messages.iter()
    }

    /// The kept messages, oldest first, to be changed.
    pub(crate) fn messages_mut(&mut self) -> impl Iterator<Item = &mut Message> {
        self.messages.iter_mut()
    }

    /// The message of this id, if it is kept. O(messages kept).
    #[must_use]
    pub fn message(&self, id: &MessageId) -> Option<&Message> {
        self.messages.iter().rev().find(|message| message.id == *id)
    }

    /// The message that this entry brought, if it is kept.
    #[must_use]
    pub fn message_at(&self, seq: Seq) -> Option<&Message> {
        let at = self.messages.binary_search_by_key(&seq, |message| message.seq).ok()?;
        self.messages.get(at)
    }

    /// The entry that last deleted a message of this id, as far as that is remembered.
    #[must_use]
    pub fn deleted(&self, id: &MessageId) -> Option<Seq> {
        self.deletions.iter().rev().find(|deletion| deletion.id == *id).map(|last| last.seq)
    }

    /// How many messages of others come after `read`, and how many of those name `user`.
    #[must_use]
    pub fn unread(&self, user: &UserId, read: Seq) -> (usize, usize) {
        let after = self.messages.iter().rev().take_while(|message| message.seq > read);
        let mut unread = (0, 0);
        for message in after.filter(|message| message.author.id != *user) {
            unread.0 += 1;
            unread.1 += usize::from(message.content.mentions.contains(user));
        }
        unread
    }

    /// Takes a message in and gives back the one that falls out for it.
    pub(crate) fn take(&mut self, message: Message) -> Option<Message> {
        self.messages.push_back(message);
        let full = self.messages.len() > KEPT_MESSAGES;
        if full { self.messages.pop_front() } else { None }
    }

    /// Changes the message that `message` brought, giving the files that it had and the message as
    /// it is now. `None` when it is not kept.
    pub(crate) fn edit(
        &mut self,
        message: Seq,
        by: Seq,
        change: ChangeRecord,
    ) -> Option<(Vec<Attachment>, &Message)> {
        let ChangeRecord::Present { content, edited_at, reactions } = change else { return None };
        let at = self.messages.binary_search_by_key(&message, |message| message.seq).ok()?;
        let edited = self.messages.get_mut(at)?;
        let before = edited.content.attachments.clone();
        if let Some(content) = content {
            edited.content = content;
        }
        edited.edited_at = edited_at;
        edited.reactions = reactions;
        edited.changed = Some(by);
        edited.json.take();
        Some((before, edited))
    }

    /// Removes a message and remembers that, giving back the message, if it was still kept, and
    /// the entry of a deletion that is forgotten for it.
    pub(crate) fn delete(
        &mut self,
        message: Seq,
        by: Seq,
        id: MessageId,
    ) -> (Option<Message>, Option<Seq>) {
        let at = self.messages.binary_search_by_key(&message, |message| message.seq);
        let removed = at.ok().and_then(|at| self.messages.remove(at));
        self.deletions.push_back(Deletion { seq: by, id, message });
        let full = self.deletions.len() > KEPT_DELETIONS;
        let forgotten = if full { self.deletions.pop_front() } else { None };
        (removed, forgotten.map(|deletion| deletion.seq))
    }

    /// The sequence before which something may be missing that a listener should have been told.
    ///
    /// Worked out from what is kept alone, so that it is the same after a restart and on every
    /// node. Messages fall out only while the channel is full, and since then each message that
    /// is missing from the hundred has left a deletion: fewer of both mean that nothing ever fell
    /// out. Otherwise, all that fell out came before the oldest that is kept.
    fn complete_since(&self) -> Seq {
        let before_oldest = || match (self.messages.front(), self.deletions.back()) {
            (Some(oldest), _) => Seq(oldest.seq.0 - 1),
            (None, Some(last)) => last.seq,
            (None, None) => Seq(0),
        };
        let ever_full = self.messages.len() + self.deletions.len() >= KEPT_MESSAGES;
        let messages = if ever_full { before_oldest() } else { Seq(0) };
        let deletions = match self.deletions.front() {
            Some(oldest) if self.deletions.len() == KEPT_DELETIONS => oldest.seq,
            _ => Seq(0),
        };
        messages.max(deletions)
    }

    /// What happened after `seen`, each thing once, in order. O(what is kept).
    ///
    /// A message comes as it is now; one that was seen and then changed comes as an update, one
    /// that was seen and then deleted as a deletion, one that came and went unseen not at all.
    #[must_use]
    pub fn since(&self, seen: Seq, channel: &Channel) -> Missed {
        if seen < self.complete_since() {
            return Missed::Gap;
        }
        let id = || channel.id.clone();
        let called = channel.called();
        let json = |message: &Message| message.json(&called);
        let mut events: Vec<_> = self
            .messages
            .iter()
            .filter_map(|message| match message.changed {
                _ if message.seq > seen => {
                    Some((message.seq, Event::Message { channel: id(), json: json(message) }))
                }
                Some(changed) if changed > seen => {
                    Some((changed, Event::MessageUpdated { channel: id(), json: json(message) }))
                }
                _ => None,
            })
            .collect();
        let missed = |deletion: &&Deletion| deletion.seq > seen && deletion.message <= seen;
        events.extend(self.deletions.iter().filter(missed).map(|deletion| {
            let (id, message) = (deletion.id.clone(), deletion.message);
            (deletion.seq, Event::MessageDeleted { channel: channel.id.clone(), id, message })
        }));
        if channel.updated && channel.seq > seen {
            events.push((channel.seq, Event::ChannelUpdated(id())));
        }
        events.sort_by_key(|(seq, _)| *seq);
        Missed::Events(events)
    }
}

impl Message {
    /// The message that an entry brings.
    pub(crate) fn from_record(seq: Seq, sent_at: Timestamp, record: MessageRecord) -> Self {
        let MessageRecord { id, author, content } = record;
        let json = std::sync::OnceLock::new();
        Self {
            seq,
            id,
            author,
            content,
            sent_at,
            edited_at: None,
            reactions: Vec::new(),
            changed: None,
            json,
        }
    }
}
