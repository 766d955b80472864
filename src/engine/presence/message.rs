//! The messages by which nodes tell each other who is present with them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::domain::ids::UserId;
use crate::engine::nodes::{NodeId, read};
use crate::engine::whisper::Topic;

/// Largest number of users in one message.
pub(super) const MAX_USERS: usize = 500;
/// Largest number of parts of one set: enough for a million users.
const MAX_PARTS: usize = 2_000;

/// What one node tells the others about a place.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::engine) struct PresenceMessage {
    /// The node that speaks.
    pub(super) node: NodeId,
    /// What it says.
    #[serde(flatten)]
    pub(super) said: Said,
}

/// A statement about the users who are in a place by streams of one node. The node numbers the changes
/// there in order: what it says at a higher number is newer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// A user came, with their first stream there.
    Came(Change),
    /// A user went, with the end of their last stream there.
    Went(Change),
    /// A part of the set of all users who were there after a change.
    Set(Part),
    /// The node asks all others for their sets.
    Who,
}

/// A user who came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) user: UserId,
    /// The number of the change.
    pub(super) version: u64,
}

/// A part of a set of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The number of the last change in the whole set.
    pub(super) version: u64,
    /// The number of this part, from 0.
    pub(super) number: usize,
    /// The number of parts, at least 1.
    pub(super) parts: usize,
    pub(super) users: Vec<UserId>,
}

impl PresenceMessage {
    /// Reads a message; `None` if it is none, or exceeds a bound.
    pub(in crate::engine) fn read(body: &[u8]) -> Option<Self> {
        let message: Self = read(body)?;
        let fits = match &message.said {
            Said::Set(Part { number, parts, users, .. }) => {
                number < parts && *parts <= MAX_PARTS && users.len() <= MAX_USERS
            }
            Said::Came(_) | Said::Went(_) | Said::Who => true,
        };
        fits.then_some(message)
    }

    /// The message in the form that [`read`](Self::read) takes.
    pub(in crate::engine) fn to_bytes(&self) -> Bytes {
        // Neither these types nor memory can fail.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// The set of all users of a place as messages of at most [`MAX_USERS`]; of nobody, one empty message.
pub(super) fn parts_of(version: u64, users: &[UserId]) -> Vec<Said> {
    let parts = users.len().div_ceil(MAX_USERS).max(1);
    let users_of = |part: usize| {
        let end = users.len().min((part + 1) * MAX_USERS);
        users[part * MAX_USERS..end].to_vec()
    };
    let part = |number| Said::Set(Part { version, number, parts, users: users_of(number) });
    (0..parts).map(part).collect()
}

impl Place {
    /// The topic of this place's presence.
    pub(in crate::engine) fn topic(&self) -> Topic {
        match self {
            Self::Channel(channel) => Topic::Presence(channel.clone()),
            Self::Anywhere => Topic::Online,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::whisper::MAX_BODY_BYTES;

    fn users(count: usize) -> Vec<UserId> {
        (0..count).map(|_| UserId::from(uuid::Uuid::now_v7())).collect()
    }

    #[test]
    fn a_set_is_told_in_parts_that_fit() {
        for (count, sizes) in [(0, vec![0]), (500, vec![500]), (1_001, vec![500, 500, 1])] {
            let users = users(count);
            let mut told = Vec::new();
            for said in parts_of(7, &users) {
                let bytes = PresenceMessage { node: NodeId::random(), said }.to_bytes();
                assert!(bytes.len() <= MAX_BODY_BYTES, "{}", bytes.len());
                let Some(PresenceMessage { said: Said::Set(part), .. }) =
                    PresenceMessage::read(&bytes)
                else {
                    panic!("{bytes:?}")
                };
                assert_eq!((part.version, part.number, part.parts), (7, told.len(), sizes.len()));
                told.push(part.users);
            }
            assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            assert_eq!(told.concat(), users);
        }
    }

    #[test]
    fn what_is_no_message_or_exceeds_a_bound_is_not_read() {
        let set = |number: usize, parts: usize, count: usize| {
            let said = Said::Set(Part { version: 1, number, parts, users: users(count) });
            PresenceMessage { node: NodeId::random(), said }.to_bytes()
        };
        assert!(PresenceMessage::read(&set(0, 1, 500)).is_some());
        for bytes in [
            set(0, 1, 501),
            set(1, 1, 0),
            set(0, 0, 0),
            set(0, MAX_PARTS + 1, 0),
            Bytes::new(),
            "{\"node\":\"n\"}".into(),
            "{\"node\":\"n\",\"moved\":{\"user\":\"u\",\"version\":1}}".into(),
            "{\"node\":\"n\",\"came\":{\"user\":\"u\",\"version\":-1}}".into(),
        ] {
            assert!(PresenceMessage::read(&bytes).is_none(), "{bytes:?}");
        }
    }
}
