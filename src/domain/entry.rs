//! Entries of the log: their keys, their bodies (records), and the stored form of both.
//!
//! An entry is a key and a body. The key names the subject, and a writer can make appending depend
//! on the key's last entry; the body is a JSON object with a version `v`, so that it can be read
//! with any tool and an older server refuses what it does not know. A body holds the whole present
//! state of its subject, never a difference, so earlier ones can be erased.
//!
//! How long an entry is kept is decided by `State::apply` alone:
//!
//! - a message, until it falls out of its channel, or was deleted and cannot be restored any more;
//! - the last change of a message, as long as the message; a deletion or restoration, while it is
//!   remembered;
//! - an erasure, until what it makes final is erased;
//! - the entry that created a channel or claimed a name, and the last one that changed it, until
//!   the channel is deleted or the user has left. The first one stays although a later one says
//!   all that it does, because what comes in between refers to the channel or user;
//! - the last entry of a hook, until it or its channel is deleted;
//! - the last entry of a user who has left, while anything shows their name, or something that
//!   they did before may still come.

mod hook;
mod key;
mod session;
mod version1;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::hook::HookRecord;
pub use self::key::Key;
pub use self::session::SessionRecord;
use crate::domain::hook::HookMark;
use crate::domain::ids::{ChannelId, HookId, MessageId, OpId, Seq, UserId};
use crate::domain::message::{Content, Message};
use crate::domain::names::{ChannelName, DisplayName, NameHash, Skeletons, Topic};
use crate::domain::preference::ChannelPreferences;
use crate::domain::preview::Previews;
use crate::domain::reaction::ReactionGroupRecord;
use crate::domain::time::{self, Timestamp};
use crate::domain::user::User;

/// An entry of the log in its stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place in the log's total order.
    pub seq: Seq,
    /// The time when the log stored it. The clock may have been wrong then: only `seq` orders.
    pub at: Timestamp,
    /// The append that stored it.
    pub op: OpId,
    /// The [`Key`] as text.
    pub key: String,
    /// A record in its stored form: see [`encode`] and [`Entry::decode`].
    pub body: String,
}

/// An entry whose key and body were parsed: the input of `State::apply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedEntry {
    /// The place in the log's total order.
    pub seq: Seq,
    /// The time when the log stored it.
    pub at: Timestamp,
    /// The append that stored it.
    pub op: OpId,
    /// The parsed body.
    pub record: Record,
    /// Set for entries written by version 1. That version kept only the last entry of a channel or
    /// user, so its entries may refer to a channel or user whose own entry comes later.
    pub is_version_1: bool,
}

/// The body of a [`Key::Messages`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// The message's id within its channel.
    pub id: MessageId,
    /// The author, under the name that they had then.
    pub author: User,
    /// Set where a hook wrote it: then the author is no user, and keeps this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookMark>,
    /// The content as it was sent.
    #[serde(flatten)]
    pub content: Content,
}

/// The body of a [`Key::Change`] entry: everything that differs from the message as it was sent, or
/// that it is gone, or there again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChangeRecord {
    /// The message exists, changed.
    Present(PresentRecord),
    /// The message was deleted.
    Deleted {
        /// The message's id.
        id: MessageId,
        /// The user who did, and can undo it; absent in older entries, which nobody can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserId>,
    },
    /// The message was restored, as it was when it was deleted.
    Restored {
        /// The message's id.
        id: MessageId,
    },
}

/// Everything that differs from a message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentRecord {
    /// The present content; absent while it was never edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The time of the last edit.
    #[serde(with = "time::optional_millis", default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// The reactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionGroupRecord>,
    /// The previews of its links.
    #[serde(default, skip_serializing_if = "Previews::is_default")]
    pub previews: Previews,
}

impl PresentRecord {
    /// The record of a message as it is: a change of it begins with this.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let edited_at = message.edited_at;
        Self {
            content: edited_at.is_some().then(|| message.content.clone().with_html()),
            edited_at,
            reactions: message.reactions.iter().map(ReactionGroupRecord::from).collect(),
            previews: message.previews.as_deref().cloned().unwrap_or_default(),
        }
    }
}

/// The body of a [`Key::Erasure`] entry. Time changes nothing by itself, since no entry says that it
/// has passed: this one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRecord {
    /// The last entry whose deletion cannot be undone any more: what all up to it deleted is erased.
    pub until: Seq,
}

/// The body of a [`Key::Channel`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChannelRecord {
    /// The channel exists.
    Open {
        /// The id.
        id: ChannelId,
        /// The name.
        name: ChannelName,
        /// The topic.
        topic: Topic,
        /// The user who created it; nobody created `general`.
        creator: Option<User>,
        /// The time of creation; absent in the entry that creates the channel, whose own time it is.
        #[serde(with = "time::optional_millis", default, skip_serializing_if = "Option::is_none")]
        created_at: Option<Timestamp>,
    },
    /// The channel was deleted.
    Deleted {
        /// The id.
        id: ChannelId,
        /// The name; version 1 did not store it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<ChannelName>,
    },
}

/// The body of a [`Key::Direct`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectRecord {
    /// The two users, under the names that they had then.
    pub members: [User; 2],
    /// The user who began it; version 1 did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<UserId>,
}

/// The body of a [`Key::User`] entry. Without sessions it frees the name: the user has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The user who holds the name.
    pub user: User,
    /// The live sessions.
    pub sessions: Vec<SessionRecord>,
    /// The revision that this entry gives the account: 0 to claim a name, else one more than before.
    /// `apply` refuses an entry whose revision is not newer than the account's.
    pub revision: u64,
    /// The log's head at the first sign-in; earlier messages count as read.
    pub since: Seq,
    /// The entry that last changed the name, 0 for this one; absent for a user who never changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<Seq>,
}

/// The body of a [`Key::ReadMarkers`] entry: the markers of all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarkersRecord {
    /// For each channel the last message that was read, and the entry that said so first, 0 for
    /// this one.
    pub read: BTreeMap<ChannelId, (Seq, Seq)>,
}

/// The body of a [`Key::Preferences`] entry: the preferences for all channels for which a user has
/// ever had some, also where they are the defaults again: listeners who resume are told of that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesRecord {
    /// The preferences for each channel. The entry 0 in them is this one.
    pub channels: BTreeMap<ChannelId, ChannelPreferences>,
}

/// The body of a [`Key::FormerName`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerNameRecord {
    /// The last display name.
    pub display_name: DisplayName,
}

/// The body of a [`Key::ReadMarker`] entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarkerRecord {
    /// The last message that was read.
    pub read: Seq,
}

/// A parsed body, with the ids from the entry's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The body of a [`Key::Messages`] entry.
    Message(ChannelId, MessageRecord),
    /// The body of a [`Key::Change`] entry.
    Change(ChannelId, Seq, ChangeRecord),
    /// The body of a [`Key::Hook`] entry.
    Hook(ChannelId, HookId, HookRecord),
    /// The body of a [`Key::Erasure`] entry.
    Erasure(ErasureRecord),
    /// The body of a [`Key::Channel`] entry.
    Channel(NameHash, ChannelRecord),
    /// The body of a [`Key::Direct`] entry.
    Direct(DirectRecord),
    /// The body of a [`Key::User`] entry, and the skeletons of its display name.
    User(NameHash, UserRecord, Skeletons),
    /// The body of a [`Key::ReadMarkers`] entry.
    ReadMarkers(UserId, ReadMarkersRecord),
    /// The body of a [`Key::Preferences`] entry.
    Preferences(UserId, PreferencesRecord),
    /// The body of a [`Key::FormerName`] entry.
    FormerName(UserId, FormerNameRecord),
    /// The body of a [`Key::ReadMarker`] entry.
    ReadMarker(UserId, ChannelId, ReadMarkerRecord),
}

/// The reason why an entry cannot be read. The entry is set aside then, and the rest still works.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The key is of a kind that this server does not know.
    #[error("unknown key `{0}`: was this data written by a newer Houston?")]
    UnknownKey(String),
    /// The body is of a version that this server does not know.
    #[error("an entry of version {0}: was this data written by a newer Houston?")]
    UnknownVersion(u64),
    /// The body is not of the shape that its key asks for.
    #[error("an entry of `{key}` is not what it should be")]
    Malformed {
        /// The entry's key.
        key: String,
        /// The parser's error.
        source: serde_json::Error,
    },
}

/// The version of the bodies that this server writes. Version 1 is still read.
pub const VERSION: u64 = 2;

#[derive(Serialize)]
struct Versioned<'a, T> {
    v: u64,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}

/// Encodes one of the `…Record` types as an entry's body.
///
/// # Panics
///
/// Never: records are plain data.
pub fn encode<T: Serialize>(record: &T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, record }).expect("records are plain data")
}

impl Entry {
    /// Parses the key and the body. No rule for input is applied: whatever was written can be read.
    ///
    /// # Errors
    ///
    /// When the key is of no known kind, or the body of no known version or of another shape than
    /// the key asks for.
    pub fn decode(&self) -> Result<DecodedEntry, RecordError> {
        let Version { v } = self.read()?;
        let is_version_1 = v == 1;
        if v != VERSION && !is_version_1 {
            return Err(RecordError::UnknownVersion(v));
        }
        let record = match self.key.parse()? {
            Key::Messages(channel) => {
                let record: MessageRecord = self.read()?;
                let content = record.content.with_folded_text().without_plain_html();
                Record::Message(channel, MessageRecord { content, ..record })
            }
            Key::Change(channel, message) => {
                let mut record = self.read()?;
                if let ChangeRecord::Present(PresentRecord { content, .. }) = &mut record {
                    *content = content.take().map(|it| it.with_folded_text().without_plain_html());
                }
                Record::Change(channel, message, record)
            }
            Key::Hook(channel, hook) => Record::Hook(channel, hook, self.read()?),
            Key::Erasure => Record::Erasure(self.read()?),
            Key::Channel(name) => Record::Channel(name, self.read()?),
            Key::Direct(_) => Record::Direct(self.read()?),
            Key::User(name) => {
                let record: UserRecord = if is_version_1 {
                    self.read::<version1::UserRecord>()?.at(self.at)
                } else {
                    self.read()?
                };
                let skeletons = record.user.display_name.skeletons();
                Record::User(name, record, skeletons)
            }
            Key::ReadMarkers(user) => Record::ReadMarkers(user, self.read()?),
            Key::Preferences(user) => Record::Preferences(user, self.read()?),
            Key::FormerName(user) => Record::FormerName(user, self.read()?),
            Key::ReadMarker(user, channel) => Record::ReadMarker(user, channel, self.read()?),
        };
        Ok(DecodedEntry { seq: self.seq, at: self.at, op: self.op, record, is_version_1 })
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        serde_json::from_str(&self.body)
            .map_err(|source| RecordError::Malformed { key: self.key.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry(key: &str, body: &str) -> Entry {
        Entry {
            seq: Seq(1),
            at: Timestamp::from_millis(5),
            op: OpId(Uuid::nil()),
            key: key.into(),
            body: body.into(),
        }
    }

    #[test]
    fn bodies_are_readable_json_with_a_version() {
        let markers =
            ReadMarkersRecord { read: [("c1".to_owned().into(), (Seq(7), Seq(0)))].into() };
        assert_eq!(encode(&markers), r#"{"v":2,"read":{"c1":[7,0]}}"#);
        let id = "m1".parse().expect("an id");
        let deleted = ChangeRecord::Deleted { id, by: Some(UserId::from("u1".to_owned())) };
        assert_eq!(encode(&deleted), r#"{"v":2,"state":"deleted","id":"m1","by":"u1"}"#);
        assert_eq!(encode(&ErasureRecord { until: Seq(7) }), r#"{"v":2,"until":7}"#);
    }

    #[test]
    fn a_change_is_read_with_the_previews_that_were_written_and_without_any() {
        let body = r#"{"v":2,"state":"present","reactions":[],"previews":{"shown":[{"url":"https://a.example/","site":"a.example","title":"A","picture":{"id":"p1","media_type":"image/png","size":9,"sha256":"00","width":3,"height":2}}]}}"#;
        let read = |body: &str| match entry("c.1a.x.7", body).decode().expect("a change").record {
            Record::Change(_, _, ChangeRecord::Present(record)) => record,
            other => panic!("{other:?}"),
        };
        let PresentRecord { previews, .. } = read(body);
        let preview = &previews.shown[0];
        let picture = preview.picture.as_ref().expect("a picture");
        assert_eq!((&*preview.title, &*preview.description), ("A", ""));
        assert_eq!((picture.id.as_str(), picture.size, picture.dimensions.width), ("p1", 9, 3));
        let written = encode(&ChangeRecord::Present(read(body)));
        assert_eq!(written, body.replace(r#""reactions":[],"#, ""));
        let hidden = r#"{"v":2,"state":"present","previews":{"hidden":true}}"#;
        assert!(read(hidden).previews.hidden);
        assert_eq!(encode(&ChangeRecord::Present(read(hidden))), hidden);
        assert!(
            read(r#"{"v":2,"state":"present"}"#).previews.is_default(),
            "as before there were any"
        );
    }

    #[test]
    fn a_body_of_a_later_version_is_refused() {
        let read = entry("u.2b.read.1a", r#"{"v":3,"read":7}"#).decode();
        assert!(matches!(read, Err(RecordError::UnknownVersion(3))), "{read:?}");
    }

    #[test]
    fn a_body_that_is_something_else_is_refused() {
        let read = entry("c.1a.m", r#"{"v":2,"read":7}"#).decode();
        assert!(matches!(read, Err(RecordError::Malformed { .. })), "{read:?}");
    }

    #[test]
    fn a_user_of_version_1_is_read_with_sessions_that_were_used_when_it_was_written() {
        let body = r#"{"v":1,"user":{"id":"u1","display_name":"Ada"},"sessions":["ab"],"revision":3,"since":2,"renamed":true}"#;
        let Record::User(_, record, _) = entry("d.u.ff", body).decode().expect("a user").record
        else {
            panic!("no user")
        };
        assert_eq!(record.sessions[0].used_at, Timestamp::from_millis(5));
        assert_eq!((record.revision, record.renamed), (3, None));
    }
}
