//! Where a listener goes on from, and what it is due before that.

use bytes::{Bytes, BytesMut};
use serde_json::json;

use super::room::Room;
use super::{Live, follower};
use crate::domain::channel::{Channel, Conversation, Missed};
use crate::domain::event::{Event, frame};
use crate::domain::ids::{Cursor, Seq, UserId};

/// Where to start listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With what comes next.
    Now,
    /// With everything that is stored.
    Start,
    /// After this point.
    After(Cursor),
    /// After a point that no stream of ours ever had.
    Unknown,
}

/// What comes before the room's next words.
pub(super) enum Due {
    Nothing,
    Frames(Bytes),
    /// What comes after a point that this node has not reached yet.
    After(Cursor),
}

/// Why a listener has to start again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reset {
    /// Its cursor is older than what is kept.
    TooOld,
    /// Its cursor is of another store or channel, or none at all.
    UnknownCursor,
    /// It read more slowly than things were said.
    TooSlow,
}

impl Reset {
    fn reason(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::UnknownCursor => "unknown-cursor",
            Self::TooSlow => "too-slow",
        }
    }
}

impl Live {
    /// What a listener of this channel is due before what comes next.
    pub(super) fn due(&self, channel: &Channel, room: &Room, from: From, me: &UserId) -> Due {
        match from {
            From::Now => Due::Nothing,
            From::Start => Due::Frames(self.stored(channel, room).into()),
            From::Unknown => Due::Frames(self.start_again(channel, room, Reset::UnknownCursor)),
            From::After(cursor) if cursor.epoch != room.epoch => {
                Due::Frames(self.start_again(channel, room, Reset::UnknownCursor))
            }
            From::After(cursor) if cursor.seq > self.state.head() => Due::After(cursor),
            From::After(cursor) => Due::Frames(self.missed(channel, room, cursor.seq, me)),
        }
    }

    /// Where a listener of everything starts: at which position, knowing the read markers up to
    /// which entry, and what it is due before.
    pub(super) fn resume_everywhere(&self, room: &Room, from: From) -> (u64, Seq, Due) {
        let head = self.state.head();
        let now = |due| (room.head(), head, due);
        let again = |reset| now(Due::Frames(reset_frame(room, head, reset)));
        match from {
            From::Now | From::Start => now(Due::Nothing),
            From::After(cursor) if cursor.epoch == room.epoch => {
                if cursor.seq > head {
                    return now(Due::After(cursor));
                }
                match room.position_after(cursor.seq) {
                    Some(position) => (position, cursor.seq, Due::Nothing),
                    None => again(Reset::TooOld),
                }
            }
            From::After(_) | From::Unknown => again(Reset::UnknownCursor),
        }
    }

    fn missed(&self, channel: &Channel, room: &Room, seen: Seq, me: &UserId) -> Bytes {
        let conversation = self.state.conversation(&channel.id);
        match conversation.map(|conversation| conversation.since(seen, channel)) {
            Some(Missed::Events(events)) => {
                let frames = events.iter().map(|(seq, event)| self.past(room, *seq, event, me));
                frames.flatten().collect::<BytesMut>().freeze()
            }
            Some(Missed::Gap) | None => self.start_again(channel, room, Reset::TooOld),
        }
    }

    fn past(&self, room: &Room, seq: Seq, event: &Event, me: &UserId) -> Bytes {
        let Event::ChannelUpdated(id) = event else {
            return follower::encode(event, room.epoch, seq);
        };
        let id_of_event = Some(Cursor { epoch: room.epoch, seq });
        let view = self.state.channel(id).map(|channel| self.state.view(channel, me));
        let json = serde_json::to_vec(&view).unwrap_or_default();
        frame("channel-updated", id_of_event, &json)
    }

    /// `reset`, and everything that is stored.
    pub(super) fn start_again(&self, channel: &Channel, room: &Room, reset: Reset) -> Bytes {
        let conversation = self.state.conversation(&channel.id);
        let oldest = conversation.and_then(|conversation| conversation.messages().next());
        // From before what follows: a connection that breaks in between resumes with all of it.
        let seq = oldest.map_or(self.state.head(), |message| Seq(message.seq.0 - 1));
        let mut frames = BytesMut::from(reset_frame(room, seq, reset));
        frames.extend_from_slice(&self.stored(channel, room));
        frames.freeze()
    }

    fn stored(&self, channel: &Channel, room: &Room) -> BytesMut {
        let messages = self.state.conversation(&channel.id);
        let mut messages = messages.into_iter().flat_map(Conversation::messages).peekable();
        let mut frames = BytesMut::new();
        while let Some(message) = messages.next() {
            // Who has heard the last one knows all that was changed until now, too.
            let is_last = messages.peek().is_none();
            let seq = if is_last { self.state.head() } else { message.seq };
            let id = Some(Cursor { epoch: room.epoch, seq });
            let json = message.json(&channel.called());
            frames.extend_from_slice(&frame("message", id, &json));
        }
        frames
    }
}

pub(super) fn reset_frame(room: &Room, seq: Seq, reset: Reset) -> Bytes {
    let id = Some(Cursor { epoch: room.epoch, seq });
    frame("reset", id, json!({ "reason": reset.reason() }).to_string().as_bytes())
}
