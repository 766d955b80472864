//! What was fetched in the last minute: no address is asked again meanwhile, whoever wants it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

/// Time for which an address is not asked again.
const PERIOD: Duration = Duration::from_mins(1);
/// Largest number of addresses that are asked within [`PERIOD`].
const MAX_ADDRESSES: usize = 2_048;

/// Fetches by their addresses, each for a minute from its beginning.
pub(super) struct Recent<T>(Arc<Mutex<HashMap<Box<str>, Fetching<T>>>>);

/// A fetch that is under way or done.
struct Fetching<T> {
    result: Shared<BoxFuture<'static, T>>,
    /// The time that it took, once it is done.
    took: Arc<OnceLock<Duration>>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + Sync + 'static> Recent<T> {
    /// The result of fetching an address. It is fetched only where it was not within the last minute;
    /// `None` where `begin` then says that it must not be, or too much was fetched.
    ///
    /// Whoever comes second waits as long as the first had to: nobody can tell that somebody else, in a
    /// conversation of their own, asked for the same.
    pub(super) async fn get(
        &self,
        address: &str,
        begin: impl FnOnce() -> Option<BoxFuture<'static, T>>,
    ) -> Option<T> {
        let came = Instant::now();
        let (result, repeated) = {
            let mut known = self.0.lock();
            match known.get(address) {
                Some(fetching) => (fetching.result.clone(), Some(fetching.took.clone())),
                None if known.len() >= MAX_ADDRESSES => return None,
                None => {
                    let fetching = Fetching::new(begin()?);
                    let result = fetching.result.clone();
                    known.insert(address.into(), fetching);
                    self.forget_later(address.into());
                    (result, None)
                }
            }
        };
        let result = result.await;
        if let Some(took) = repeated.and_then(|took| took.get().copied()) {
            sleep_until(came + took).await;
        }
        Some(result)
    }

    fn forget_later(&self, address: Box<str>) {
        let known = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            sleep(PERIOD).await;
            if let Some(known) = known.upgrade() {
                known.lock().remove(&address);
            }
        });
    }
}

impl<T: Clone + Send + Sync + 'static> Fetching<T> {
    fn new(fetch: BoxFuture<'static, T>) -> Self {
        let took = Arc::new(OnceLock::new());
        let timed = took.clone();
        let result = async move {
            let begun = Instant::now();
            let result = fetch.await;
            let _ = timed.set(begun.elapsed());
            result
        };
        Self { result: result.boxed().shared(), took }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_asked_once_a_minute_and_everybody_waits_as_long() {
        let recent = Recent::default();
        let asked = Arc::new(AtomicUsize::new(0));
        let begin = || {
            let asked = asked.clone();
            let fetch = async move {
                sleep(Duration::from_millis(700)).await;
                asked.fetch_add(1, Ordering::Relaxed) + 1
            };
            Some(fetch.boxed())
        };
        let both = futures::future::join(recent.get("a", begin), recent.get("a", begin)).await;
        assert_eq!(both, (Some(1), Some(1)));
        sleep(Duration::from_secs(58)).await;
        let came = Instant::now();
        assert_eq!(recent.get("a", begin).await, Some(1));
        assert_eq!(came.elapsed(), Duration::from_millis(700));
        assert_eq!(recent.get("b", || None).await, None);
        assert_eq!(recent.get("b", begin).await, Some(2), "a refusal is not remembered");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(recent.get("a", begin).await, Some(3));
        sleep(PERIOD).await;
        assert!(recent.0.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_asked_in_a_minute_than_can_be_remembered() {
        let recent = Recent::default();
        let begin = || Some(async {}.boxed());
        for n in 0..MAX_ADDRESSES {
            assert!(recent.get(&n.to_string(), begin).await.is_some());
        }
        assert!(recent.get("one more", begin).await.is_none());
        assert!(recent.get("0", begin).await.is_some());
    }
}
