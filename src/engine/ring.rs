//! A bounded buffer of the latest items, which readers follow by position.

use std::collections::VecDeque;

/// Largest number of slots that a ring keeps.
pub const RING_SLOTS: usize = 512;
/// Largest number of bytes of frames that a ring keeps; the newest slot is kept whatever its size.
pub const RING_BYTES: usize = 2 * 1024 * 1024;

/// A bounded buffer of the latest items, each at a position that only grows.
///
/// ```
/// use houston::engine::ring::Ring;
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

/// The error of a reader whose next items the ring no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), head: 0, bytes: 0 }
    }
}

impl<T> Ring<T> {
    /// The position after the latest item.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The size of all items, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an item of this size, and drops the oldest that are over the bounds.
    pub fn push(&mut self, slot: T, bytes: usize) {
        self.slots.push_back((slot, bytes));
        self.head += 1;
        self.bytes += bytes;
        while self.slots.len() > 1
            && (self.slots.len() > RING_SLOTS || self.bytes > RING_BYTES)
            && let Some((_, bytes)) = self.slots.pop_front()
        {
            self.bytes -= bytes;
        }
    }

    /// The items after `position`, oldest first. Copies nothing; O(1), then O(items read).
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

    #[test]
    fn a_position_from_the_future_finds_nothing() {
        let ring = Ring::<()>::default();
        assert_eq!(ring.after(7).map(Iterator::count), Ok(0));
    }

    proptest! {
        /// However pushes and reads interleave, a reader gets each slot once and in order, or
        /// learns that it lagged.
        #[test]
        fn a_reader_loses_nothing_and_gets_nothing_twice(
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
