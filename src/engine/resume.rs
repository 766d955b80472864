//! Resuming: the point from which a listener goes on, and the backlog that it is sent first.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use foldhash::HashMap;

use super::reader::Reader;
use super::{Core, Live};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::conversation::{Conversation, Missed, MissedChange};
use crate::domain::ids::{ChannelId, Epoch, Seq, StartId};
use crate::domain::message::Message;
use crate::domain::names::ChannelName;
use crate::domain::user::Person;
use crate::wire::channel::ChannelSnapshot;
use crate::wire::cursor::Cursor;
use crate::wire::event;
use crate::wire::message;

/// Size, in bytes, up to which a backlog's frames are put together into one piece. A larger message
/// is sent from the bytes that all share.
const PIECE_BYTES: usize = 8 * 1024;

/// The point in a stream from which a listener starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The present: only what comes next.
    Now,
    /// The beginning: everything that is stored, then what comes next.
    Start,
    /// A cursor that the client has.
    After(Cursor),
    /// Something that is no cursor of this server.
    Unknown,
}

/// The reason for which a listener has to start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    /// The cursor is older than what is kept.
    TooOld,
    /// The cursor is of another store or channel, of a past that was undone, or none at all.
    UnknownCursor,
    /// The listener read more slowly than events came.
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

/// The frames that a listener is sent before what comes next, made piece by piece from what all
/// share: a stream that nobody reads holds no copy.
#[derive(Debug, Default)]
pub(super) struct Backlog(VecDeque<Piece>);

#[derive(Debug)]
enum Piece {
    Frame(Bytes),
    Message {
        name: &'static str,
        id: Cursor,
        channel: Arc<Channel>,
        message: Arc<Message>,
    },
    /// `channel-created` or `channel-updated`.
    Channel {
        name: &'static str,
        id: Cursor,
        me: Arc<Person>,
        snapshot: ChannelSnapshot,
    },
    Activity {
        id: Cursor,
        me: Arc<Person>,
        snapshot: ChannelSnapshot,
    },
    ChannelDeleted {
        id: Cursor,
        name: ChannelName,
    },
    Renamed(Arc<Person>),
}

impl Backlog {
    fn opening(id: Cursor) -> Self {
        Self([Piece::Frame(event::opening(id))].into())
    }

    /// The next bytes to send, whole frames but for large messages; `None` when all was sent.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let mut piece = BytesMut::new();
        while piece.len() < PIECE_BYTES {
            match self.0.pop_front() {
                None => break,
                // A large frame is sent as it is.
                Some(Piece::Frame(frame)) if frame.len() > PIECE_BYTES => {
                    if piece.is_empty() {
                        return Some(frame);
                    }
                    self.0.push_front(Piece::Frame(frame));
                    break;
                }
                Some(Piece::Frame(frame)) => piece.put(frame),
                Some(Piece::Channel { name, id, me, snapshot }) => {
                    piece.put(event::channel(name, id, &snapshot.view(&me)));
                }
                Some(Piece::Activity { id, me, snapshot }) => {
                    piece.put(event::activity(id, &snapshot, &me));
                }
                Some(Piece::ChannelDeleted { id, name }) => {
                    piece.put(event::channel_deleted(id, &name));
                }
                Some(Piece::Renamed(person)) => {
                    piece.put(event::about_user("renamed", &(&*person).into()));
                }
                Some(Piece::Message { name, id, channel, message }) => {
                    let json = message::json(&message, &channel.reference());
                    piece.put(event::head(name, Some(id), 0));
                    if json.len() > PIECE_BYTES {
                        self.0.push_front(Piece::Frame(Bytes::from_static(event::TAIL)));
                        self.0.push_front(Piece::Frame(json));
                        break;
                    }
                    piece.put(json);
                    piece.put_slice(event::TAIL);
                }
            }
        }
        if piece.is_empty() { None } else { Some(piece.freeze()) }
    }

    /// The number of events that are left to send, the opening among them.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes of text of all messages that are left to send.
    pub(super) fn text_bytes(&self) -> usize {
        let bytes = self.0.iter().map(|piece| match piece {
            Piece::Message { message, .. } => message.text_bytes(),
            _ => 0,
        });
        usize::try_from(bytes.sum::<u64>()).unwrap_or(usize::MAX)
    }

    fn push(&mut self, frame: Bytes) {
        self.0.push_back(Piece::Frame(frame));
    }
}

/// A cursor that no start gave out: a client that comes back with it gets a `reset`.
fn unknown_cursor(of: Cursor) -> Cursor {
    Cursor { start: StartId(0), seq: Seq(0), ..of }
}

impl Core {
    /// True when a cursor is a point in this log's past: given out in a start that the log knows,
    /// and not beyond where that start ended.
    fn is_known(&self, cursor: Cursor, epoch: Epoch, head: Seq) -> bool {
        let mut starts = self.starts.iter().skip_while(|start| start.id != cursor.start);
        let known = starts.next().is_some() && cursor.epoch == epoch;
        let end = starts.next().map_or(head, |next| next.after);
        known && cursor.seq <= end
    }

    /// The backlog of a listener to a channel.
    pub(super) fn channel_backlog(
        &self,
        snapshot: &ChannelSnapshot,
        me: &Arc<Person>,
        from: Resume,
        head: Seq,
    ) -> Backlog {
        let id = &snapshot.channel.id;
        let now = self.cursor_of(id, last_event_of(snapshot));
        match from {
            Resume::Now => Backlog::opening(now),
            Resume::Start => {
                let mut backlog = Backlog::opening(before_stored(now, &snapshot.conversation));
                stored(&mut backlog, now, snapshot);
                backlog
            }
            Resume::After(cursor) if self.is_known(cursor, now.epoch, head) => {
                match snapshot.conversation.since(cursor.seq) {
                    Missed::Gap => start_again(now, snapshot, Reset::TooOld),
                    Missed::Changes(changes) => {
                        changes_since(now, cursor.seq, snapshot, changes, me)
                    }
                }
            }
            Resume::After(_) | Resume::Unknown => start_again(now, snapshot, Reset::UnknownCursor),
        }
    }

    /// The backlog of a listener that lags behind its channel's room.
    pub(super) fn channel_reset(&self, snapshot: &ChannelSnapshot) -> Backlog {
        let now = self.cursor_of(&snapshot.channel.id, last_event_of(snapshot));
        let mut backlog = Backlog::default();
        reset_and_stored(&mut backlog, now, snapshot, Reset::TooSlow);
        backlog
    }

    /// The backlog of a listener to what happens everywhere.
    pub(super) fn everything_backlog(&self, live: &Live, reader: &Reader, from: Resume) -> Backlog {
        let now = self.cursor_of_everything(last_event_for(live, reader));
        let reset = |reset: Reset| {
            let mut backlog = Backlog::opening(unknown_cursor(now));
            backlog.push(event::reset(now, reset.reason()));
            backlog
        };
        match from {
            Resume::Now | Resume::Start => Backlog::opening(now),
            Resume::Unknown => reset(Reset::UnknownCursor),
            Resume::After(cursor) if !self.is_known(cursor, now.epoch, live.state.head()) => {
                reset(Reset::UnknownCursor)
            }
            Resume::After(cursor) if cursor.seq >= now.seq => {
                Backlog::opening(cursor_at(now, cursor))
            }
            Resume::After(cursor) => {
                let events = events_since(live, now, cursor.seq, reader);
                events.map_or_else(
                    || reset(Reset::TooOld),
                    |events| {
                        let mut backlog = Backlog::opening(cursor_at(now, cursor));
                        backlog.0.extend(events);
                        backlog
                    },
                )
            }
        }
    }

    /// The backlog of a listener that lags behind what happens everywhere.
    pub(super) fn everything_reset(&self, live: &Live, reader: &Reader) -> Backlog {
        let now = self.cursor_of_everything(last_event_for(live, reader));
        let mut backlog = Backlog::default();
        backlog.push(event::reset(now, Reset::TooSlow.reason()));
        backlog
    }
}

fn cursor_at(now: Cursor, cursor: Cursor) -> Cursor {
    Cursor { seq: cursor.seq, ..now }
}

/// The last entry that had an event on the channel's stream: the channel's own place in the log.
pub(super) fn last_event_of(snapshot: &ChannelSnapshot) -> Seq {
    snapshot.channel.seq().max(snapshot.conversation.last())
}

/// The cursor right before everything that is stored.
fn before_stored(now: Cursor, conversation: &Conversation) -> Cursor {
    let oldest = conversation.messages().next();
    Cursor { seq: oldest.map_or(now.seq, |message| Seq(message.seq.0 - 1)), ..now }
}

fn start_again(now: Cursor, snapshot: &ChannelSnapshot, reset: Reset) -> Backlog {
    let mut backlog = Backlog::opening(unknown_cursor(now));
    reset_and_stored(&mut backlog, now, snapshot, reset);
    backlog
}

fn reset_and_stored(backlog: &mut Backlog, now: Cursor, snapshot: &ChannelSnapshot, reset: Reset) {
    // From before what follows: a connection that breaks in between resumes with all of it.
    let before = before_stored(now, &snapshot.conversation);
    backlog.push(event::reset(before, reset.reason()));
    stored(backlog, now, snapshot);
}

fn stored(backlog: &mut Backlog, now: Cursor, snapshot: &ChannelSnapshot) {
    let mut messages = snapshot.conversation.messages().peekable();
    while let Some(message) = messages.next() {
        // After the last message the client knows every change until now, too.
        let seq = if messages.peek().is_none() { now.seq } else { message.seq };
        backlog.0.push_back(Piece::Message {
            name: "message",
            id: Cursor { seq, ..now },
            channel: snapshot.channel.clone(),
            message: message.clone(),
        });
    }
}

fn changes_since(
    now: Cursor,
    seen: Seq,
    snapshot: &ChannelSnapshot,
    changes: Vec<(Seq, MissedChange)>,
    me: &Arc<Person>,
) -> Backlog {
    let mut backlog = Backlog::opening(Cursor { seq: seen, ..now });
    let mut updated = snapshot.channel.updated.filter(|updated| *updated > seen);
    let update = |seq| {
        let id = Cursor { seq, ..now };
        Piece::Frame(event::channel("channel-updated", id, &snapshot.view(me)))
    };
    for (seq, change) in changes {
        if let Some(at) = updated.filter(|at| *at < seq) {
            backlog.0.push_back(update(at));
            updated = None;
        }
        let id = Cursor { seq, ..now };
        let of = |name, message| {
            let channel = snapshot.channel.clone();
            Piece::Message { name, id, channel, message }
        };
        backlog.0.push_back(match change {
            MissedChange::Posted(message) => of("message", message),
            MissedChange::Updated(message) => of("message-updated", message),
            MissedChange::Restored(message) => of("message-restored", message),
            MissedChange::Deleted { id: deleted, message } => {
                Piece::Frame(event::message_deleted(id, &deleted, message))
            }
        });
    }
    backlog.0.extend(updated.map(update));
    backlog
}

/// The last entry that had an event for this user on the stream of everything.
fn last_event_for(live: &Live, reader: &Reader) -> Seq {
    let directs = live.state.directs_of(reader.me.id());
    let directs = directs.filter_map(|channel| live.state.last_event_in(&channel.id));
    let own = [reader.positions.last_moved(), reader.preferences.last_changed()];
    directs.chain([live.state.last_public_event()]).chain(own).max().unwrap_or_default()
}

/// The events after `seen` on this user's stream of everything, in order. `None` where some may be
/// forgotten.
fn events_since(live: &Live, now: Cursor, seen: Seq, reader: &Reader) -> Option<Vec<Piece>> {
    let Reader { me, positions, .. } = reader;
    let at = |seq| Cursor { seq, ..now };
    let mut events = Vec::new();
    for (seq, name) in live.state.channels_deleted_since(seen)? {
        events.push((seq, Piece::ChannelDeleted { id: at(seq), name: name.clone() }));
    }
    for (seq, person) in live.state.renamed_since(seen) {
        events.push((seq, Piece::Renamed(person.clone())));
    }
    let channel_piece = |name, seq, channel: &_| {
        let snapshot = live.snapshot(channel, reader);
        Piece::Channel { name, id: at(seq), me: me.clone(), snapshot }
    };
    for (seq, channel) in preferences_changed_since(live, seen, reader) {
        events.push((seq, channel_piece("channel-updated", seq, &channel)));
    }
    let mut activity: HashMap<&ChannelId, Seq> =
        positions.moved_since(seen).map(|(seq, channel)| (channel, seq)).collect();
    let directs = live.state.directs_of(me.id());
    for channel in live.state.public_channels_since(seen).chain(directs) {
        if channel.seq() > seen {
            let created = channel.created > seen;
            let name = if created { "channel-created" } else { "channel-updated" };
            let seq = if created { channel.created } else { channel.seq() };
            events.push((seq, channel_piece(name, seq, channel)));
        }
        let last = live.state.conversation(&channel.id).map(|it| it.last_activity());
        if let Some(last) = last.filter(|last| *last > seen) {
            let latest = activity.entry(&channel.id).or_insert(last);
            *latest = last.max(*latest);
        }
    }
    for (id, seq) in activity {
        let visible = live.state.channel(id).filter(|channel| channel.is_visible_to(me.id()));
        if let Some(channel) = visible {
            let snapshot = live.snapshot(channel, reader);
            events.push((seq, Piece::Activity { id: at(seq), me: me.clone(), snapshot }));
        }
    }
    events.sort_by_key(|(seq, _)| *seq);
    Some(events.into_iter().map(|(_, piece)| piece).collect())
}

/// The channels that this reader wants otherwise since the entry `seen`, or that were shown to them
/// again, each with the entry that brought that about.
fn preferences_changed_since(live: &Live, seen: Seq, reader: &Reader) -> Vec<(Seq, Arc<Channel>)> {
    let me = reader.me.id();
    let changed = reader.preferences.channels().map(|(id, it)| (id.clone(), it.changed));
    let shown_again = live.state.shown_again(me).into_iter().map(|(id, it)| (id, it.changed));
    let later = changed.chain(shown_again).filter(|(_, seq)| *seq > seen);
    later
        .filter_map(|(id, seq)| {
            let channel = live.state.find(&ChannelRef::Id(id), me)?.into_owned();
            Some((seq, channel))
        })
        .collect()
}
