//! A map that does not keep its values alive.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// A map of values that live only as long as somebody else holds them.
#[derive(Debug)]
pub(super) struct WeakMap<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for WeakMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> WeakMap<K, V> {
    /// The value of this key, if it is still alive.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        self.0.lock().get(key)?.upgrade()
    }

    /// All values that are alive.
    pub(super) fn values(&self) -> Vec<Arc<V>> {
        self.0.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// The value of this key, made if none is alive.
    pub(super) fn get_or_make(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut values = self.0.lock();
        if let Some(value) = values.get(&key).and_then(Weak::upgrade) {
            return value;
        }
        // Dead values are removed before the map would grow. As many as are left can come before
        // the next time: O(1) each.
        if values.len() == values.capacity() {
            values.retain(|_, value| value.strong_count() > 0);
            let left = values.len();
            values.reserve(left);
        }
        let value = Arc::new(make());
        values.insert(key, Arc::downgrade(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_held_is_found_and_one_that_is_not_is_made_anew() {
        let map = WeakMap::default();
        let one = map.get_or_make(1, || "one".to_owned());
        assert!(Arc::ptr_eq(&one, &map.get_or_make(1, || "another".to_owned())));
        drop(one);
        assert_eq!(map.get(&1), None);
        assert_eq!(*map.get_or_make(1, || "another".to_owned()), "another");
    }

    #[test]
    fn dead_values_take_no_place_for_long() {
        let map = WeakMap::default();
        let kept = map.get_or_make(0, || 0);
        for n in 1..10_000 {
            drop(map.get_or_make(n, || n));
        }
        let places = map.0.lock().len();
        assert!(places < 100, "{places}");
        assert_eq!(map.get(&0), Some(kept));
    }
}
