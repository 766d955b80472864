//! What things are told apart by: sequence numbers, ids, the log's epoch, cursors.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A place in the log: the single total order of everything that lasts.
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
        #[serde(from = "String", into = "String")]
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

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().into()
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
    /// Who somebody is, whatever they are called. A name that was freed and claimed again
    /// belongs to another id.
    UserId
}

opaque_id! {
    /// Which channel, whatever it is called. A channel created again under the same name has
    /// another id.
    ChannelId
}

opaque_id! {
    /// Which file of which message. What is uploaded again is another one.
    AttachmentId
}

/// The id of a message within its channel: 1 to 64 of `A-Z a-z 0-9 _ -`.
///
/// Clients may choose it, which makes sending again safe. These rules are for what they choose
/// ([`FromStr`]); an id that is read back from a record is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Stored", into = "String")]
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

/// A message id as records hold it, whatever the rules say of it.
#[derive(Deserialize)]
struct Stored(String);

impl From<Stored> for MessageId {
    fn from(Stored(id): Stored) -> Self {
        Self(id.into())
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.as_str().into()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which session: the SHA-256 of its secret, in hexadecimal. The secret itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SessionId(Arc<str>);

impl From<String> for SessionId {
    fn from(hash: String) -> Self {
        Self(hash.into())
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        (*id.0).into()
    }
}

impl SessionId {
    /// The session that a token belongs to, if any does.
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self(sha256_hex(&[token.as_bytes()]).into())
    }
}

/// One attempt to append, told apart from all others, so that repeating it stores nothing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpId(pub Uuid);

/// Names one log, or one stream of it. Made with the log, so another store has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch of one stream of this log. Each stream has its own, so that a cursor of one
    /// is recognised as foreign by all others.
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

/// A point in a stream, as clients hold it: `<epoch>-<seq>`, opaque to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which stream of which log.
    pub epoch: Epoch,
    /// The last sequence seen.
    pub seq: Seq,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// A text that is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(cursor: &str) -> Result<Self, InvalidCursor> {
        let (epoch, seq) = cursor.split_once('-').ok_or(InvalidCursor)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if epoch.len() != 16 || !digits(epoch) || !digits(seq) {
            return Err(InvalidCursor);
        }
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| InvalidCursor)?;
        let seq = seq.parse().map_err(|_| InvalidCursor)?;
        Ok(Self { epoch: Epoch(epoch), seq: Seq(seq) })
    }
}

/// The SHA-256 of the parts one after the other, in hexadecimal.
pub(crate) fn sha256_hex(parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&parts.iter().fold(Sha256::new(), Digest::chain_update).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_written_and_read() {
        let cursor = Cursor { epoch: Epoch(7), seq: Seq(42) };
        assert_eq!(cursor.to_string(), "0000000000000007-42");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in ["", "0", "7-42", "0000000000000007-", "000000000000000g-1", "é-1", "-", "a-b"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text:?}");
        }
    }

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
