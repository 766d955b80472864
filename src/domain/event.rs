//! Events: what listeners can be told, and how it reads on the wire.

use bytes::{BufMut, Bytes, BytesMut};

use crate::domain::ids::{ChannelId, Cursor, MessageId, Seq, SessionId, UserId};
use crate::domain::names::ChannelName;
use crate::domain::user::User;

/// What an entry did. Made by `apply` alone, never by a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new message, or one that a returning listener has not seen.
    Message {
        /// Where.
        channel: ChannelId,
        /// The message as clients see it.
        json: Bytes,
    },
    /// A message was edited.
    MessageUpdated {
        /// Where.
        channel: ChannelId,
        /// The message as clients see it now.
        json: Bytes,
    },
    /// A message was deleted.
    MessageDeleted {
        /// Where.
        channel: ChannelId,
        /// Which.
        id: MessageId,
        /// Its sequence.
        message: Seq,
    },
    /// There is a new channel.
    ChannelCreated(ChannelId),
    /// A channel's topic changed.
    ChannelUpdated(ChannelId),
    /// A channel is gone.
    ChannelDeleted {
        /// Which.
        id: ChannelId,
        /// What it was called.
        name: ChannelName,
    },
    /// Somebody is called otherwise now.
    Renamed(User),
    /// A session was signed out.
    SessionEnded(SessionId),
    /// Somebody has read a channel, or marked it unread.
    Read(UserId),
}

impl Event {
    /// The channel on whose stream it is told, if on one.
    #[must_use]
    pub fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Message { channel, .. }
            | Self::MessageUpdated { channel, .. }
            | Self::MessageDeleted { channel, .. }
            | Self::ChannelUpdated(channel)
            | Self::ChannelDeleted { id: channel, .. } => Some(channel),
            Self::ChannelCreated(_) | Self::Renamed(_) | Self::SessionEnded(_) | Self::Read(_) => {
                None
            }
        }
    }
}

/// One event in the format of the WHATWG's *Server-sent events*: shared by all who receive it.
///
/// `data` must be JSON on one line, as `serde_json` writes it. Events without an `id` leave the
/// client's cursor where it is.
#[must_use]
pub fn frame(name: &str, id: Option<Cursor>, data: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(data.len() + name.len() + 64);
    frame.put_slice(b"event: ");
    frame.put_slice(name.as_bytes());
    if let Some(id) = id {
        frame.put_slice(format!("\nid: {id}").as_bytes());
    }
    frame.put_slice(b"\ndata: ");
    frame.put_slice(data);
    frame.put_slice(b"\n\n");
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Epoch;

    #[test]
    fn a_frame_is_one_event_of_the_format() {
        let id = Cursor { epoch: Epoch(1), seq: Seq(2) };
        assert_eq!(
            frame("message", Some(id), b"{}"),
            "event: message\nid: 0000000000000001-2\ndata: {}\n\n"
        );
        assert_eq!(frame("ping", None, b"{}"), "event: ping\ndata: {}\n\n");
    }
}
