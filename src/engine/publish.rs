//! Publishing: each event goes to the rooms of those whom it concerns, encoded once.

use std::sync::Arc;
use std::time::Duration;

use super::Core;
use super::room::{Payload, Room};
use crate::domain::channel::{Channel, ChannelKind};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Epoch, Seq, SessionId, StartId};
use crate::domain::message::Message;
use crate::wire::cursor::Cursor;
use crate::wire::event::{self, MessageFrame};

/// Size from which on a message's update is held back for [`LARGE_UPDATE_WAIT`]: by then later
/// updates of it may have come, and the last one is enough.
const LARGE_UPDATE_BYTES: usize = 4 * 1024;
/// Longest time for which a large update is held back.
const LARGE_UPDATE_WAIT: Duration = Duration::from_secs(1);

/// Shortest time between two wakes of all streams of everything for activity alone.
const ACTIVITY_PERIOD: Duration = Duration::from_millis(200);

/// The name from which the epoch of the stream of everything is made.
const EVERYTHING: &str = "events";

/// The rooms and frames of a batch of events, to be delivered once the state's lock is released.
#[derive(Default)]
pub(super) struct Deliveries {
    /// Rooms with something new.
    rooms: Vec<Arc<Room>>,
    /// Rooms with something new that can wait a moment.
    unhurried: Vec<Arc<Room>>,
    /// Rooms that hold a large update back.
    holding: Vec<Arc<Room>>,
    /// Frames that are not encoded yet.
    frames: Vec<Arc<MessageFrame>>,
    /// Rooms of deleted channels.
    closed: Vec<Arc<Room>>,
    /// The sessions that were ended.
    pub(super) ended_sessions: Vec<SessionId>,
}

impl Deliveries {
    /// Encodes the frames, then wakes the listeners of each room once.
    pub(super) fn deliver(&self) {
        for frame in &self.frames {
            let _encoded = frame.bytes();
        }
        self.rooms.iter().for_each(|room| room.wake());
        self.unhurried.iter().for_each(|room| room.wake_sparingly(ACTIVITY_PERIOD));
        self.holding.iter().for_each(|room| room.push_held_after(LARGE_UPDATE_WAIT));
        self.closed.iter().for_each(|room| room.close());
    }

    fn add_room(&mut self, room: &Arc<Room>) {
        add_once(&mut self.rooms, room);
    }
}

fn add_once(rooms: &mut Vec<Arc<Room>>, room: &Arc<Room>) {
    if !rooms.iter().any(|known| Arc::ptr_eq(known, room)) {
        rooms.push(room.clone());
    }
}

impl Core {
    /// The id of the present start.
    pub(super) fn start(&self) -> StartId {
        self.starts.last().map_or(StartId(0), |start| start.id)
    }

    /// The cursor of a point in the stream of this channel.
    pub(super) fn cursor_of(&self, channel: &ChannelId, seq: Seq) -> Cursor {
        Cursor { epoch: self.epoch_of(channel), start: self.start(), seq }
    }

    /// The cursor of a point in the stream of everything.
    pub(super) fn cursor_of_everything(&self, seq: Seq) -> Cursor {
        let epoch = self.epoch.of_stream(EVERYTHING);
        Cursor { epoch, start: self.start(), seq }
    }

    fn epoch_of(&self, channel: &ChannelId) -> Epoch {
        self.epoch.of_stream(channel.as_str())
    }

    /// Pushes an event to the rooms of those whom it concerns. Events of direct conversations go to
    /// their two members alone.
    pub(super) fn publish(&self, seq: Seq, event: &Event, deliveries: &mut Deliveries) {
        if let Some(channel) = event.channel() {
            self.publish_in_channel(channel, seq, event, deliveries);
        }
        match event {
            Event::MessagePosted(channel, _)
            | Event::MessageDeleted { channel, .. }
            | Event::MessageRestored(channel, _) => {
                let activity = Payload::Activity(channel.id.clone());
                self.publish_to_viewers(channel, seq, &activity, deliveries);
            }
            Event::ChannelCreated(channel) | Event::ChannelUpdated(channel) => {
                let created = matches!(event, Event::ChannelCreated(_));
                let event = if created { "channel-created" } else { "channel-updated" };
                let payload = Payload::Channel { event, channel: channel.id.clone() };
                self.publish_to_viewers(channel, seq, &payload, deliveries);
            }
            Event::ChannelDeleted(channel) => {
                let frame = channel_deleted(self.cursor_of_everything(seq), channel);
                let payload = Payload::Shared(frame);
                self.publish_to_viewers(channel, seq, &payload, deliveries);
            }
            Event::Renamed(person) => {
                self.presence.rename(&person.user());
                let frame = event::about_user("renamed", &(&**person).into());
                self.publish_to_all(seq, Payload::Shared(frame), deliveries);
            }
            Event::Read(user, channels) => {
                if let Some(room) = self.user_rooms.get(user) {
                    for channel in channels {
                        room.push(Some(seq), Payload::Activity(channel.clone()));
                    }
                    deliveries.add_room(&room);
                }
            }
            Event::PreferencesChanged(user, channel) => {
                if let Some(room) = self.user_rooms.get(user) {
                    let payload =
                        Payload::Channel { event: "channel-updated", channel: channel.clone() };
                    room.push(Some(seq), payload);
                    deliveries.add_room(&room);
                }
            }
            Event::SessionEnded(session) => deliveries.ended_sessions.push(session.clone()),
            Event::MessageUpdated(..) => {}
        }
    }

    /// Pushes an event to its channel's own room.
    fn publish_in_channel(
        &self,
        channel: &Arc<Channel>,
        seq: Seq,
        event: &Event,
        deliveries: &mut Deliveries,
    ) {
        let Some(room) = self.rooms.get(&channel.id) else { return };
        let cursor = self.cursor_of(&channel.id, seq);
        let frame = |name, message: &Arc<Message>| {
            Arc::new(MessageFrame::new(name, cursor, channel.clone(), message.clone()))
        };
        let payload = match event {
            Event::MessagePosted(_, message) => Payload::Message(frame("message", message)),
            Event::MessageUpdated(_, message) => Payload::Update(frame("message-updated", message)),
            Event::MessageRestored(_, message) => {
                Payload::Message(frame("message-restored", message))
            }
            Event::MessageDeleted { id, message, .. } => {
                Payload::Shared(event::message_deleted(cursor, id, *message))
            }
            Event::ChannelUpdated(_) => {
                Payload::Channel { event: "channel-updated", channel: channel.id.clone() }
            }
            Event::ChannelDeleted(_) => Payload::Shared(channel_deleted(cursor, channel)),
            _ => return,
        };
        match payload {
            Payload::Update(frame) if frame.approximate_bytes() > LARGE_UPDATE_BYTES => {
                room.hold(seq, frame);
                add_once(&mut deliveries.holding, &room);
            }
            payload => {
                if let Payload::Message(frame) | Payload::Update(frame) = &payload {
                    deliveries.frames.push(frame.clone());
                }
                room.push(Some(seq), payload);
                deliveries.add_room(&room);
            }
        }
        if matches!(event, Event::ChannelDeleted(_)) {
            deliveries.closed.push(room);
        }
    }

    fn publish_to_viewers(
        &self,
        channel: &Channel,
        seq: Seq,
        payload: &Payload,
        deliveries: &mut Deliveries,
    ) {
        match &channel.kind {
            ChannelKind::Public { .. } => {
                self.publish_to_all(seq, payload.clone(), deliveries);
            }
            ChannelKind::Direct { members: [one, other], .. } => {
                let other = (one.id() != other.id()).then_some(other);
                for member in [one].into_iter().chain(other) {
                    if let Some(room) = self.user_rooms.get(member.id()) {
                        room.push(Some(seq), payload.clone());
                        deliveries.add_room(&room);
                    }
                }
            }
        }
    }

    fn publish_to_all(&self, seq: Seq, payload: Payload, deliveries: &mut Deliveries) {
        let rooms = match payload {
            Payload::Activity(_) => &mut deliveries.unhurried,
            _ => &mut deliveries.rooms,
        };
        add_once(rooms, &self.lobby);
        self.lobby.push(Some(seq), payload);
    }
}

fn channel_deleted(cursor: Cursor, channel: &Channel) -> bytes::Bytes {
    match &channel.kind {
        ChannelKind::Public { name, .. } => event::channel_deleted(cursor, name),
        // Nobody is left to get it.
        ChannelKind::Direct { .. } => bytes::Bytes::new(),
    }
}
