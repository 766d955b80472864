//! Things that are there for as long as somebody holds them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Weak};

/// Finds by its key what others hold.
#[derive(Debug)]
pub(super) struct Held<K, V>(HashMap<K, Weak<V>>);

impl<K, V> Default for Held<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Held<K, V> {
    /// What has this key, if somebody holds it.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        self.0.get(key)?.upgrade()
    }

    /// What has this key, made if nobody holds it.
    pub(super) fn get_or_make(&mut self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(held) = self.get(&key) {
            return held;
        }
        // The places of what nobody holds are given back before there would be more. As many as are
        // left can come before the next time: O(1) each.
        if self.0.len() == self.0.capacity() {
            self.0.retain(|_, held| held.strong_count() > 0);
            self.0.reserve(self.0.len());
        }
        let held = Arc::new(make());
        self.0.insert(key, Arc::downgrade(&held));
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_found_and_the_same_and_what_is_not_is_made_anew() {
        let mut held = Held::default();
        let one = held.get_or_make(1, || "one".to_owned());
        assert!(Arc::ptr_eq(&one, &held.get_or_make(1, || "another".to_owned())));
        drop(one);
        assert_eq!(held.get(&1), None);
        assert_eq!(*held.get_or_make(1, || "another".to_owned()), "another");
    }

    #[test]
    fn what_nobody_holds_takes_no_place_for_long() {
        let mut held = Held::default();
        let kept = held.get_or_make(0, || 0);
        for n in 1..10_000 {
            drop(held.get_or_make(n, || n));
        }
        assert!(held.0.len() < 100, "{}", held.0.len());
        assert_eq!(held.get(&0), Some(kept));
    }
}
