//! Rooms: the live side of a channel, and of what happens everywhere.
//!
//! A room is a ring of what was said last, and a wake-up. A listener is a position in the ring and
//! nothing else: a slow one costs no memory, and one that the ring has left behind is told so.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use parking_lot::{Mutex, RwLock};

use super::turns::{Turns, Waiter};
use crate::domain::ids::{ChannelId, Epoch, Seq};

/// How many slots a ring keeps.
pub const RING_SLOTS: usize = 512;
/// How many bytes of frames a ring keeps; the newest slot is kept whatever its size.
pub const RING_BYTES: usize = 2 * 1024 * 1024;

/// The last things that were said, each at a position that only grows.
///
/// ```
/// use houston::engine::room::Ring;
///
/// let mut ring = Ring::default();
/// let start = ring.head();
/// ring.push("one", 3);
/// ring.push("two", 3);
/// assert_eq!(ring.after(start).unwrap().copied().collect::<Vec<_>>(), ["one", "two"]);
/// ```
#[derive(Debug)]
pub struct Ring<T> {
    slots: VecDeque<(T, usize)>,
    head: u64,
    bytes: usize,
}

/// The ring no longer holds what comes after a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), head: 0, bytes: 0 }
    }
}

impl<T> Ring<T> {
    /// The position after everything that was pushed so far.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Adds a slot of this size, and lets the oldest go that are over the bounds. Gives back the
    /// last that went.
    pub fn push(&mut self, slot: T, bytes: usize) -> Option<T> {
        self.slots.push_back((slot, bytes));
        self.head += 1;
        self.bytes += bytes;
        let mut gone = None;
        while self.slots.len() > 1
            && (self.slots.len() > RING_SLOTS || self.bytes > RING_BYTES)
            && let Some((slot, bytes)) = self.slots.pop_front()
        {
            self.bytes -= bytes;
            gone = Some(slot);
        }
        gone
    }

    /// What was pushed after `position`, oldest first. Copies nothing; O(1), then O(slots read).
    ///
    /// # Errors
    ///
    /// When some of it is gone.
    pub fn after(&self, position: u64) -> Result<impl Iterator<Item = &T> + Clone, Lagged> {
        let behind = usize::try_from(self.head.saturating_sub(position)).map_err(|_| Lagged)?;
        let skip = self.slots.len().checked_sub(behind).ok_or(Lagged)?;
        Ok(self.slots.range(skip..).map(|(slot, _)| slot))
    }
}

/// Something said in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The last entry of the log at that time: where a returning listener goes on from.
    pub seq: Seq,
    /// What was said.
    pub content: Content,
}

/// What was said: mostly the same bytes for all, sometimes something that reads differently for
/// each listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A frame, encoded once.
    Shared(Bytes),
    /// A channel as the listener sees it: what is unread differs.
    Channel {
        /// The event's name.
        event: &'static str,
        /// Which channel.
        channel: ChannelId,
    },
    /// What the listener has not read of this channel.
    Activity(ChannelId),
}

impl Content {
    fn bytes(&self) -> usize {
        match self {
            Self::Shared(frame) => frame.len(),
            Self::Channel { .. } | Self::Activity(_) => 64,
        }
    }

    fn shared(&self) -> Option<&Bytes> {
        match self {
            Self::Shared(frame) => Some(frame),
            Self::Channel { .. } | Self::Activity(_) => None,
        }
    }
}

/// A place where things are said and listened to.
#[derive(Debug)]
pub struct Room {
    /// The epoch of this room's cursors.
    pub epoch: Epoch,
    inner: RwLock<Inner>,
    /// Locked while `inner` is, never the other way round.
    joined: Mutex<Joined>,
    turns: Turns,
}

#[derive(Debug)]
struct Inner {
    ring: Ring<Slot>,
    /// Whoever has seen this sequence has missed nothing that the ring has let go.
    complete_since: Seq,
    closed: bool,
}

/// Frames that were joined for one listener, kept for the others: most are at its position.
#[derive(Debug, Default)]
struct Joined {
    after: u64,
    next: u64,
    frames: Bytes,
}

/// What a listener finds after its position.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Frames that read the same for everybody, up to this position: the common case, for which
    /// nothing is allocated per listener.
    Frames(Bytes, u64),
    /// These slots, up to this position: some read differently for each listener.
    Slots(Vec<Slot>, u64),
    /// Nothing yet.
    Nothing,
    /// Nothing, ever again.
    Closed,
    /// Some of it is gone.
    Lagged,
}

impl Room {
    /// An empty room. Cursors from before `since` cannot be resumed from its ring.
    #[must_use]
    pub fn new(epoch: Epoch, since: Seq) -> Self {
        let inner = Inner { ring: Ring::default(), complete_since: since, closed: false };
        Self { epoch, inner: RwLock::new(inner), joined: Mutex::default(), turns: Turns::default() }
    }

    /// Says something that lasts, or came with the entry `seq`; without one, something that does
    /// not last. Listeners learn of it at the next [`Room::wake`].
    pub fn say(&self, seq: Option<Seq>, content: Content) {
        let bytes = content.bytes();
        let mut inner = self.inner.write();
        let last = inner.ring.slots.back().map_or(inner.complete_since, |(slot, _)| slot.seq);
        if let Some(gone) = inner.ring.push(Slot { seq: seq.unwrap_or(last), content }, bytes) {
            inner.complete_since = gone.seq;
        }
    }

    /// Ends the room: listeners hear what was said and then that it is closed.
    ///
    /// # Panics
    ///
    /// As [`Room::wake`].
    pub fn close(&self) {
        self.inner.write().closed = true;
        self.wake();
    }

    /// Wakes all who listen, a few at a time. Hold no lock while calling it.
    ///
    /// # Panics
    ///
    /// Where many listen and there is no Tokio runtime.
    pub fn wake(&self) {
        self.turns.wake_all();
    }

    /// A place among those who are woken.
    pub(super) fn waiter(&self) -> Waiter {
        self.turns.join()
    }

    /// The position from which one hears what is said from now on.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.inner.read().ring.head()
    }

    /// The position after everything that was said up to `seen`; `None` when some of what came
    /// after it is gone.
    #[must_use]
    pub fn position_after(&self, seen: Seq) -> Option<u64> {
        let inner = self.inner.read();
        if seen < inner.complete_since {
            return None;
        }
        let later = inner.ring.slots.iter().rev().take_while(|(slot, _)| slot.seq > seen).count();
        Some(inner.ring.head() - u64::try_from(later).ok()?)
    }

    /// The entry up to which all was said before `position`; `None` when some of what came after
    /// it is gone.
    #[must_use]
    pub fn seq_before(&self, position: u64) -> Option<Seq> {
        let inner = self.inner.read();
        if inner.ring.after(position).is_err() {
            return None;
        }
        let last = position.checked_sub(1).and_then(|last| inner.ring.after(last).ok()?.next());
        Some(last.map_or(inner.complete_since, |slot| slot.seq))
    }

    /// What was said after `position`, at most about `max_bytes` of it but at least one slot.
    #[must_use]
    pub fn after(&self, position: u64, max_bytes: usize) -> Heard {
        let inner = self.inner.read();
        let Ok(slots) = inner.ring.after(position) else { return Heard::Lagged };
        let mut bytes = 0;
        let within = |slot: &&Slot| {
            let is_first = bytes == 0;
            bytes += slot.content.bytes();
            is_first || bytes <= max_bytes
        };
        let taken = slots.clone().take_while(within).count();
        let (slots, next) = (slots.take(taken), position + taken as u64);
        if taken == 0 {
            return if inner.closed { Heard::Closed } else { Heard::Nothing };
        }
        let frames = slots.clone().filter_map(|slot| slot.content.shared());
        if frames.clone().count() == taken {
            return Heard::Frames(self.join(frames, position, next), next);
        }
        Heard::Slots(slots.cloned().collect(), next)
    }

    /// These frames, which are all between two positions, in one piece.
    fn join<'f>(
        &self,
        frames: impl Iterator<Item = &'f Bytes> + Clone,
        after: u64,
        next: u64,
    ) -> Bytes {
        if let (Some(one), None) = (frames.clone().next(), frames.clone().nth(1)) {
            return one.clone();
        }
        let mut joined = self.joined.lock();
        if (joined.after, joined.next) != (after, next) {
            let mut chunk = BytesMut::with_capacity(frames.clone().map(Bytes::len).sum());
            frames.for_each(|frame| chunk.extend_from_slice(frame));
            *joined = Joined { after, next, frames: chunk.freeze() };
        }
        joined.frames.clone()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ring_is_bounded_in_slots_and_bytes() {
        let mut ring = Ring::default();
        for n in 0..=RING_SLOTS {
            ring.push(n, 1);
        }
        assert_eq!(ring.slots.len(), RING_SLOTS);
        ring.push(0, RING_BYTES + 1);
        assert_eq!(ring.slots.len(), 1);
        ring.push(1, 1);
        assert_eq!(ring.after(ring.head() - 1).map(Iterator::count), Ok(1));
    }

    fn said(text: &'static str) -> Content {
        Content::Shared(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn frames_that_read_the_same_are_heard_in_one_piece_from_any_position() {
        let room = Room::new(Epoch(1), Seq(0));
        for text in ["one ", "two ", "three "] {
            room.say(None, said(text));
        }
        assert_eq!(room.after(0, 1_024), Heard::Frames("one two three ".into(), 3));
        assert_eq!(room.after(0, 1_024), Heard::Frames("one two three ".into(), 3));
        assert_eq!(room.after(1, 1_024), Heard::Frames("two three ".into(), 3));
        assert_eq!(room.after(0, 9), Heard::Frames("one two ".into(), 2));
        assert_eq!(room.after(0, 1), Heard::Frames("one ".into(), 1));
        assert_eq!(room.after(3, 1_024), Heard::Nothing);
    }

    #[test]
    fn who_stands_at_a_position_has_heard_what_is_before_it() {
        let room = Room::new(Epoch(1), Seq(1));
        assert_eq!(room.seq_before(0), Some(Seq(1)));
        for seq in 2..RING_SLOTS as u64 + 4 {
            room.say(Some(Seq(seq)), said("word"));
        }
        assert_eq!(room.seq_before(1), None, "the second is gone");
        assert_eq!(room.seq_before(2), Some(Seq(3)), "what is gone had all been heard");
        assert_eq!(room.seq_before(3), Some(Seq(4)));
        assert_eq!(room.seq_before(room.head()), Some(Seq(RING_SLOTS as u64 + 3)));
    }

    #[test]
    fn a_position_from_the_future_finds_nothing() {
        let ring = Ring::<()>::default();
        assert_eq!(ring.after(7).map(Iterator::count), Ok(0));
    }

    proptest! {
        /// However pushes and reads interleave, a reader hears each slot once and in order, or is
        /// told that it lagged.
        #[test]
        fn a_reader_loses_nothing_and_hears_nothing_twice(
            steps in prop::collection::vec(prop::option::weighted(0.8, 1..RING_BYTES / 40), 1..800),
        ) {
            let mut ring = Ring::default();
            let (mut pushed, mut position, mut expected) = (0_u64, ring.head(), 0_u64);
            for step in steps {
                if let Some(bytes) = step {
                    ring.push(pushed, bytes);
                    pushed += 1;
                    continue;
                }
                if let Ok(slots) = ring.after(position) {
                    for &slot in slots {
                        prop_assert_eq!(slot, expected);
                        expected += 1;
                    }
                    prop_assert_eq!(expected, pushed);
                } else {
                    prop_assert!(pushed - expected > ring.slots.len() as u64);
                    expected = pushed;
                }
                position = ring.head();
            }
        }
    }
}
