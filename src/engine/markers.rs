//! Read markers on their way to their user's other devices.
//!
//! They concern nobody else, so they are not said where everybody listens: with a thousand readers
//! each message would be followed by a thousand words to a thousand listeners. What they say is in
//! the state; here is only that there is something new.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use super::turns::{Turns, Waiter};
use crate::domain::ids::Seq;

/// The latest entry that marked something as read for one user, and who waits for the next.
#[derive(Debug)]
pub(super) struct Markers {
    latest: AtomicU64,
    turns: Turns,
}

/// A place among those who are told.
pub(super) struct MarkersSeen {
    markers: Arc<Markers>,
    waiter: Waiter,
    /// The entry up to which all is known.
    seen: Seq,
}

impl Markers {
    /// Those of a user of whom nothing was marked after `latest`.
    pub(super) fn new(latest: Seq) -> Self {
        Self { latest: AtomicU64::new(latest.0), turns: Turns::default() }
    }

    /// This entry marked something. Listeners learn of it at the next [`Markers::wake`].
    pub(super) fn mark(&self, by: Seq) {
        self.latest.store(by.0, Ordering::Release);
    }

    /// Wakes all who listen. Hold no lock while calling it.
    pub(super) fn wake(&self) {
        self.turns.wake_all();
    }
}

impl MarkersSeen {
    /// A place among those who are told, which knows all up to this entry.
    pub(super) fn new(markers: Arc<Markers>, seen: Seq) -> Self {
        let waiter = markers.turns.join();
        Self { markers, waiter, seen }
    }

    /// The entry up to which all is known, if something was marked since.
    pub(super) fn behind(&self) -> Option<Seq> {
        (self.markers.latest.load(Ordering::Acquire) > self.seen.0).then_some(self.seen)
    }

    /// All up to this entry is known.
    pub(super) fn catch_up(&mut self, seen: Seq) {
        self.seen = seen;
    }

    /// Has this task woken at the next marker.
    pub(super) fn wait(&self, waker: &Waker) {
        self.waiter.wait(waker);
    }
}
