//! A queue of tasks that wait for the same thing, woken a few at a time.
//!
//! Tasks run in the order in which they were woken. Were a thousand listeners woken at once,
//! whatever happens next (the answer to the author, the next message) would wait behind all of
//! their deliveries. So the next few are woken only after the tasks that are ready by then have
//! run. A listener that is woken later finds more to send, and sends it in one piece.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use slab::Slab;

/// Number of tasks that are woken at a time: enough to occupy a few threads, few enough to wait
/// for.
const BATCH: usize = 32;
/// Largest number of slots that are visited for one batch, under the lock: many can be empty.
const BATCH_SLOTS: usize = 1_024;

/// A set of tasks that are woken together, in batches. Clones share the same set.
#[derive(Clone, Debug, Default)]
pub(super) struct WakeQueue(Arc<Mutex<Inner>>);

/// A task's membership in a [`WakeQueue`], until it is dropped.
#[derive(Debug)]
pub(super) struct Subscription {
    queue: WakeQueue,
    key: usize,
}

#[derive(Debug, Default)]
struct Inner {
    /// A slot for each subscription: its waker while it waits, `None` once it was woken.
    wakers: Slab<Option<Waker>>,
    /// The slot to visit next.
    next: usize,
    /// Number of slots still to be visited since the last [`WakeQueue::wake_all`]. Unless it is
    /// zero, a sweep is under way.
    unvisited: usize,
}

impl WakeQueue {
    /// Adds a subscription, which does not wait yet.
    pub(super) fn subscribe(&self) -> Subscription {
        let key = self.0.lock().insert();
        Subscription { queue: self.clone(), key }
    }

    /// Wakes every task that waits: the first batch at once, the others from a task.
    ///
    /// # Panics
    ///
    /// When there are more than one batch and no Tokio runtime.
    pub(super) fn wake_all(&self) {
        let mut inner = self.0.lock();
        let is_sweeping = inner.unvisited > 0;
        inner.unvisited = inner.wakers.capacity();
        if is_sweeping || inner.unvisited == 0 {
            return;
        }
        let mut batch = Vec::with_capacity(BATCH);
        let is_done = inner.take_batch(&mut batch);
        drop(inner);
        batch.drain(..).for_each(Waker::wake);
        if !is_done {
            tokio::spawn(self.clone().wake_the_rest(batch));
        }
    }

    async fn wake_the_rest(self, mut batch: Vec<Waker>) {
        let mut is_done = false;
        while !is_done {
            yield_to_ready_tasks().await;
            is_done = self.0.lock().take_batch(&mut batch);
            batch.drain(..).for_each(Waker::wake);
        }
    }
}

impl Inner {
    fn insert(&mut self) -> usize {
        let slots = self.wakers.capacity();
        let key = self.wakers.insert(None);
        if self.unvisited > 0 {
            // The slab has grown: the sweep must visit the new slots, too.
            self.unvisited += self.wakers.capacity() - slots;
        }
        key
    }

    /// Takes the next wakers out. True when every slot was visited.
    fn take_batch(&mut self, batch: &mut Vec<Waker>) -> bool {
        let end = self.unvisited.saturating_sub(BATCH_SLOTS);
        while self.unvisited > end && batch.len() < BATCH {
            if self.next >= self.wakers.capacity() {
                self.next = 0;
            }
            batch.extend(self.wakers.get_mut(self.next).and_then(Option::take));
            self.next += 1;
            self.unvisited -= 1;
        }
        self.unvisited == 0
    }
}

impl Subscription {
    /// Registers the task's waker for the next [`WakeQueue::wake_all`], once. The caller looks
    /// again afterwards for what it waits for: it may have come just before.
    pub(super) fn register(&self, waker: &Waker) {
        let mut inner = self.queue.0.lock();
        let slot = &mut inner.wakers[self.key];
        if slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let former = slot.replace(waker.clone());
        // Dropped without the lock: a waker may be the last owner of a task, whose drop may come
        // back to this queue.
        drop(inner);
        drop(former);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let former = self.queue.0.lock().wakers.remove(self.key);
        // Dropped without the lock, as in `register`.
        drop(former);
    }
}

/// Yields to the tasks that this thread has ready. [`tokio::task::yield_now`] would come back
/// only after it has looked at its sockets and timers, when other threads may have fallen asleep.
async fn yield_to_ready_tasks() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_test::task::{AwokenCount, new_count_waker};
    use proptest::prelude::*;

    use super::*;

    /// A task on a runtime of one thread, where tasks run in the order in which they were woken.
    fn run(test: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async { tokio::spawn(test).await.expect("the test passes") });
    }

    #[test]
    fn all_are_woken_in_batches_and_only_once() {
        run(async {
            let (queue, (waker, woken)) = (WakeQueue::default(), new_count_waker());
            let subscriptions: Vec<_> = (0..1_000).map(|_| queue.subscribe()).collect();
            for subscription in &subscriptions {
                subscription.register(&waker);
            }
            queue.wake_all();
            assert_eq!(woken, BATCH);
            while queue.0.lock().unvisited > 0 {
                let before = woken.get();
                yield_to_ready_tasks().await;
                assert!(woken.get() - before <= BATCH, "other tasks run in between");
            }
            assert_eq!(woken, 1_000);
            queue.wake_all();
            settle(&queue).await;
            assert_eq!(woken, 1_000, "nobody waits");
        });
    }

    #[test]
    fn who_is_woken_again_meanwhile_keeps_nobody_waiting() {
        run(async {
            let queue = WakeQueue::default();
            let wakers: Vec<_> = (0..3 * BATCH).map(|_| new_count_waker()).collect();
            let subscriptions: Vec<_> = wakers.iter().map(|_| queue.subscribe()).collect();
            let wait = |at: usize| subscriptions[at].register(&wakers[at].0);
            (0..subscriptions.len()).for_each(wait);
            queue.wake_all();
            (0..BATCH).for_each(wait);
            queue.wake_all();
            let woken = || wakers.iter().map(|(_, woken)| woken.get()).collect::<Vec<_>>();
            while woken().iter().sum::<usize>() < 3 * BATCH {
                yield_to_ready_tasks().await;
            }
            assert_eq!(woken(), vec![1; 3 * BATCH]);
            settle(&queue).await;
            assert_eq!(woken(), [vec![2; BATCH], vec![1; 2 * BATCH]].concat());
        });
    }

    #[test]
    fn on_many_threads_everybody_hears_the_last_word() {
        const LAST: usize = 10_000;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
        let (queue, said) = (WakeQueue::default(), Arc::new(AtomicUsize::new(0)));
        let listen = |_| {
            let (subscription, said) = (queue.subscribe(), said.clone());
            runtime.spawn(poll_fn(move |context| {
                subscription.register(context.waker());
                if said.load(Ordering::Acquire) < LAST { Poll::Pending } else { Poll::Ready(()) }
            }))
        };
        let listeners: Vec<_> = (0..200).map(listen).collect();
        runtime.block_on(async move {
            for word in 1..=LAST {
                said.store(word, Ordering::Release);
                queue.wake_all();
            }
            let all = futures::future::join_all(listeners);
            let heard = tokio::time::timeout(Duration::from_secs(30), all).await;
            assert!(heard.expect("nobody is forgotten").iter().all(Result::is_ok));
        });
    }

    proptest! {
        /// However they come, go, wait and are woken: who waits when all are woken is woken.
        #[test]
        fn nobody_is_forgotten(steps in prop::collection::vec((0..6_u8, any::<usize>()), 1..600)) {
            run(async {
                let queue = WakeQueue::default();
                let mut here: Vec<Subscriber> = Vec::new();
                for (step, which) in steps {
                    match step {
                        0..=2 => here.push(Subscriber::of(&queue)),
                        3 if !here.is_empty() => drop(here.swap_remove(which % here.len())),
                        4 => {
                            for subscriber in &mut here {
                                subscriber.due = subscriber.waits;
                            }
                            queue.wake_all();
                        }
                        _ => yield_to_ready_tasks().await,
                    }
                    here.iter_mut().for_each(Subscriber::wait_again);
                }
                settle(&queue).await;
                for Subscriber { woken, waits, due, .. } in &here {
                    assert!((*due..=*waits).contains(&woken.get()));
                }
            });
        }
    }

    /// A subscriber that waits again whenever it was woken.
    struct Subscriber {
        subscription: Subscription,
        waker: Waker,
        woken: AwokenCount,
        /// Number of times that it has waited, the present one included.
        waits: usize,
        /// Number of times that it must have been woken once the sweep is over.
        due: usize,
    }

    impl Subscriber {
        fn of(queue: &WakeQueue) -> Self {
            let (waker, woken) = new_count_waker();
            Self { subscription: queue.subscribe(), waker, woken, waits: 0, due: 0 }
        }

        fn wait_again(&mut self) {
            if self.woken == self.waits {
                self.subscription.register(&self.waker);
                self.waits += 1;
            }
        }
    }

    /// Waits until the sweep is over.
    async fn settle(queue: &WakeQueue) {
        while queue.0.lock().unvisited > 0 {
            yield_to_ready_tasks().await;
        }
    }
}
