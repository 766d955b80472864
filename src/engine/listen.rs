//! Listeners: the streams of events. History, live delivery, resuming and slow readers are all the
//! same operation, *read on from here*.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use foldhash::{HashMap, HashSet};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::Stream;
use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::limits::Cost;
use super::presence::StreamGuard;
use super::resume::{Backlog, Resume, last_event_of};
use super::ring::Lagged;
use super::room::{Payload, ReadResult, Room, Slot};
use super::wake_queue::Subscription;
use super::{Core, Engine, EngineError, Live};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{ChannelId, Seq};
use crate::domain::user::{Person, Session};
use crate::wire::channel::ChannelSnapshot;
use crate::wire::cursor::Cursor;
use crate::wire::event;

/// The shortest time after which the clients of a server that ends come back, in milliseconds.
const SHORTEST_RETRY_MS: u32 = 1_000;
/// The time over which they come back, in milliseconds: within the grace in which nobody has left.
const RETRY_SPREAD_MS: u32 = 3_000;
/// Largest chunk, in bytes, but for a single larger frame.
const CHUNK_BYTES: usize = 64 * 1024;

/// A stream of events as bytes, mostly whole frames, several at once when several wait: a position
/// in a room, and a backlog before it. It ends when the session was signed out, the channel
/// deleted, the user has opened too many later streams, or the server is shutting down.
pub struct Listener {
    core: Arc<Core>,
    room: Arc<Room>,
    subject: Subject,
    me: Arc<Person>,
    /// The stream's cursors, but for their sequence.
    cursor: Cursor,
    position: u64,
    backlog: Backlog,
    subscription: Subscription,
    ping: Pin<Box<Sleep>>,
    /// Cancelled when the session or the server ends, or the user has too many later streams.
    end: CancellationToken,
    /// Ready once `end` is cancelled.
    ended: BoxFuture<'static, ()>,
    /// The task that `ping` and `ended` will wake.
    registered: Option<Waker>,
    /// Set once the client was told when to come back.
    told_end: bool,
    _guard: StreamGuard,
}

/// What has happened in a channel until a moment, as the frames of its stream. They are made from
/// shared bytes as they are taken.
pub struct CatchUp {
    backlog: Backlog,
    cursor: Cursor,
}

impl CatchUp {
    /// The point in the channel's stream at which it ends.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }
}

impl Iterator for CatchUp {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.backlog.next()
    }
}

/// The subject of a stream.
enum Subject {
    /// One channel.
    Channel(ChannelId),
    /// Everything that the user can see: the lobby, and the user's own room.
    Everything(UserRoom),
}

/// The listener's position in the room of its user.
struct UserRoom {
    room: Arc<Room>,
    position: u64,
    subscription: Subscription,
}

impl Engine {
    /// Opens a stream of what happens in a channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, their session is gone, they read too much, or
    /// there are as many streams as there can be.
    pub fn listen(
        &self,
        session: &Session,
        named: &ChannelRef,
        from: Resume,
    ) -> Result<Listener, EngineError> {
        let core = &self.core;
        let (snapshot, me, room, position, head, end) = {
            let live = core.live.read();
            let channel = live.find(named, session)?;
            let reader = core.reader_of(&live, session)?;
            let room = core.rooms.get_or_make(channel.id.clone(), Room::default);
            let position = room.start_position();
            let end = core.session_end(&live, session)?;
            (live.snapshot(&channel, &reader), reader.me, room, position, live.state.head(), end)
        };
        let backlog = core.channel_backlog(&snapshot, &me, from, head);
        self.count_read(session, Cost::of_history(backlog.text_bytes()))?;
        let subject = Subject::Channel(snapshot.channel.id.clone());
        self.open_stream(session, Opening { me, room, subject, position, backlog, end })
    }

    /// Reads what a stream of a channel would begin with, from there until now, without opening one.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, their session is gone, or they read too much.
    pub fn catch_up(
        &self,
        session: &Session,
        named: &ChannelRef,
        from: Resume,
    ) -> Result<CatchUp, EngineError> {
        let core = &self.core;
        let (snapshot, me, head) = {
            let live = core.live.read();
            let channel = live.find(named, session)?;
            let reader = core.reader_of(&live, session)?;
            (live.snapshot(&channel, &reader), reader.me, live.state.head())
        };
        let backlog = core.channel_backlog(&snapshot, &me, from, head);
        self.count_read(session, Cost::of_history(backlog.text_bytes()))?;
        let cursor = core.cursor_of(&snapshot.channel.id, last_event_of(&snapshot));
        Ok(CatchUp { backlog, cursor })
    }

    /// Opens a stream of what happens everywhere.
    ///
    /// # Errors
    ///
    /// When the session is gone, the user reads too much, or there are as many streams as there can
    /// be.
    pub fn listen_everywhere(
        &self,
        session: &Session,
        from: Resume,
    ) -> Result<Listener, EngineError> {
        // Before anything is looked up: who reads too much makes no work.
        self.count_read(session, Cost::SMALL)?;
        let core = &self.core;
        let room = core.lobby.clone();
        let (me, position, own, backlog, end) = {
            let live = core.live.read();
            let reader = core.reader_of(&live, session)?;
            let own = core.user_rooms.get_or_make(reader.me.id().clone(), Room::default);
            let subscription = own.subscribe();
            let own = UserRoom { position: own.head(), room: own, subscription };
            let backlog = core.everything_backlog(&live, &reader, from);
            (reader.me, room.head(), own, backlog, core.session_end(&live, session)?)
        };
        if let Some(more) = Cost::of_longer_list(backlog.len()) {
            self.count_read(session, more)?;
        }
        let subject = Subject::Everything(own);
        self.open_stream(session, Opening { me, room, subject, position, backlog, end })
    }

    fn open_stream(&self, session: &Session, opening: Opening) -> Result<Listener, EngineError> {
        let Opening { me, room, subject, position, backlog, end } = opening;
        if self.core.end.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let (channel, cursor) = match &subject {
            Subject::Channel(channel) => {
                (Some((channel.clone(), &room)), self.core.cursor_of(channel, Seq(0)))
            }
            Subject::Everything(_) => (None, self.core.cursor_of_everything(Seq(0))),
        };
        let guard = StreamGuard::open(&self.core, session, channel, &end)?;
        let end = guard.end().clone();
        Ok(Listener {
            core: self.core.clone(),
            me,
            cursor,
            position,
            backlog,
            subscription: room.subscribe(),
            ping: Box::pin(sleep_until(self.core.pings.first())),
            ended: Box::pin(end.clone().cancelled_owned()),
            end,
            registered: None,
            told_end: false,
            _guard: guard,
            room,
            subject,
        })
    }
}

/// The parts of a new listener that the state gives.
struct Opening {
    me: Arc<Person>,
    room: Arc<Room>,
    subject: Subject,
    position: u64,
    backlog: Backlog,
    /// Cancelled when the session ends.
    end: CancellationToken,
}

impl Stream for Listener {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // Checked first: in a busy room the stream would never get to wait for its end.
        if self.end.is_cancelled() {
            return Poll::Ready(self.farewell());
        }
        if let Some(piece) = self.backlog.next() {
            return Poll::Ready(Some(piece));
        }
        if let frames @ Poll::Ready(_) = self.poll_rooms() {
            return frames;
        }
        self.subscription.register(context.waker());
        if let Subject::Everything(own) = &self.subject {
            own.subscription.register(context.waker());
        }
        // Read again: an event may have come in between.
        if let frames @ Poll::Ready(_) = self.poll_rooms() {
            return frames;
        }
        self.poll_end_and_ping(context)
    }
}

impl Listener {
    /// The next chunk from the rooms; pending when there is nothing new.
    fn poll_rooms(&mut self) -> Poll<Option<Bytes>> {
        if let Subject::Everything(_) = self.subject {
            return self.poll_lobby_and_user_room();
        }
        loop {
            match self.room.read(self.position, CHUNK_BYTES) {
                ReadResult::Frames(frames, position) => {
                    self.core.flow.count_deliveries(position - self.position);
                    self.position = position;
                    return Poll::Ready(Some(frames));
                }
                ReadResult::Slots => match self.room.slots_after(self.position, CHUNK_BYTES) {
                    Err(Lagged) => return Poll::Ready(self.reset()),
                    Ok((slots, position)) => {
                        self.core.flow.count_deliveries(position - self.position);
                        self.position = position;
                        let chunk = self.render(&slots);
                        if !chunk.is_empty() {
                            return Poll::Ready(Some(chunk));
                        }
                    }
                },
                ReadResult::Lagged => return Poll::Ready(self.reset()),
                ReadResult::Closed => return Poll::Ready(None),
                ReadResult::Empty => return Poll::Pending,
            }
        }
    }

    /// The next chunk from the lobby and the user's own room, in the order of the log.
    fn poll_lobby_and_user_room(&mut self) -> Poll<Option<Bytes>> {
        let Subject::Everything(own) = &mut self.subject else { return Poll::Pending };
        if self.room.head() == self.position && own.room.head() == own.position {
            return Poll::Pending;
        }
        let read = {
            // Both rooms are read at one moment: otherwise an event of one could be sent after a
            // later event of the other.
            let _live = self.core.live.read();
            let all = usize::MAX;
            let own = own.room.slots_after(own.position, all);
            (self.room.slots_after(self.position, all), own)
        };
        let (Ok((mut slots, position)), Ok((others, own_position))) = read else {
            return Poll::Ready(self.reset());
        };
        self.position = position;
        own.position = own_position;
        slots.extend(others);
        slots.sort_by_key(|slot| slot.seq);
        self.core.flow.count_deliveries(slots.len() as u64);
        let chunk = self.render(&slots);
        if chunk.is_empty() { Poll::Pending } else { Poll::Ready(Some(chunk)) }
    }

    /// The end of the stream, or a ping that is due; pending when neither.
    fn poll_end_and_ping(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let waker = context.waker();
        // Mostly the task was woken by a room: `ping` and `ended` have its waker already.
        if self.registered.as_ref().is_some_and(|registered| registered.will_wake(waker))
            && !self.ping.is_elapsed()
        {
            return Poll::Pending;
        }
        self.registered = Some(waker.clone());
        if self.ended.poll_unpin(context).is_ready() {
            return Poll::Ready(self.farewell());
        }
        // Outside the task's budget: where that is used up, the timer would not keep the waker.
        ready!(pin!(unconstrained(self.ping.as_mut())).poll(context));
        let next = self.core.pings.next();
        self.ping.as_mut().reset(next);
        self.registered = None;
        Poll::Ready(Some(event::PING))
    }

    /// The last piece of a stream that has to end: where the server ends, the time after which the
    /// client comes back, which is another one for each: a new server is not asked by all at once.
    fn farewell(&mut self) -> Option<Bytes> {
        if !self.core.end.is_cancelled() || std::mem::replace(&mut self.told_end, true) {
            return None;
        }
        let mut random = [0; 2];
        // Without random numbers they come back together, as they did before.
        let _ = getrandom::fill(&mut random);
        let share = u32::from(u16::from_ne_bytes(random)) * RETRY_SPREAD_MS / u32::from(u16::MAX);
        Some(event::farewell(SHORTEST_RETRY_MS + share))
    }

    /// Starts again with a `reset`, and gives the first piece of that.
    fn reset(&mut self) -> Option<Bytes> {
        self.core.flow.count_reset();
        let core = self.core.clone();
        let live = core.live.read();
        let reader = core.reader(&live, self.me.clone());
        self.position = self.room.start_position();
        match &mut self.subject {
            Subject::Channel(id) => {
                let channel = live.state.channel(id)?;
                let snapshot = live.snapshot(channel, &reader);
                drop(live);
                self.backlog = core.channel_reset(&snapshot);
            }
            Subject::Everything(own) => {
                own.position = own.room.head();
                self.backlog = core.everything_reset(&live, &reader);
            }
        }
        self.backlog.next()
    }

    /// The frames of these slots as this listener sees them. Of several `activity` of one channel
    /// only the last is sent.
    fn render(&self, slots: &[Slot]) -> Bytes {
        let views = self.snapshots(slots);
        let mut seen = HashSet::default();
        let mut frames = Vec::with_capacity(slots.len());
        for slot in slots.iter().rev() {
            if let Payload::Activity(channel) = &slot.payload
                && !seen.insert(channel)
            {
                continue;
            }
            frames.extend(self.frame_of(&views, slot));
        }
        let mut chunk = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
        frames.iter().rev().for_each(|frame| chunk.extend_from_slice(frame));
        chunk.freeze()
    }

    /// The present state of the channels that these slots are about.
    fn snapshots(&self, slots: &[Slot]) -> HashMap<ChannelId, ChannelSnapshot> {
        let about = |slot: &Slot| match &slot.payload {
            Payload::Channel { channel, .. } | Payload::Activity(channel) => Some(channel.clone()),
            Payload::Shared(_) | Payload::Message(_) | Payload::Update(_) => None,
        };
        let about: HashSet<_> = slots.iter().filter_map(about).collect();
        if about.is_empty() {
            return HashMap::default();
        }
        let live = self.core.live.read();
        let reader = self.core.reader(&live, self.me.clone());
        let snapshot = |id: ChannelId| {
            // Of others' conversations not even the time of an event may show.
            let channel = live.state.find(&ChannelRef::Id(id.clone()), self.me.id())?;
            let snapshot = live.snapshot(&channel, &reader);
            Some((id, snapshot))
        };
        about.into_iter().filter_map(snapshot).collect()
    }

    fn frame_of(
        &self,
        snapshots: &HashMap<ChannelId, ChannelSnapshot>,
        slot: &Slot,
    ) -> Option<Bytes> {
        let cursor = Cursor { seq: slot.seq, ..self.cursor };
        match &slot.payload {
            // Nothing of a channel that is gone by now: its deletion follows.
            Payload::Channel { event, channel } => {
                Some(event::channel(event, cursor, &snapshots.get(channel)?.view(&self.me)))
            }
            Payload::Activity(channel) => {
                Some(event::activity(cursor, snapshots.get(channel)?, &self.me))
            }
            shared => shared.shared().cloned(),
        }
    }
}

impl Core {
    /// The token that is cancelled when this session ends; `None` when it has ended already.
    fn session_end(
        &self,
        live: &Live,
        session: &Session,
    ) -> Result<CancellationToken, EngineError> {
        // Looked up while the state is held: the end of a session takes the token out after it was
        // applied.
        live.state.session(&session.id).ok_or(EngineError::SignInRequired)?;
        let mut ends = self.session_ends.lock();
        let end = ends.entry(session.id.clone());
        Ok(end.or_insert_with(|| self.end.child_token()).clone())
    }
}
