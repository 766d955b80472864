//! Keys of entries: what an entry is about, and what appending can depend on.

use std::fmt;
use std::str::FromStr;

use super::RecordError;
use crate::domain::ids::{ChannelId, HookId, Seq, UserId};
use crate::domain::names::NameHash;

/// The subject of an entry. Displayed as the log stores it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// `c.<channel id>.m`: the channel's messages.
    Messages(ChannelId),
    /// `c.<channel id>.x.<message seq>`: the changes of a message, its deletion and restoration.
    Change(ChannelId, Seq),
    /// `c.<channel id>.h.<hook id>`: a hook of the channel.
    Hook(ChannelId, HookId),
    /// `d.e`: the erasure of deleted messages.
    Erasure,
    /// `d.n.<hash of the name>`: a public channel; the unique name is the key.
    Channel(NameHash),
    /// `d.p.<channel id>`: a direct conversation; its id is made of both user ids.
    Direct(ChannelId),
    /// `d.u.<hash of the name>`: a user with sessions; the unique name is the key.
    User(NameHash),
    /// `u.<user id>.read`: how far a user has read, in all channels.
    ReadMarkers(UserId),
    /// `u.<user id>.channels`: how a user wants each channel.
    Preferences(UserId),
    /// `u.<user id>.name`: the last name of a user who has left; written by version 1 alone.
    FormerName(UserId),
    /// `u.<user id>.read.<channel id>`: how far a user has read one channel; written by version 1
    /// alone.
    ReadMarker(UserId, ChannelId),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(channel) => write!(f, "c.{channel}.m"),
            Self::Change(channel, message) => write!(f, "c.{channel}.x.{message}"),
            Self::Hook(channel, hook) => write!(f, "c.{channel}.h.{hook}"),
            Self::Erasure => f.write_str("d.e"),
            Self::Channel(name) => write!(f, "d.n.{}", name.0),
            Self::Direct(channel) => write!(f, "d.p.{channel}"),
            Self::User(name) => write!(f, "d.u.{}", name.0),
            Self::ReadMarkers(user) => write!(f, "u.{user}.read"),
            Self::Preferences(user) => write!(f, "u.{user}.channels"),
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
            ["c", id, "h", hook] => Ok(Self::Hook(channel(id), HookId::from(hook.to_owned()))),
            ["d", "e"] => Ok(Self::Erasure),
            ["d", "n", hash] => Ok(Self::Channel(NameHash(hash.into()))),
            ["d", "p", id] => Ok(Self::Direct(channel(id))),
            ["d", "u", hash] => Ok(Self::User(NameHash(hash.into()))),
            ["u", id, "read"] => Ok(Self::ReadMarkers(user(id))),
            ["u", id, "channels"] => Ok(Self::Preferences(user(id))),
            ["u", id, "name"] => Ok(Self::FormerName(user(id))),
            ["u", id, "read", of] => Ok(Self::ReadMarker(user(id), channel(of))),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_written_and_read() {
        for key in [
            "c.1a.h.3c",
            "c.1a.m",
            "c.1a.x.7",
            "d.e",
            "d.n.ff",
            "d.p.1a",
            "d.u.ff",
            "u.2b.channels",
            "u.2b.name",
            "u.2b.read",
            "u.2b.read.1a",
        ] {
            assert_eq!(key.parse::<Key>().expect("a key").to_string(), key);
        }
        for key in ["", "c", "c.1a", "c.1a.x.y", "z.1", "d.n.f.f"] {
            assert!(key.parse::<Key>().is_err(), "{key:?}");
        }
    }
}
