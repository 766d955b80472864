//! Entries: what the log can hold, and its stored form.
//!
//! An entry is a key and a body. The key says what the body is about, how many entries of that
//! key are kept, and what a writer may expect of it; the body is a JSON object with a version
//! `v`, so that it can be read with any tool and an older server refuses what it does not know.
//! Bodies hold whole states, never differences, so that forgetting earlier ones changes nothing.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ChannelId, MessageId, OpId, Seq, SessionId, UserId};
use crate::domain::message::Content;
use crate::domain::names::{ChannelName, DisplayName, NameHash, Topic};
use crate::domain::reaction::Reacted;
use crate::domain::time::{self, Timestamp};
use crate::domain::user::User;

/// How many messages a channel keeps.
pub const KEPT_MESSAGES: usize = 100;

/// What an entry is about. Displayed as the log stores it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// `c.<channel id>.m`: the channel's messages; the last [`KEPT_MESSAGES`] are kept.
    Messages(ChannelId),
    /// `c.<channel id>.x.<message seq>`: the present state of what was changed about a message;
    /// goes with the message, unless it says that the message was deleted.
    Change(ChannelId, Seq),
    /// `d.n.<hash of the name>`: a public channel; the unique name is the key.
    Channel(NameHash),
    /// `d.p.<channel id>`: a direct conversation; its id is both user ids, joined.
    Direct(ChannelId),
    /// `d.u.<hash of the name>`: a user with sessions; the unique name is the key.
    User(NameHash),
    /// `u.<user id>.name`: the last name of somebody who has left and was called otherwise before;
    /// goes with the last message, reaction, channel or direct conversation of theirs.
    FormerName(UserId),
    /// `u.<user id>.read.<channel id>`: up to where a user has read a channel.
    ReadMarker(UserId, ChannelId),
}

impl Key {
    /// How many entries of this key the log keeps: the latest ones.
    #[must_use]
    pub fn kept(&self) -> usize {
        match self {
            Self::Messages(_) => KEPT_MESSAGES,
            _ => 1,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(channel) => write!(f, "c.{channel}.m"),
            Self::Change(channel, message) => write!(f, "c.{channel}.x.{message}"),
            Self::Channel(name) => write!(f, "d.n.{}", name.0),
            Self::Direct(channel) => write!(f, "d.p.{channel}"),
            Self::User(name) => write!(f, "d.u.{}", name.0),
            Self::FormerName(user) => write!(f, "u.{user}.name"),
            Self::ReadMarker(user, channel) => write!(f, "u.{user}.read.{channel}"),
        }
    }
}

impl FromStr for Key {
    type Err = RecordError;

    fn from_str(key: &str) -> Result<Self, RecordError> {
        let unknown = || RecordError::UnknownKey(key.into());
        let channel = |id: &str| ChannelId::from(id.to_owned());
        let user = |id: &str| UserId::from(id.to_owned());
        match *key.split('.').collect::<Vec<_>>() {
            ["c", id, "m"] => Ok(Self::Messages(channel(id))),
            ["c", id, "x", seq] => {
                Ok(Self::Change(channel(id), Seq(seq.parse().map_err(|_| unknown())?)))
            }
            ["d", "n", hash] => Ok(Self::Channel(NameHash(hash.into()))),
            ["d", "p", id] => Ok(Self::Direct(channel(id))),
            ["d", "u", hash] => Ok(Self::User(NameHash(hash.into()))),
            ["u", id, "name"] => Ok(Self::FormerName(user(id))),
            ["u", id, "read", of] => Ok(Self::ReadMarker(user(id), channel(of))),
            _ => Err(unknown()),
        }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the total order.
    pub seq: Seq,
    /// When the log took it; never earlier than the entry before.
    pub at: Timestamp,
    /// The attempt that brought it.
    pub op: OpId,
    /// What it is about.
    pub key: Key,
    /// A record in its stored form: see [`encode`] and [`Record::decode`].
    pub body: String,
}

/// What can be erased from the log. Erasing removes content and renumbers nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erase {
    /// The entry with this number.
    One(Seq),
    /// Every entry of this key.
    Key(Key),
    /// Every entry of this channel's messages and their changes.
    Conversation(ChannelId),
}

/// The body of a [`Key::Messages`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// The message's id within its channel.
    pub id: MessageId,
    /// Who wrote it, as they were called then.
    pub author: User,
    /// What it said when it was sent.
    #[serde(flatten)]
    pub content: Content,
}

/// The body of a [`Key::Change`] entry: all that differs from the message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChangeRecord {
    /// The message is there, with this about it.
    Present {
        /// What it says now; absent while that is what was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Content>,
        /// When it was last edited.
        #[serde(with = "time::millis", default, skip_serializing_if = "Option::is_none")]
        edited_at: Option<Timestamp>,
        /// What was answered to it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reactions: Vec<Reacted>,
    },
    /// The message was deleted.
    Deleted {
        /// Its id.
        id: MessageId,
    },
}

/// The body of a [`Key::Channel`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChannelRecord {
    /// The channel exists.
    Open {
        /// Which channel.
        id: ChannelId,
        /// What it is called.
        name: ChannelName,
        /// What it is about.
        topic: Topic,
        /// Who created it; nobody created `general`.
        creator: Option<User>,
        /// When it was created; absent in the entry that creates it, whose own time counts.
        #[serde(with = "time::millis", default, skip_serializing_if = "Option::is_none")]
        created_at: Option<Timestamp>,
    },
    /// The channel was deleted.
    Deleted {
        /// Which channel.
        id: ChannelId,
    },
}

/// The body of a [`Key::Direct`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectRecord {
    /// The two whose conversation it is, as they were called then.
    pub members: [User; 2],
}

/// The body of a [`Key::User`] entry. Without sessions: the name is free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Who holds the name.
    pub user: User,
    /// Their live sessions.
    pub sessions: Vec<SessionId>,
    /// One more than the revision of the state that this was decided on; 0 to claim.
    pub revision: u64,
    /// What was in the log before their first sign-in counts as read.
    pub since: Seq,
    /// Whether they ever had another name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
}

/// The body of a [`Key::FormerName`] entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerNameRecord {
    /// What they were called last.
    pub display_name: DisplayName,
}

/// The body of a [`Key::ReadMarker`] entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarkerRecord {
    /// The last message that was read.
    pub read: Seq,
}

/// A body, by what its key says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of [`Key::Messages`].
    Message(ChannelId, MessageRecord),
    /// Of [`Key::Change`].
    Change(ChannelId, Seq, ChangeRecord),
    /// Of [`Key::Channel`].
    Channel(ChannelRecord),
    /// Of [`Key::Direct`].
    Direct(DirectRecord),
    /// Of [`Key::User`].
    User(NameHash, UserRecord),
    /// Of [`Key::FormerName`].
    FormerName(UserId, FormerNameRecord),
    /// Of [`Key::ReadMarker`].
    ReadMarker(UserId, ChannelId, ReadMarkerRecord),
}

/// Why an entry cannot be understood. A server that meets one must not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A key of a kind that this server does not know.
    #[error("unknown key `{0}`: was this data written by a newer Houston?")]
    UnknownKey(String),
    /// A body in a version that this server does not know.
    #[error("an entry of version {0}: was this data written by a newer Houston?")]
    UnknownVersion(u64),
    /// A body that is not what its key says.
    #[error("an entry of `{key}` cannot be read")]
    Malformed {
        /// The entry's key.
        key: String,
        /// What the parser said.
        source: serde_json::Error,
    },
}

/// The version of all bodies that this server writes, and the only one that it reads.
const VERSION: u64 = 1;

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

/// The stored form of one of the `…Record` types.
///
/// # Panics
///
/// Never: records are plain data.
pub fn encode<T: Serialize>(record: &T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, record }).expect("records are plain data")
}

impl Record {
    /// Reads an entry's body as what its key says.
    ///
    /// # Errors
    ///
    /// When the body's version is another one or it is not what the key says.
    pub fn decode(entry: &Entry) -> Result<Self, RecordError> {
        let Version { v } = read(entry)?;
        if v != VERSION {
            return Err(RecordError::UnknownVersion(v));
        }
        Ok(match entry.key.clone() {
            Key::Messages(channel) => Self::Message(channel, read(entry)?),
            Key::Change(channel, message) => Self::Change(channel, message, read(entry)?),
            Key::Channel(_) => Self::Channel(read(entry)?),
            Key::Direct(_) => Self::Direct(read(entry)?),
            Key::User(name) => Self::User(name, read(entry)?),
            Key::FormerName(user) => Self::FormerName(user, read(entry)?),
            Key::ReadMarker(user, channel) => Self::ReadMarker(user, channel, read(entry)?),
        })
    }
}

fn read<T: DeserializeOwned>(entry: &Entry) -> Result<T, RecordError> {
    serde_json::from_str(&entry.body)
        .map_err(|source| RecordError::Malformed { key: entry.key.to_string(), source })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry(key: &str, body: &str) -> Entry {
        Entry {
            seq: Seq(1),
            at: Timestamp::default(),
            op: OpId(Uuid::nil()),
            key: key.parse().expect("a key"),
            body: body.into(),
        }
    }

    #[test]
    fn keys_survive_being_written_and_read() {
        for key in ["c.1a.m", "c.1a.x.7", "d.n.ff", "d.p.1a", "d.u.ff", "u.2b.name", "u.2b.read.1a"]
        {
            assert_eq!(key.parse::<Key>().expect("a key").to_string(), key);
        }
        for key in ["", "c", "c.1a", "c.1a.x.y", "z.1", "d.n.f.f"] {
            assert!(key.parse::<Key>().is_err(), "{key:?}");
        }
    }

    #[test]
    fn bodies_are_readable_json_with_a_version() {
        assert_eq!(encode(&ReadMarkerRecord { read: Seq(7) }), r#"{"v":1,"read":7}"#);
        let deleted = ChangeRecord::Deleted { id: "m1".parse().expect("an id") };
        assert_eq!(encode(&deleted), r#"{"v":1,"state":"deleted","id":"m1"}"#);
    }

    #[test]
    fn a_body_of_a_later_version_is_refused() {
        let told = Record::decode(&entry("u.2b.read.1a", r#"{"v":2,"read":7}"#));
        assert!(matches!(told, Err(RecordError::UnknownVersion(2))), "{told:?}");
    }

    #[test]
    fn a_body_that_is_something_else_is_refused() {
        let told = Record::decode(&entry("c.1a.m", r#"{"v":1,"read":7}"#));
        assert!(matches!(told, Err(RecordError::Malformed { .. })), "{told:?}");
    }
}
