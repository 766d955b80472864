//! Listening: history, live delivery, resuming and slow readers, all as *read on from here*.

use std::collections::HashSet;
use std::f64::consts::GOLDEN_RATIO;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::Stream;
use serde_json::json;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::attendance::Attendance;
use super::markers::{Markers, MarkersSeen};
use super::presence::Place;
use super::resume::{Due, From, Reset, reset_frame};
use super::room::{Content, Heard, Room, Slot};
use super::turns::Waiter;
use super::{Core, Engine, EngineError, Live};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::event::frame;
use crate::domain::ids::{ChannelId, Cursor, Seq, UserId};
use crate::domain::user::Session;

/// How often a listener is shown that its connection lives.
const PING_PERIOD: Duration = Duration::from_secs(20);
/// How long a cursor from the future is waited for: this node may be behind another.
const BEHIND_PATIENCE: Duration = Duration::from_secs(5);
/// How much one chunk carries at most, but for a single larger frame.
const CHUNK_BYTES: usize = 64 * 1024;

/// A position in a room, and what its owner is due before that: a stream of bytes to send, whole
/// frames, several at once when several wait. It ends when the session was signed out, the channel
/// deleted, or the server is shutting down.
pub struct Listener {
    core: Arc<Core>,
    room: Arc<Room>,
    hears: Hears,
    me: UserId,
    position: u64,
    due: Due,
    /// Ends when this node has reached the cursor that is due, or not in time.
    reached: Option<BoxFuture<'static, ()>>,
    waiter: Waiter,
    ping: Pin<Box<Sleep>>,
    /// Cancelled when the session or the server ends.
    end: CancellationToken,
    over: BoxFuture<'static, ()>,
    /// Whom `ping` and `over` would wake.
    asleep: Option<Waker>,
    _attendance: Vec<Attendance>,
}

/// What one listens to.
enum Hears {
    /// This channel.
    Channel(ChannelId),
    /// What happens everywhere, and what one has read on other devices.
    Everything(MarkersSeen),
}

impl Hears {
    fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Everything(_) => None,
        }
    }
}

impl Engine {
    /// Listens to a channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or their session is gone.
    pub fn listen(
        &self,
        session: &Session,
        named: &ChannelRef,
        from: From,
    ) -> Result<Listener, EngineError> {
        let (id, room, position, due) = {
            let mut live = self.core.live.write();
            let channel = live.find(named, session)?.into_owned();
            let id = channel.id.clone();
            let epoch = self.log.epoch().of_stream(id.as_str());
            let head = live.state.head();
            let room = live.rooms.get_or_make(id.clone(), || Room::new(epoch, head));
            let due = live.due(&channel, &room, from, &session.user.id);
            (id, room.clone(), room.head(), due)
        };
        self.attend(session, room, Hears::Channel(id), position, due)
    }

    /// Listens to what happens everywhere.
    ///
    /// # Errors
    ///
    /// When the session is gone.
    pub fn listen_everywhere(
        &self,
        session: &Session,
        from: From,
    ) -> Result<Listener, EngineError> {
        let room = self.core.lobby.clone();
        let (markers, position, due) = {
            let mut live = self.core.live.write();
            let (position, seen, due) = live.resume_everywhere(&room, from);
            let head = live.state.head();
            let markers = live.markers.get_or_make(session.user.id.clone(), || Markers::new(head));
            (MarkersSeen::new(markers, seen), position, due)
        };
        self.attend(session, room, Hears::Everything(markers), position, due)
    }

    fn attend(
        &self,
        session: &Session,
        room: Arc<Room>,
        hears: Hears,
        position: u64,
        due: Due,
    ) -> Result<Listener, EngineError> {
        let end = self.core.session_over(session).ok_or(EngineError::SignInRequired)?;
        let channel = hears.channel().cloned().map(Place::Channel);
        let places = channel.into_iter().chain([Place::Anywhere]);
        let attendance = places.map(|place| Attendance::of(&self.core, session, place, &room));
        Ok(Listener {
            core: self.core.clone(),
            me: session.user.id.clone(),
            position,
            due,
            reached: None,
            waiter: room.waiter(),
            ping: Box::pin(tokio::time::sleep(self.core.first_ping())),
            over: Box::pin(end.clone().cancelled_owned()),
            end,
            asleep: None,
            _attendance: attendance.collect(),
            room,
            hears,
        })
    }
}

impl Stream for Listener {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // Looked at first: where something is always said, nothing would be waited for.
        if self.end.is_cancelled() {
            return Poll::Ready(None);
        }
        if let Some(due) = ready!(self.poll_due(context)) {
            return Poll::Ready(Some(due));
        }
        if let heard @ Poll::Ready(_) = self.hear() {
            return heard;
        }
        self.waiter.wait(context.waker());
        if let Hears::Everything(markers) = &self.hears {
            markers.wait(context.waker());
        }
        // Again: a word may have been said in between.
        if let heard @ Poll::Ready(_) = self.hear() {
            return heard;
        }
        self.poll_others(context)
    }
}

impl Listener {
    /// What was read elsewhere and said in the room since; pending when nothing was.
    fn hear(&mut self) -> Poll<Option<Bytes>> {
        loop {
            let heard = self.room.after(self.position, CHUNK_BYTES);
            // Looked at last, and told first: no cursor stands behind a marker that was not told.
            if let Some(marked) = self.hear_markers() {
                return Poll::Ready(Some(marked));
            }
            match heard {
                Heard::Frames(frames, position) => {
                    self.position = position;
                    return Poll::Ready(Some(frames));
                }
                Heard::Slots(slots, position) => {
                    self.position = position;
                    let chunk = self.render(&slots);
                    if !chunk.is_empty() {
                        return Poll::Ready(Some(chunk));
                    }
                }
                Heard::Lagged => return Poll::Ready(Some(self.reset(Reset::TooSlow))),
                Heard::Closed => return Poll::Ready(None),
                Heard::Nothing => return Poll::Pending,
            }
        }
    }

    /// What this user has read on other devices since, if anything.
    fn hear_markers(&mut self) -> Option<Bytes> {
        let Hears::Everything(markers) = &mut self.hears else { return None };
        let seen = markers.behind()?;
        let live = self.core.live.read();
        // Who has lagged behind is told to read everything again.
        let before = self.room.seq_before(self.position)?;
        let head = live.state.head();
        markers.catch_up(head);
        // The cursor stays where it is until all of them are told; further on it goes only where
        // nothing was said meanwhile.
        let after = if self.room.head() == self.position { head } else { before };
        let mut marked = live.state.marked_since(&self.me, seen).into_iter().peekable();
        let mut frames = Vec::new();
        while let Some(channel) = marked.next() {
            let seq = if marked.peek().is_some() { before } else { after };
            frames.extend(self.activity(&live, channel, seq));
        }
        Some(frames.concat().into()).filter(|frames: &Bytes| !frames.is_empty())
    }

    /// What else wakes it: the end, or that it is time for a ping.
    fn poll_others(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let waker = context.waker();
        // Mostly it was woken for a word: `ping` and `over` know already whom to wake.
        if self.asleep.as_ref().is_some_and(|asleep| asleep.will_wake(waker))
            && !self.ping.is_elapsed()
        {
            return Poll::Pending;
        }
        self.asleep = Some(waker.clone());
        if self.over.poll_unpin(context).is_ready() {
            return Poll::Ready(None);
        }
        // Outside the task's budget: where that is used up, it would not remember whom to wake.
        ready!(pin!(unconstrained(self.ping.as_mut())).poll(context));
        self.ping.as_mut().reset(Instant::now() + PING_PERIOD);
        self.asleep = None;
        Poll::Ready(Some(Bytes::from_static(b"event: ping\ndata: {}\n\n")))
    }

    /// What comes before the room's next words, once.
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &self.due {
            Due::Nothing => Poll::Ready(None),
            Due::Frames(frames) => {
                let frames = Some(frames.clone()).filter(|frames| !frames.is_empty());
                self.due = Due::Nothing;
                Poll::Ready(frames)
            }
            // Somebody has already seen this entry on another node.
            Due::After(cursor) => {
                let cursor = *cursor;
                if self.over.poll_unpin(context).is_ready() {
                    return Poll::Ready(None);
                }
                let core = &self.core;
                let reached = self.reached.get_or_insert_with(|| {
                    let core = core.clone();
                    Box::pin(async move {
                        // Reached or not: what is told then is worked out anew.
                        let _ = timeout(BEHIND_PATIENCE, core.applied(cursor.seq)).await;
                    })
                });
                ready!(reached.poll_unpin(context));
                (self.reached, self.due) = (None, Due::Nothing);
                Poll::Ready(Some(self.resume(cursor)))
            }
        }
    }

    /// What comes after a cursor that was waited for.
    fn resume(&mut self, cursor: Cursor) -> Bytes {
        let me = &self.me;
        let live = self.core.live.read();
        let (position, due) = match &mut self.hears {
            Hears::Channel(id) => {
                let channel = live.state.channel(id);
                let due = |channel| live.due(channel, &self.room, From::After(cursor), me);
                (self.room.head(), channel.map_or(Due::Nothing, due))
            }
            Hears::Everything(markers) => {
                let from = From::After(cursor);
                let (position, seen, due) = live.resume_everywhere(&self.room, from);
                markers.catch_up(seen);
                (position, due)
            }
        };
        drop(live);
        self.position = position;
        match due {
            Due::Frames(frames) if !frames.is_empty() => frames,
            Due::Frames(_) | Due::Nothing => Bytes::from_static(b": caught up\n\n"),
            // It never was: nobody has seen what was never said.
            Due::After(_) => self.reset(Reset::UnknownCursor),
        }
    }

    fn reset(&mut self, reset: Reset) -> Bytes {
        let live = self.core.live.read();
        self.position = self.room.head();
        match &mut self.hears {
            Hears::Channel(id) => live
                .state
                .channel(id)
                .map_or_else(Bytes::new, |channel| live.start_again(channel, &self.room, reset)),
            Hears::Everything(markers) => {
                let head = live.state.head();
                markers.catch_up(head);
                reset_frame(&self.room, head, reset)
            }
        }
    }

    /// The frames of these slots as this listener sees them. Of what it has not read of a channel,
    /// the last word counts.
    fn render(&self, slots: &[Slot]) -> Bytes {
        let live = self.core.live.read();
        let mut told = HashSet::new();
        let mut frames = Vec::with_capacity(slots.len());
        for slot in slots.iter().rev() {
            if let Content::Activity(channel) = &slot.content
                && !told.insert(channel)
            {
                continue;
            }
            frames.extend(self.frame_of(&live, slot));
        }
        let mut chunk = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
        frames.iter().rev().for_each(|frame| chunk.extend_from_slice(frame));
        chunk.freeze()
    }

    fn frame_of(&self, live: &Live, slot: &Slot) -> Option<Bytes> {
        let id = Some(Cursor { epoch: self.room.epoch, seq: slot.seq });
        let me = &self.me;
        match &slot.content {
            Content::Shared(frame) => Some(frame.clone()),
            // A channel that is gone by now is followed by its deletion.
            Content::Channel { event, channel } => {
                let view = live.state.view(visible(live, channel, me)?, me);
                Some(frame(event, id, &serde_json::to_vec(&view).ok()?))
            }
            Content::Activity(channel) => self.activity(live, channel, slot.seq),
        }
    }

    /// What the listener has not read of this channel, with a cursor that stands at `seq`.
    fn activity(&self, live: &Live, channel: &ChannelId, seq: Seq) -> Option<Bytes> {
        let view = live.state.view(visible(live, channel, &self.me)?, &self.me);
        let activity = json!({
            "channel": view.name,
            "channel_id": view.id,
            "unread": view.unread,
            "mentions": view.mentions,
            "last_message_at": view.last_message_at,
        });
        let id = Some(Cursor { epoch: self.room.epoch, seq });
        Some(frame("activity", id, activity.to_string().as_bytes()))
    }
}

impl Core {
    /// When to ping a listener first, within the later half of the period: those that came all at
    /// once are not pinged all at once.
    fn first_ping(&self) -> Duration {
        let nth = self.listeners.fetch_add(1, Ordering::Relaxed);
        // The golden ratio's multiples are spread evenly, modulo 1, however many there are.
        PING_PERIOD.mul_f64(0.5 + 0.5 * (f64::from(nth) * GOLDEN_RATIO).fract())
    }

    /// What ends this session's streams; `None` when it has ended already.
    fn session_over(&self, session: &Session) -> Option<CancellationToken> {
        let mut sessions = self.sessions.lock();
        // Looked up under the lock: a session that ends now finds the token, or is seen as ended.
        self.live.read().state.session(&session.id)?;
        let over = sessions.entry(session.id.clone());
        Some(over.or_insert_with(|| self.over.child_token()).clone())
    }
}

/// The channel, if this user can see it: of others not even the time of what is said is told.
fn visible<'l>(live: &'l Live, channel: &ChannelId, user: &UserId) -> Option<&'l Channel> {
    live.state.channel(channel).filter(|channel| channel.is_visible_to(user))
}
