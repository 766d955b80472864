//! Rooms: the live side of a channel, of a user, and of what happens everywhere.
//!
//! A room is a ring of the latest events, and a queue that wakes its listeners. A listener is a
//! position in the ring and nothing else: a slow one costs no memory, and one that the ring has
//! left behind learns that it lagged.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::{Mutex, RwLock};

use super::ring::{Lagged, RING_SLOTS, Ring};
use super::wake_queue::{Subscription, WakeQueue};
use crate::domain::ids::{ChannelId, Seq};
use crate::wire::event::MessageFrame;

/// An event in a room's ring.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The last entry of the log that had an event in the room by then.
    pub seq: Seq,
    /// The payload.
    pub payload: Payload,
}

/// The payload of an event: mostly the same bytes for all, sometimes something that is rendered for
/// each listener.
#[derive(Clone, Debug)]
pub enum Payload {
    /// A frame that is the same for everybody.
    Shared(Bytes),
    /// A message's frame, encoded when it is first read.
    Message(Arc<MessageFrame>),
    /// A message's frame that replaces earlier ones of the same message: a listener who has not
    /// been sent those yet gets the last one alone.
    Update(Arc<MessageFrame>),
    /// A channel as each listener sees it: the number of unread messages differs.
    Channel {
        /// The event's name.
        event: &'static str,
        /// The channel.
        channel: ChannelId,
    },
    /// The number of messages that the listener has not read in this channel.
    Activity(ChannelId),
}

impl Payload {
    fn bytes(&self) -> usize {
        match self {
            Self::Shared(frame) => frame.len(),
            Self::Message(frame) | Self::Update(frame) => frame.approximate_bytes(),
            Self::Channel { .. } | Self::Activity(_) => 64,
        }
    }

    /// The frame, where it is the same for everybody.
    #[must_use]
    pub fn shared(&self) -> Option<&Bytes> {
        match self {
            Self::Shared(frame) => Some(frame),
            Self::Message(frame) | Self::Update(frame) => Some(frame.bytes()),
            Self::Channel { .. } | Self::Activity(_) => None,
        }
    }

    /// The message that this updates, if it is an update.
    fn updates(&self) -> Option<Seq> {
        match self {
            Self::Update(frame) => Some(frame.message()),
            _ => None,
        }
    }
}

/// The live side of a channel, of a user, or of what happens everywhere.
#[derive(Debug, Default)]
pub struct Room {
    inner: RwLock<Inner>,
    /// Locked while `inner` is, never the other way round.
    cache: Mutex<ChunkCache>,
    /// True while a task waits to push the held updates.
    push_is_scheduled: AtomicBool,
    rest: Mutex<Rest>,
    listeners: WakeQueue,
}

#[derive(Debug, Default)]
struct Inner {
    ring: Ring<Slot>,
    /// Large updates that wait for later ones of the same message, in the order of their entries.
    held: Vec<(Seq, Arc<MessageFrame>)>,
    /// The last entry that had an event here.
    last: Seq,
    closed: bool,
}

impl Inner {
    fn push(&mut self, payload: Payload) {
        let (bytes, seq) = (payload.bytes(), self.last);
        self.ring.push(Slot { seq, payload }, bytes);
    }

    fn push_held(&mut self) {
        for (seq, frame) in std::mem::take(&mut self.held) {
            self.last = seq;
            self.push(Payload::Update(frame));
        }
    }
}

/// The pause after a [sparing wake](Room::wake_sparingly).
#[derive(Debug, Default)]
enum Rest {
    /// There is none: the next wake is at once.
    #[default]
    Over,
    /// A task waits for its end. It wakes the listeners then if that is `due`.
    Lasting {
        /// The position after the latest event when the listeners were woken last.
        woken_at: u64,
        due: bool,
    },
}

/// The chunk that was put together last, kept for other listeners: most are at the same position.
#[derive(Debug, Default)]
struct ChunkCache {
    after: u64,
    next: u64,
    chunk: Bytes,
}

/// The result of reading a room from a position.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadResult {
    /// Frames that are the same for everybody, up to this position: the common case, for which
    /// nothing is allocated per listener.
    Frames(Bytes, u64),
    /// There are slots to be rendered for each listener: see [`Room::slots_after`].
    Slots,
    /// There is nothing yet.
    Empty,
    /// There is nothing, and never will be.
    Closed,
    /// Some of it is gone.
    Lagged,
}

impl Room {
    /// Adds an event: one of the entry `seq`, or one that does not last. Listeners read it after
    /// the next [`Room::wake`].
    pub fn push(&self, seq: Option<Seq>, payload: Payload) {
        let mut inner = self.inner.write();
        if let Some(seq) = seq {
            // No cursor may pass an update that was not sent.
            inner.push_held();
            inner.last = seq;
        }
        inner.push(payload);
    }

    /// Holds a large update back for a while, in place of an earlier one of the same message: by
    /// then a later one may have come. It is pushed before the next event of an entry, or by
    /// [`Room::push_held_after`].
    pub(super) fn hold(&self, seq: Seq, frame: Arc<MessageFrame>) {
        let mut inner = self.inner.write();
        inner.held.retain(|(_, held)| held.message() != frame.message());
        inner.held.push((seq, frame));
    }

    /// Closes the room: the streams of its listeners end after what is in the ring.
    ///
    /// # Panics
    ///
    /// Where many listen and there is no Tokio runtime.
    pub fn close(&self) {
        self.inner.write().closed = true;
        self.wake();
    }

    /// Wakes all listeners, a few at a time. Hold no lock while calling it.
    ///
    /// # Panics
    ///
    /// Where many listen and there is no Tokio runtime.
    pub fn wake(&self) {
        self.listeners.wake_all();
    }

    /// Wakes all listeners, but at most once in each such time: for events that can wait a moment,
    /// of which several are then sent in one piece. The first is sent at once, and so is what would
    /// soon be pushed out of the ring.
    ///
    /// # Panics
    ///
    /// Without a Tokio runtime.
    pub(super) fn wake_sparingly(self: &Arc<Self>, pause: Duration) {
        let mut rest = self.rest.lock();
        let head = self.head();
        match &mut *rest {
            Rest::Lasting { woken_at, due } => {
                *due = head - *woken_at < RING_SLOTS as u64 / 4;
                if *due {
                    return;
                }
                *woken_at = head;
            }
            Rest::Over => {
                *rest = Rest::Lasting { woken_at: head, due: false };
                tokio::spawn(self.clone().wake_after_rests(pause));
            }
        }
        drop(rest);
        self.wake();
    }

    async fn wake_after_rests(self: Arc<Self>, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            {
                let mut rest = self.rest.lock();
                if !matches!(*rest, Rest::Lasting { due: true, .. }) {
                    *rest = Rest::Over;
                    return;
                }
                *rest = Rest::Lasting { woken_at: self.head(), due: false };
            }
            self.wake();
        }
    }

    /// Pushes the held updates after this time, from a task; does nothing while one waits already.
    ///
    /// # Panics
    ///
    /// Without a Tokio runtime.
    pub(super) fn push_held_after(self: &Arc<Self>, wait: Duration) {
        if self.push_is_scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let room = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            room.push_is_scheduled.store(false, Ordering::Release);
            room.inner.write().push_held();
            room.wake();
        });
    }

    /// The position for a new listener that knows all that is kept: held updates are pushed before
    /// it, since they are no news to it.
    pub(super) fn start_position(&self) -> u64 {
        let mut inner = self.inner.write();
        inner.push_held();
        inner.ring.head()
    }

    /// Adds a task to those that [`Room::wake`] wakes.
    pub(super) fn subscribe(&self) -> Subscription {
        self.listeners.subscribe()
    }

    /// The position after the latest event.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.inner.read().ring.head()
    }

    /// The size of the frames that are kept, in bytes.
    #[must_use]
    pub fn ring_bytes(&self) -> usize {
        self.inner.read().ring.bytes()
    }

    /// Reads the events after `position`, about `max_bytes` of them at most but at least one.
    #[must_use]
    pub fn read(&self, position: u64, max_bytes: usize) -> ReadResult {
        let inner = self.inner.read();
        let Ok(slots) = inner.ring.after(position) else { return ReadResult::Lagged };
        let taken = within(slots.clone(), max_bytes);
        let (slots, next) = (slots.take(taken), position + taken as u64);
        if taken == 0 {
            return if inner.closed { ReadResult::Closed } else { ReadResult::Empty };
        }
        if slots.clone().any(|slot| slot.payload.shared().is_none()) {
            return ReadResult::Slots;
        }
        ReadResult::Frames(self.chunk(slots, position, next), next)
    }

    /// The slots after `position`, at most about `max_bytes` of them but at least one, and the
    /// position behind them.
    ///
    /// # Errors
    ///
    /// When some of them are gone.
    pub fn slots_after(&self, position: u64, max_bytes: usize) -> Result<(Vec<Slot>, u64), Lagged> {
        let inner = self.inner.read();
        let slots = inner.ring.after(position)?;
        let taken = within(slots.clone(), max_bytes);
        Ok((slots.take(taken).cloned().collect(), position + taken as u64))
    }

    /// The frames of all slots between two positions as one chunk.
    fn chunk<'s>(
        &self,
        slots: impl Iterator<Item = &'s Slot> + Clone,
        after: u64,
        next: u64,
    ) -> Bytes {
        if let (Some(one), None) = (slots.clone().next(), slots.clone().nth(1)) {
            return one.payload.shared().cloned().unwrap_or_default();
        }
        let mut cache = self.cache.lock();
        if (cache.after, cache.next) != (after, next) {
            let frames = coalesced(slots);
            let mut chunk = BytesMut::with_capacity(frames.iter().map(|frame| frame.len()).sum());
            for frame in frames {
                chunk.extend_from_slice(frame);
            }
            *cache = ChunkCache { after, next, chunk: chunk.freeze() };
        }
        cache.chunk.clone()
    }
}

/// The number of slots that are at most so many bytes together, but at least one if there is any.
fn within<'s>(slots: impl Iterator<Item = &'s Slot>, max_bytes: usize) -> usize {
    let mut bytes = 0;
    let fits = |slot: &&Slot| {
        let is_first = bytes == 0;
        bytes += slot.payload.bytes();
        is_first || bytes <= max_bytes
    };
    slots.take_while(fits).count()
}

/// The frames of these slots; of several updates of one message only the last.
fn coalesced<'s>(slots: impl Iterator<Item = &'s Slot> + Clone) -> Vec<&'s Bytes> {
    let updates = slots.clone().filter_map(|slot| slot.payload.updates());
    let updates: Vec<_> = updates.collect();
    let mut left = HashMap::new();
    for message in &updates {
        *left.entry(*message).or_insert(0_usize) += 1;
    }
    let frames = slots.filter(|slot| {
        let Some(left) = slot.payload.updates().and_then(|message| left.get_mut(&message)) else {
            return true;
        };
        *left -= 1;
        *left == 0
    });
    frames.filter_map(|slot| slot.payload.shared()).collect()
}

#[cfg(test)]
mod tests {
    use futures_test::task::new_count_waker;

    use super::*;

    fn frame(text: &'static str) -> Payload {
        Payload::Shared(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn frames_that_are_the_same_for_all_are_read_in_one_piece_from_any_position() {
        let room = Room::default();
        for text in ["one ", "two ", "three "] {
            room.push(None, frame(text));
        }
        assert_eq!(room.read(0, 1_024), ReadResult::Frames("one two three ".into(), 3));
        assert_eq!(room.read(0, 1_024), ReadResult::Frames("one two three ".into(), 3));
        assert_eq!(room.read(1, 1_024), ReadResult::Frames("two three ".into(), 3));
        assert_eq!(room.read(0, 9), ReadResult::Frames("one two ".into(), 2));
        assert_eq!(room.read(0, 1), ReadResult::Frames("one ".into(), 1));
        assert_eq!(room.read(3, 1_024), ReadResult::Empty);
    }

    #[tokio::test(start_paused = true)]
    async fn events_that_can_wait_wake_at_once_and_then_together_after_each_pause() {
        const PAUSE: Duration = Duration::from_millis(200);
        let room = Arc::new(Room::default());
        let subscription = room.subscribe();
        let (waker, woken) = new_count_waker();
        let wake_count = || {
            subscription.register(&waker);
            woken.get()
        };
        let push = || {
            room.push(None, frame("activity "));
            room.wake_sparingly(PAUSE);
        };
        let pass = async |millis| {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            tokio::task::yield_now().await;
        };
        assert_eq!(wake_count(), 0);
        push();
        assert_eq!(wake_count(), 1, "the first at once");
        push();
        pass(150).await;
        push();
        assert_eq!(wake_count(), 1, "the others wait");
        pass(51).await;
        assert_eq!(wake_count(), 2, "and come together");
        (0..RING_SLOTS / 4 - 1).for_each(|_| push());
        assert_eq!(wake_count(), 2);
        push();
        assert_eq!(wake_count(), 3, "at once where the ring fills");
        pass(1_000).await;
        assert_eq!(wake_count(), 3, "nothing is left");
        push();
        assert_eq!(wake_count(), 4, "at once again after a quiet time");
    }
}
