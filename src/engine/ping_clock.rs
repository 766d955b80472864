//! The clock of pings, by which each listener is shown that its connection lives.

use std::f64::consts::GOLDEN_RATIO;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Longest time between two pings of a listener that gets nothing else.
const PING_PERIOD: Duration = Duration::from_secs(5);
/// Time between two moments at which listeners are pinged. Were each pinged at a moment of its own,
/// the server would fall asleep and wake up between any two of 10,000 listeners, which costs a
/// quarter more; all at once would keep everything else waiting.
const TICK: Duration = Duration::from_millis(100);

/// A schedule that spreads the pings of all listeners over the period.
#[derive(Debug)]
pub(super) struct PingClock {
    started: Instant,
    /// Number of listeners so far.
    listeners: AtomicU32,
}

impl PingClock {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), listeners: AtomicU32::new(0) }
    }

    /// The time to ping a new listener first, within the later half of the period: those that came
    /// all at once are not pinged all at once.
    pub(super) fn first(&self) -> Instant {
        let nth = self.listeners.fetch_add(1, Ordering::Relaxed);
        // The golden ratio's multiples are spread evenly, modulo 1, however many there are.
        let share = 0.5 + 0.5 * (f64::from(nth) * GOLDEN_RATIO).fract();
        self.last_tick_before(Instant::now() + PING_PERIOD.mul_f64(share))
    }

    /// The time to ping a listener next that is pinged now.
    pub(super) fn next(&self) -> Instant {
        self.last_tick_before(Instant::now() + PING_PERIOD)
    }

    fn last_tick_before(&self, time: Instant) -> Instant {
        let since = time.saturating_duration_since(self.started);
        let ticks = since.as_millis() / TICK.as_millis();
        self.started + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_listeners_are_pinged_together_but_never_too_many_at_once() {
        let clock = PingClock::start();
        advance(Duration::from_micros(1_234_567)).await;
        let begun = Instant::now();
        let mut pinged: HashMap<Instant, usize> = HashMap::new();
        for _ in 0..10_000 {
            *pinged.entry(clock.first()).or_default() += 1;
        }
        let latest = begun + PING_PERIOD;
        assert!(pinged.keys().all(|at| (begun + PING_PERIOD / 2 - TICK..=latest).contains(at)));
        assert!((25..=27).contains(&pinged.len()), "{}", pinged.len());
        assert!(pinged.values().all(|listeners| *listeners <= 401), "{pinged:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_keeps_its_place_in_the_period_and_is_never_late() {
        let clock = PingClock::start();
        advance(Duration::from_micros(1_234_567)).await;
        let mut at = clock.first();
        for _ in 0..1_000 {
            advance(at - Instant::now() + Duration::from_millis(3)).await;
            let next = clock.next();
            assert_eq!(next - at, PING_PERIOD);
            at = next;
        }
        advance(at - Instant::now() + TICK / 2).await;
        assert!(clock.next() <= Instant::now() + PING_PERIOD);
    }
}
