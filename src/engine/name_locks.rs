//! Locks of display names that are being claimed.

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::weak_map::WeakMap;
use crate::domain::names::{Skeleton, Skeletons};

/// Locks that let names which look alike be claimed one after the other: the log's expectations
/// cover equal names alone.
#[derive(Default)]
pub(super) struct NameLocks(WeakMap<Skeleton, Mutex<()>>);

/// A guard that keeps every name with one of its skeletons from being claimed by others.
pub(super) struct NameReservation {
    _locks: Vec<OwnedMutexGuard<()>>,
}

impl NameLocks {
    /// Waits until nobody is claiming a name with one of these skeletons, and reserves them.
    pub(super) async fn reserve(&self, skeletons: &Skeletons) -> NameReservation {
        let mut locks = Vec::with_capacity(2);
        // In ascending order: nobody waits for one lock with another that is wanted before it.
        for skeleton in skeletons.iter() {
            locks.push(self.0.get_or_make(skeleton, Mutex::default).lock_owned().await);
        }
        NameReservation { _locks: locks }
    }
}
