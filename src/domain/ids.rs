//! Ids and sequence numbers, and the log's epoch and starts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A sequence number: an entry's place in the log, the total order of everything that lasts.
///
/// Numbers only grow, are never used twice, and may have gaps. `Seq(0)` is before everything.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id.simple().to_string().into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// A user's id, which no rename changes. Whoever claims a freed name is another user, of
    /// another id.
    UserId
}

opaque_id! {
    /// A channel's id. A channel that is created later under the same name has another one.
    ChannelId
}

opaque_id! {
    /// The id of a file of a message. The same file uploaded again has another one.
    AttachmentId
}

opaque_id! {
    /// A hook's id, incoming or outgoing. It is the author's id of the messages that the hook writes, and
    /// no user's.
    HookId
}

opaque_id! {
    /// The id by which users name their sessions. It is no secret, and not made of one: neither the
    /// token nor its hash, the [`SessionId`], follows from it.
    SessionHandle
}

/// The id of a message within its channel: 1 to 64 of `A-Z a-z 0-9 _ -`.
///
/// Clients may choose it, which makes sending again safe. These rules are for what they choose
/// ([`FromStr`]); an id that is read back from a record is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Arc<str>);

/// A text that cannot be a [`MessageId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`")]
pub struct InvalidMessageId;

impl MessageId {
    /// The longest id, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for MessageId {
    fn from(id: Uuid) -> Self {
        Self(id.simple().to_string().into())
    }
}

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    fn from_str(id: &str) -> Result<Self, InvalidMessageId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if id.is_empty() || id.len() > Self::MAX_CHARS || !id.bytes().all(allowed) {
            return Err(InvalidMessageId);
        }
        Ok(Self(id.into()))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A session's id: the SHA-256 of its secret, in hexadecimal. The secret itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Arc<str>);

impl From<String> for SessionId {
    fn from(hash: String) -> Self {
        Self(hash.into())
    }
}

impl SessionId {
    /// The id that the session of this token has, if there is one.
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self(sha256_hex(&[token.as_bytes()]).into())
    }
}

impl HookId {
    /// The id as that of an author, which no user has.
    #[must_use]
    pub fn as_author(&self) -> UserId {
        UserId(self.0.clone())
    }
}

/// The id of one append, random: repeating the append under the same id stores nothing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpId(pub Uuid);

/// A random number that identifies a log, or one stream of it. It is made together with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Derives the epoch of one stream of this log. Each stream has its own, so a cursor of one
    /// is foreign to all others.
    #[must_use]
    pub fn of_stream(self, stream: &str) -> Self {
        let digest = Sha256::new().chain_update(self.0.to_be_bytes()).chain_update(stream);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.finalize()[..8]);
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The random id of a [`Start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartId(pub u32);

/// One opening of the log for writing, with the last sequence that was used before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The id, never used twice in one log.
    pub id: StartId,
    /// The log's last sequence at that time: entries of this start have larger ones.
    pub after: Seq,
}

/// The SHA-256 of the concatenated parts, in hexadecimal.
pub(crate) fn sha256_hex(parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&parts.iter().fold(Sha256::new(), Digest::chain_update).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_has_a_small_alphabet() {
        for id in ["a", "A-z_09", &"x".repeat(64)] {
            assert!(id.parse::<MessageId>().is_ok(), "{id:?}");
        }
        for id in ["", "a b", "é", "a/b", "a.b", &"x".repeat(65)] {
            assert_eq!(id.parse::<MessageId>(), Err(InvalidMessageId), "{id:?}");
        }
    }
}
