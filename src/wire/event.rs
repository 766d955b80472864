//! Events in the format of `text/event-stream` (WHATWG, *Server-sent events*).

pub mod catalogue;

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use utoipa::ToSchema;

use super::channel::{ChannelSnapshot, ChannelView};
use super::cursor::Cursor;
use super::message;
use super::user::UserView;
use crate::domain::channel::Channel;
use crate::domain::ids::{ChannelId, MessageId, Seq};
use crate::domain::message::Message;
use crate::domain::names::ChannelName;
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// The frame of `ping`, by which both ends can tell that the connection lives.
pub const PING: Bytes = Bytes::from_static(b"event: ping\ndata: {}\n\n");
/// Size of the data of most events that are no messages, in bytes.
const USUAL_BYTES: usize = 256;
/// The shortest time after which a client is to reconnect, in milliseconds.
const MIN_RETRY_MS: u32 = 500;
/// The number of milliseconds over which the reconnects of many clients are spread.
const RETRY_SPREAD_MS: u32 = 1_000;

/// Encodes an event as a frame, which all who receive it share.
///
/// `data` must be JSON on one line, as `serde_json` writes it. An event without an `id` leaves the
/// client's cursor as it is.
#[must_use]
pub fn frame(name: &str, id: Option<Cursor>, data: &[u8]) -> Bytes {
    let mut frame = head(name, id, data.len());
    frame.put_slice(data);
    frame.put_slice(TAIL);
    frame.freeze()
}

/// The bytes that end a frame.
pub const TAIL: &[u8] = b"\n\n";

/// Encodes the part of a frame before the data, with capacity for this many bytes of data.
#[must_use]
pub fn head(name: &str, id: Option<Cursor>, data_bytes: usize) -> BytesMut {
    let mut head = BytesMut::with_capacity(data_bytes + name.len() + 72);
    head.put_slice(b"event: ");
    head.put_slice(name.as_bytes());
    if let Some(id) = id {
        // Memory does not fail.
        let _ = write!(head, "\nid: {id}");
    }
    head.put_slice(b"\ndata: ");
    head
}

/// The first block of a stream: the time to reconnect after, and the cursor where the stream begins.
/// It is no event, but clients remember its `id`: whoever is cut off before the first event can
/// resume, too. The time is another one for each stream: thousands that are cut off at once do not come
/// back at once.
#[must_use]
pub fn opening(id: Cursor) -> Bytes {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    let retry_ms = retry_ms(OPENED.fetch_add(1, Ordering::Relaxed));
    format!("retry: {retry_ms}\nid: {id}\n\n").into()
}

/// The time to reconnect after of the `n`th stream, in milliseconds: of any number of consecutive
/// streams they are spread evenly.
fn retry_ms(n: u32) -> u32 {
    // 618 of 1,000 is the golden ratio, 617 has no divisor in common with 1,000.
    const STEP: u32 = 617;
    MIN_RETRY_MS + n % RETRY_SPREAD_MS * STEP % RETRY_SPREAD_MS
}

/// The last block of a stream that ends with the server: the time to reconnect after, in
/// milliseconds. It is no event.
#[must_use]
pub fn farewell(retry_ms: u32) -> Bytes {
    format!("retry: {retry_ms}\n\n").into()
}

/// A message that was deleted: the data of `message-deleted`.
#[derive(Serialize, ToSchema)]
struct DeletedMessage<'a> {
    /// The message's id.
    #[schema(value_type = String)]
    id: &'a MessageId,
    /// The message's place in the channel.
    #[schema(value_type = u64)]
    seq: Seq,
}

/// A channel that is gone: the data of `channel-deleted`.
#[derive(Serialize, ToSchema)]
struct DeletedChannel<'a> {
    /// The name that it had.
    #[schema(value_type = String)]
    name: &'a ChannelName,
}

/// The caller's counts of one channel: the data of `activity`.
#[derive(Serialize, ToSchema)]
struct Activity<'a> {
    /// The channel's name, as the list of channels gives it.
    channel: &'a str,
    /// The channel's id.
    #[schema(value_type = String)]
    channel_id: &'a ChannelId,
    /// The number of messages there that the caller has not read.
    unread: usize,
    /// The number of those that name the caller.
    mentions: usize,
    /// The time of the channel's latest kept message; `null` where there is none.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_message_at: Option<Timestamp>,
}

/// A gap that a stream could not close: the data of `reset`.
#[derive(Serialize, ToSchema)]
struct Reset<'a> {
    /// The reason.
    #[schema(value_type = ResetReason)]
    reason: &'a str,
}

/// The reason of a reset. `too-old`: the cursor is older than what is kept. `unknown-cursor`: it is
/// of another store or channel, of a past that was undone (a restored backup), or no cursor at all.
/// `too-slow`: the client read too slowly.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub enum ResetReason {
    /// The cursor is older than what is kept.
    TooOld,
    /// The cursor is of another store, channel or past, or none at all.
    UnknownCursor,
    /// The client read too slowly.
    TooSlow,
}

/// A user: the data of `typing`, `online`, `offline` and `renamed`.
#[derive(Serialize, ToSchema)]
struct AboutUser<'a> {
    /// The user.
    user: &'a UserView,
}

/// A user who came or went: the data of `joined` and `left`.
#[derive(Serialize, ToSchema)]
struct Attendance<'a> {
    /// The user.
    user: &'a UserView,
    /// The number of users who listen to the channel now.
    online: usize,
}

/// A number of users: the data of `presence`.
#[derive(Serialize, ToSchema)]
struct Presence {
    /// The number of users who are there now.
    online: usize,
}

/// A sign of life, with nothing in it: the data of `ping`.
#[derive(ToSchema)]
struct Ping {}

/// The frame of a message's event, encoded when it is first sent, once for all listeners.
#[derive(Debug)]
pub struct MessageFrame {
    name: &'static str,
    id: Cursor,
    channel: Arc<Channel>,
    message: Arc<Message>,
    bytes: OnceLock<Bytes>,
}

impl MessageFrame {
    /// Makes the frame of the event `name` (`message`, `message-updated` or `message-restored`) about
    /// this message.
    #[must_use]
    pub fn new(
        name: &'static str,
        id: Cursor,
        channel: Arc<Channel>,
        message: Arc<Message>,
    ) -> Self {
        Self { name, id, channel, message, bytes: OnceLock::new() }
    }

    /// The message's sequence.
    #[must_use]
    pub fn message(&self) -> Seq {
        self.message.seq
    }

    /// The approximate size of the frame in bytes, without encoding it.
    #[must_use]
    pub fn approximate_bytes(&self) -> usize {
        let people: usize = self.message.reactions.iter().map(|it| it.users.len()).sum();
        let text = usize::try_from(self.message.text_bytes()).unwrap_or(usize::MAX);
        text.saturating_add(512 + people * 96)
    }

    /// The encoded frame.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.bytes.get_or_init(|| {
            let json = message::json(&self.message, &self.channel.reference());
            frame(self.name, Some(self.id), &json)
        })
    }
}

/// The frame of `message-deleted`.
#[must_use]
pub fn message_deleted(cursor: Cursor, id: &MessageId, message: Seq) -> Bytes {
    frame_of("message-deleted", Some(cursor), &DeletedMessage { id, seq: message })
}

/// The frame of `channel-created` or `channel-updated`, as one user sees the channel.
#[must_use]
pub fn channel(name: &str, cursor: Cursor, view: &ChannelView) -> Bytes {
    frame_of(name, Some(cursor), view)
}

/// The frame of `channel-deleted`.
#[must_use]
pub fn channel_deleted(cursor: Cursor, name: &ChannelName) -> Bytes {
    frame_of("channel-deleted", Some(cursor), &DeletedChannel { name })
}

/// The frame of `activity`: a user's unread counts of a channel.
#[must_use]
pub fn activity(cursor: Cursor, snapshot: &ChannelSnapshot, me: &Arc<Person>) -> Bytes {
    let (unread, mentions) = snapshot.unread(me);
    let activity = Activity {
        channel: &snapshot.name_for(me),
        channel_id: &snapshot.channel.id,
        unread,
        mentions,
        last_message_at: snapshot.last_message_at(),
    };
    frame_of("activity", Some(cursor), &activity)
}

/// The frame of `reset`: the client forgets what it has, and starts again from what is stored.
#[must_use]
pub fn reset(cursor: Cursor, reason: &str) -> Bytes {
    frame_of("reset", Some(cursor), &Reset { reason })
}

/// The frame of an event about a user, without an id: `online`, `offline`, `renamed` or `typing`.
#[must_use]
pub fn about_user(name: &str, user: &UserView) -> Bytes {
    frame_of(name, None, &AboutUser { user })
}

/// The frame of `joined` or `left`, with the number of users who listen now.
#[must_use]
pub fn attendance(name: &str, user: &UserView, online: usize) -> Bytes {
    frame_of(name, None, &Attendance { user, online })
}

/// The frame of `presence`: the number of users, where they are too many to be listed.
#[must_use]
pub fn presence(online: usize) -> Bytes {
    frame_of("presence", None, &Presence { online })
}

fn frame_of(name: &str, id: Option<Cursor>, data: &impl Serialize) -> Bytes {
    let mut frame = head(name, id, USUAL_BYTES);
    // Neither these types nor memory can fail.
    let _ = serde_json::to_writer((&mut frame).writer(), data);
    frame.put_slice(TAIL);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Epoch, StartId};

    #[test]
    fn a_frame_is_one_event_of_the_format() {
        let id = Cursor { epoch: Epoch(1), start: StartId(3), seq: Seq(2) };
        assert_eq!(
            frame("message", Some(id), b"{}"),
            "event: message\nid: 0000000000000001-00000003-2\ndata: {}\n\n"
        );
        assert_eq!(frame("ping", None, b"{}"), PING);
        let opening = String::from_utf8(opening(id).to_vec()).expect("a text");
        let retry = opening.strip_suffix("\nid: 0000000000000001-00000003-2\n\n");
        assert!(retry.is_some_and(|retry| retry.starts_with("retry: ")), "{opening:?}");
    }

    #[test]
    fn streams_that_are_cut_off_together_come_back_over_a_second() {
        for first in [0, 1, 999, 123_456, u32::MAX - 999] {
            let mut times: Vec<_> = (0..1_000).map(|n| retry_ms(first + n)).collect();
            let soon = times[..10].iter().filter(|time| **time < 1_000).count();
            assert!((4..=6).contains(&soon), "{:?}", &times[..10]);
            times.sort_unstable();
            assert_eq!(times, Vec::from_iter(500..1_500));
        }
    }
}
