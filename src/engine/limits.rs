//! Rate limits, by the generic cell rate algorithm (ITU-T I.371) of `governor`.
//!
//! Posts are counted where they are decided, since what changes nothing is free; other changes
//! before that, since all that is to be kept down are their costs.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Engine, EngineError};
use crate::domain::ids::UserId;
use crate::domain::user::Session;

/// Messages that a user may post at once.
const POST_BURST: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
/// Messages that a user may post per second after that.
const POSTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// Other changes, and searches, that a user may make at once.
const CHANGE_BURST: NonZeroU32 = NonZeroU32::new(600).expect("not zero");
/// Other changes, and searches, that a user may make per second after that.
const CHANGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
/// Times that an address may sign in at once.
const SIGN_IN_BURST: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// How long until an address may sign in once more after that.
const SIGN_IN_PERIOD: Duration = Duration::from_secs(2);
/// After how many checks keys that are back at full allowance are dropped.
const CHECKS_PER_SWEEP: usize = 4_096;

/// What one user and one address may do in a while.
pub struct Limits {
    posts: Limit<UserId>,
    changes: Limit<UserId>,
    sign_ins: Limit<Option<IpAddr>>,
}

/// Somebody has to wait this long before trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon(pub Duration);

impl Default for Limits {
    fn default() -> Self {
        let posts = Quota::per_second(POSTS_PER_SECOND).allow_burst(POST_BURST);
        let changes = Quota::per_second(CHANGES_PER_SECOND).allow_burst(CHANGE_BURST);
        let sign_ins = Quota::with_period(SIGN_IN_PERIOD).expect("not zero");
        let sign_ins = sign_ins.allow_burst(SIGN_IN_BURST);
        let (posts, changes) = (Limit::of(posts), Limit::of(changes));
        Self { posts, changes, sign_ins: Limit::of(sign_ins) }
    }
}

impl Limits {
    /// Counts a message, an edit or a reaction of this user.
    ///
    /// # Errors
    ///
    /// When there were too many lately; this one is then not counted.
    pub fn post(&self, user: &UserId) -> Result<(), TooSoon> {
        self.posts.count(user)
    }

    /// Counts another change, or a search, of this user.
    ///
    /// # Errors
    ///
    /// When there were too many lately; this one is then not counted.
    pub fn change(&self, user: &UserId) -> Result<(), TooSoon> {
        self.changes.count(user)
    }

    /// Counts an attempt to sign in from this address; all of unknown address are one, and so are
    /// all of one IPv6 subnet.
    ///
    /// # Errors
    ///
    /// When there were too many lately; this one is then not counted.
    pub fn sign_in(&self, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.sign_ins.count(&address.map(subnet))
    }
}

impl Engine {
    /// Counts what costs about as much as a change, whatever comes of it: creating, describing and
    /// deleting, another name, typing, a link, a search. Messages, edits and reactions count as
    /// posts; reading, and how far one has read, are free.
    ///
    /// # Errors
    ///
    /// When this user did too much lately; this is then not counted.
    pub(super) fn count_change(&self, session: &Session) -> Result<(), EngineError> {
        match &self.limits {
            Some(limits) => Ok(limits.change(&session.user.id)?),
            None => Ok(()),
        }
    }
}

/// What one household or host has to itself: an IPv4 address, however it is written, or the 2^64
/// addresses of an IPv6 subnet (RFC 4291, section 2.5.4).
fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(prefix).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

struct Limit<K: Clone + Eq + Hash> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicUsize,
}

impl<K: Clone + Eq + Hash> Limit<K> {
    fn of(quota: Quota) -> Self {
        Self { limiter: RateLimiter::keyed(quota), checks: AtomicUsize::new(0) }
    }

    fn count(&self, key: &K) -> Result<(), TooSoon> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(key)
            .map_err(|refused| TooSoon(refused.wait_time_from(DefaultClock::default().now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 100 attempts to sign in from these addresses, in turn, are let through.
    fn let_through(addresses: &[&str]) -> usize {
        let limits = Limits::default();
        let addresses = addresses.iter().map(|it| it.parse().expect("an address")).cycle();
        addresses.take(100).filter(|address| limits.sign_in(Some(*address)).is_ok()).count()
    }

    #[test]
    fn an_ipv6_subnet_signs_in_as_one_address() {
        let burst = SIGN_IN_BURST.get() as usize;
        let once = burst..burst + 10;
        assert!(once.contains(&let_through(&["2001:db8::1", "2001:db8::ffff:2:3:4"])));
        assert!(once.contains(&let_through(&["192.0.2.1", "::ffff:192.0.2.1"])));
        let twice = 2 * burst..2 * burst + 10;
        assert!(twice.contains(&let_through(&["2001:db8::1", "2001:db8:0:1::1"])));
        assert!(twice.contains(&let_through(&["192.0.2.1", "192.0.2.2"])));
    }
}
