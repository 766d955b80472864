//! Turns: waking all who wait, a few at a time.
//!
//! Tasks run in the order in which they were woken. Were a thousand listeners woken at once,
//! whatever happens next (the answer to whoever spoke, the next message) would wait behind all of
//! their deliveries. So the next few are woken only once what is ready by then has run. Who has to
//! wait for their turn finds more to hear when it comes, and hears it in one piece.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use slab::Slab;

/// How many are woken at a time: enough to occupy a few threads, few enough to wait for.
const TURN: usize = 32;
/// How many places are looked at for them at most, under the lock: many can be empty.
const TURN_PLACES: usize = 1_024;

/// Those who wait for the same thing. Its clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<Circle>>);

/// A place among those who wait, for as long as it is held.
#[derive(Debug)]
pub(super) struct Waiter {
    turns: Turns,
    key: usize,
}

#[derive(Debug, Default)]
struct Circle {
    /// A waker for each who waits, none for each who was woken.
    wakers: Slab<Option<Waker>>,
    /// Whose turn is next.
    next: usize,
    /// How many places have not had their turn since all were to be woken. Unless it is zero,
    /// somebody goes round.
    ahead: usize,
}

impl Turns {
    /// A place of one's own.
    pub(super) fn join(&self) -> Waiter {
        let key = self.0.lock().add_place();
        Waiter { turns: self.clone(), key }
    }

    /// Wakes all who wait: the first few at once, the others from a task.
    ///
    /// # Panics
    ///
    /// When there are others and no Tokio runtime.
    pub(super) fn wake_all(&self) {
        let mut circle = self.0.lock();
        let somebody_goes_round = circle.ahead > 0;
        circle.ahead = circle.wakers.capacity();
        if somebody_goes_round || circle.ahead == 0 {
            return;
        }
        let mut woken = Vec::with_capacity(TURN);
        let over = circle.take_turn(&mut woken);
        drop(circle);
        woken.drain(..).for_each(Waker::wake);
        if !over {
            tokio::spawn(self.clone().go_round(woken));
        }
    }

    async fn go_round(self, mut woken: Vec<Waker>) {
        let mut over = false;
        while !over {
            behind_what_is_ready().await;
            over = self.0.lock().take_turn(&mut woken);
            woken.drain(..).for_each(Waker::wake);
        }
    }
}

impl Circle {
    fn add_place(&mut self) -> usize {
        let places = self.wakers.capacity();
        let key = self.wakers.insert(None);
        if self.ahead > 0 {
            // The way round has become longer.
            self.ahead += self.wakers.capacity() - places;
        }
        key
    }

    /// Takes the next few out. True when all have had their turn.
    fn take_turn(&mut self, woken: &mut Vec<Waker>) -> bool {
        let end = self.ahead.saturating_sub(TURN_PLACES);
        while self.ahead > end && woken.len() < TURN {
            if self.next >= self.wakers.capacity() {
                self.next = 0;
            }
            woken.extend(self.wakers.get_mut(self.next).and_then(Option::take));
            self.next += 1;
            self.ahead -= 1;
        }
        self.ahead == 0
    }
}

impl Waiter {
    /// Has this task woken, once, the next time that all are at the latest. Look again afterwards
    /// whether what it waits for has happened already.
    pub(super) fn wait(&self, waker: &Waker) {
        let mut circle = self.turns.0.lock();
        let place = &mut circle.wakers[self.key];
        if place.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let former = place.replace(waker.clone());
        // Not under the lock: it may be the last that is left of a task.
        drop(circle);
        drop(former);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let former = self.turns.0.lock().wakers.remove(self.key);
        // As above.
        drop(former);
    }
}

/// Comes back behind what this thread has ready. [`tokio::task::yield_now`] would come back only
/// after it has looked at its sockets and timers, when other threads may have fallen asleep.
async fn behind_what_is_ready() {
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

    use proptest::prelude::*;

    use super::*;

    /// A task on a runtime of one thread, where tasks run in the order in which they were woken.
    fn run(test: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async { tokio::spawn(test).await.expect("the test passes") });
    }

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl std::task::Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Counter {
        fn get(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn all_are_woken_in_turns_and_only_once() {
        run(async {
            let (turns, counter) = (Turns::default(), Arc::new(Counter::default()));
            let waiters: Vec<_> = (0..1_000).map(|_| turns.join()).collect();
            for waiter in &waiters {
                waiter.wait(&counter.clone().into());
            }
            turns.wake_all();
            assert_eq!(counter.get(), TURN);
            while turns.0.lock().ahead > 0 {
                let before = counter.get();
                behind_what_is_ready().await;
                assert!(counter.get() - before <= TURN, "others have their turn in between");
            }
            assert_eq!(counter.get(), 1_000);
            turns.wake_all();
            settle(&turns).await;
            assert_eq!(counter.get(), 1_000, "nobody waits");
        });
    }

    #[test]
    fn who_is_woken_again_meanwhile_keeps_nobody_waiting() {
        run(async {
            let turns = Turns::default();
            let counters: Vec<_> = (0..3 * TURN).map(|_| Arc::new(Counter::default())).collect();
            let waiters: Vec<_> = counters.iter().map(|_| turns.join()).collect();
            let wait = |at: usize| waiters[at].wait(&counters[at].clone().into());
            (0..waiters.len()).for_each(wait);
            turns.wake_all();
            (0..TURN).for_each(wait);
            turns.wake_all();
            let woken = || counters.iter().map(|counter| counter.get()).collect::<Vec<_>>();
            while woken().iter().sum::<usize>() < 3 * TURN {
                behind_what_is_ready().await;
            }
            assert_eq!(woken(), vec![1; 3 * TURN]);
            settle(&turns).await;
            assert_eq!(woken(), [vec![2; TURN], vec![1; 2 * TURN]].concat());
        });
    }

    #[test]
    fn on_many_threads_everybody_hears_the_last_word() {
        const LAST: usize = 10_000;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
        let (turns, said) = (Turns::default(), Arc::new(AtomicUsize::new(0)));
        let listen = |_| {
            let (waiter, said) = (turns.join(), said.clone());
            runtime.spawn(poll_fn(move |context| {
                waiter.wait(context.waker());
                if said.load(Ordering::Acquire) < LAST { Poll::Pending } else { Poll::Ready(()) }
            }))
        };
        let listeners: Vec<_> = (0..200).map(listen).collect();
        runtime.block_on(async move {
            for word in 1..=LAST {
                said.store(word, Ordering::Release);
                turns.wake_all();
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
                let turns = Turns::default();
                let mut here: Vec<Guest> = Vec::new();
                for (step, which) in steps {
                    match step {
                        0..=2 => here.push(Guest::of(&turns)),
                        3 if !here.is_empty() => drop(here.swap_remove(which % here.len())),
                        4 => {
                            for guest in &mut here {
                                guest.due = guest.waits;
                            }
                            turns.wake_all();
                        }
                        _ => behind_what_is_ready().await,
                    }
                    here.iter_mut().for_each(Guest::wait_again);
                }
                settle(&turns).await;
                for Guest { woken, waits, due, .. } in &here {
                    assert!((*due..=*waits).contains(&woken.get()));
                }
            });
        }
    }

    /// One who waits again whenever it was woken.
    struct Guest {
        waiter: Waiter,
        woken: Arc<Counter>,
        /// How often it has waited, the present time included.
        waits: usize,
        /// How often it must have been woken once all have had their turn.
        due: usize,
    }

    impl Guest {
        fn of(turns: &Turns) -> Self {
            Self { waiter: turns.join(), woken: Arc::default(), waits: 0, due: 0 }
        }

        fn wait_again(&mut self) {
            if self.woken.get() == self.waits {
                self.waiter.wait(&self.woken.clone().into());
                self.waits += 1;
            }
        }
    }

    /// Until all have had their turn.
    async fn settle(turns: &Turns) {
        while turns.0.lock().ahead > 0 {
            behind_what_is_ready().await;
        }
    }
}
