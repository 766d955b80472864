//! Rate limits, by the generic cell rate algorithm (ITU-T I.371) of `governor`.
//!
//! Each action counts against a budget of its user and one of the address that it comes from, which
//! is ten times as large: many people may share an address, and names cost nothing. Where several nodes
//! share a log, each counts for itself.
//!
//! Posts are counted when they are decided, since a post that changes nothing is free; other
//! changes and reading are counted before, since their cost is what has to be limited.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::{Engine, EngineError};
use crate::domain::ids::UserId;
use crate::domain::names::{DisplayName, NameHash};
use crate::domain::user::Session;

/// Messages that a user may post at once, and per second after that.
const POSTS: (u32, u32) = (60, 10);
/// Other changes that a user may make at once, and per second after that.
const CHANGES: (u32, u32) = (600, 50);
/// Units of [`Cost`] that a user may read at once, and per second after that. A page with its
/// lists, history and streams costs about ten.
const READS: (u32, u32) = (600, 60);
/// Pages that are fetched at once for the previews of a user's links, and per second after that.
const PREVIEWS: (u32, u32) = (30, 1);
/// An address's budget, in budgets of a user.
const USERS_PER_ADDRESS: u32 = 10;
/// Times that an address may sign in at once; by links as many again; and as many again for each
/// taken name that it tries.
const SIGN_IN_BURST: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// Time until an address may sign in once more after that.
const SIGN_IN_PERIOD: Duration = Duration::from_secs(2);
/// Time within which an address that tries the same taken name again is not at fault again.
const TAKEN_NAME_PERIOD: Duration = Duration::from_mins(1);
/// Number of checks after which keys that are back at full allowance are dropped.
const CHECKS_PER_SWEEP: usize = 4_096;

/// The rate limits of all users and addresses. Budgets that nobody draws on take no memory for
/// long. Tests set a clock of their own.
pub struct Limits<C: Clock = DefaultClock> {
    posts: Budgets<C>,
    changes: Budgets<C>,
    reads: Budgets<C>,
    sign_ins: Limit<Option<IpAddr>, C>,
    links: Limit<Option<IpAddr>, C>,
    previews: Budgets<C>,
    unknown_hooks: Limit<Option<IpAddr>, C>,
    taken_names: Limit<(Option<IpAddr>, NameHash), C>,
    /// The first try of each taken name by an address within [`TAKEN_NAME_PERIOD`]: a further one
    /// was counted against the address already.
    new_taken_names: Limit<(Option<IpAddr>, NameHash), C>,
}

/// The refusal of an action, with the time after which it may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon(pub Duration);

/// The cost of reading something, in units of the cost of one small thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost(NonZeroU32);

impl Cost {
    /// The cost of moving a read marker, and the first unit of what opening a stream costs.
    pub const SMALL: Self = Self(NonZeroU32::MIN);
    /// The cost of a page, which is rendered on the server.
    pub const PAGE: Self = Self(NonZeroU32::new(2).expect("not zero"));

    /// The cost of a list of channels or users: one unit, and one more for each hundred.
    #[must_use]
    pub fn of_list(items: usize) -> Self {
        Self::of(items / 100)
    }

    /// The cost of a list after its first unit, which was counted before the list was made; `None`
    /// where there is no more.
    #[must_use]
    pub fn of_longer_list(items: usize) -> Option<Self> {
        NonZeroU32::new(u32::try_from(items / 100).unwrap_or(u32::MAX)).map(Self)
    }

    /// The cost of a history of this size, in bytes: one unit, and one more for each 64 KiB.
    #[must_use]
    pub fn of_history(bytes: usize) -> Self {
        Self::of(bytes / (64 * 1024))
    }

    /// The cost of a search through this number of texts: one unit, and one more for each 10,000.
    #[must_use]
    pub fn of_search(texts: usize) -> Self {
        Self::of(texts / 10_000)
    }

    fn of(more: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(more.try_into().unwrap_or(u32::MAX)))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::by(&DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limits<C> {
    /// Makes the limits, all unused, by this clock.
    fn by(clock: &C) -> Self {
        let sign_ins = Quota::with_period(SIGN_IN_PERIOD).expect("not zero");
        let sign_ins = sign_ins.allow_burst(SIGN_IN_BURST);
        let new_taken_names = Quota::with_period(TAKEN_NAME_PERIOD).expect("not zero");
        Self {
            posts: Budgets::of(POSTS, clock),
            changes: Budgets::of(CHANGES, clock),
            reads: Budgets::of(READS, clock),
            sign_ins: Limit::of(sign_ins, clock),
            links: Limit::of(sign_ins, clock),
            previews: Budgets::of(PREVIEWS, clock),
            unknown_hooks: Limit::of(sign_ins, clock),
            taken_names: Limit::of(sign_ins, clock),
            new_taken_names: Limit::of(new_taken_names, clock),
        }
    }

    /// Counts a message, an edit or a reaction of this user at this address.
    ///
    /// # Errors
    ///
    /// When there were too many of the user or the address lately.
    pub fn post(&self, user: &UserId, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.posts.count(user, address, NonZeroU32::MIN)
    }

    /// Counts another change of this user at this address.
    ///
    /// # Errors
    ///
    /// When there were too many of the user or the address lately.
    pub fn change(&self, user: &UserId, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.changes.count(user, address, NonZeroU32::MIN)
    }

    /// Counts a page that is fetched for the preview of a link.
    ///
    /// # Errors
    ///
    /// When there were too many of the user or the address lately.
    pub fn preview(&self, user: &UserId, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.previews.count(user, address, NonZeroU32::MIN)
    }

    /// Counts reading of this cost by this user at this address.
    ///
    /// # Errors
    ///
    /// When the user or the address has read too much lately.
    pub fn read(
        &self,
        user: &UserId,
        address: Option<IpAddr>,
        Cost(units): Cost,
    ) -> Result<(), TooSoon> {
        self.reads.count(user, address, units)
    }

    /// Counts signing in from this address under a name that is free. All of unknown address are
    /// one, and so are all of one IPv6 subnet.
    ///
    /// # Errors
    ///
    /// When there was too much of it lately; this one is then not counted.
    pub fn sign_in(&self, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.sign_ins.count(&address.map(subnet), NonZeroU32::MIN)
    }

    /// Counts an attempt to sign in from this address under a name that somebody holds, or that
    /// looks like one: within a minute the first one counts as signing in, and the others only
    /// against this name.
    ///
    /// # Errors
    ///
    /// When there were too many lately.
    pub fn taken_name(&self, address: Option<IpAddr>, name: &DisplayName) -> Result<(), TooSoon> {
        let attempt = (address.map(subnet), name.hash());
        self.taken_names.count(&attempt, NonZeroU32::MIN)?;
        match self.new_taken_names.count(&attempt, NonZeroU32::MIN) {
            Ok(()) => self.sign_in(address),
            Err(TooSoon(_)) => Ok(()),
        }
    }

    /// Counts a delivery from this address to a hook that there is not.
    ///
    /// # Errors
    ///
    /// When there were too many lately; this one is then not counted.
    pub fn unknown_hook(&self, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.unknown_hooks.count(&address.map(subnet), NonZeroU32::MIN)
    }

    /// Counts the use of a one-time link from this address.
    ///
    /// # Errors
    ///
    /// When there were too many lately; this one is then not counted.
    pub fn link(&self, address: Option<IpAddr>) -> Result<(), TooSoon> {
        self.links.count(&address.map(subnet), NonZeroU32::MIN)
    }
}

impl Engine {
    /// Counts a message, an edit or a reaction.
    ///
    /// # Errors
    ///
    /// When this user or their address did too much lately.
    pub(super) fn count_post(&self, session: &Session) -> Result<(), EngineError> {
        match &self.limits {
            Some(limits) => Ok(limits.post(&session.user.id, session.address)?),
            None => Ok(()),
        }
    }

    /// Counts a change other than a post, whatever comes of it: creating, changing and deleting
    /// channels, deleting and restoring messages, renaming, typing, making a link.
    ///
    /// # Errors
    ///
    /// When this user or their address did too much lately.
    pub(super) fn count_change(&self, session: &Session) -> Result<(), EngineError> {
        match &self.limits {
            Some(limits) => Ok(limits.change(&session.user.id, session.address)?),
            None => Ok(()),
        }
    }

    /// Counts reading of this cost.
    ///
    /// # Errors
    ///
    /// When this user or their address has read too much lately.
    pub fn count_read(&self, session: &Session, cost: Cost) -> Result<(), EngineError> {
        match &self.limits {
            Some(limits) => Ok(limits.read(&session.user.id, session.address, cost)?),
            None => Ok(()),
        }
    }
}

/// The network that one household or host has to itself: an IPv4 address, however it is written, or
/// the 2^64 addresses of an IPv6 subnet (RFC 4291, section 2.5.4).
fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(prefix).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// A budget of each user, and a larger one of each address.
struct Budgets<C: Clock> {
    users: Limit<UserId, C>,
    addresses: Limit<Option<IpAddr>, C>,
}

impl<C: Clock + Clone> Budgets<C> {
    fn of((burst, per_second): (u32, u32), clock: &C) -> Self {
        let quota = |times: u32| {
            let [burst, per_second] = [burst, per_second]
                .map(|units| NonZeroU32::new(units * times).expect("the budgets are not zero"));
            Quota::per_second(per_second).allow_burst(burst)
        };
        Self {
            users: Limit::of(quota(1), clock),
            addresses: Limit::of(quota(USERS_PER_ADDRESS), clock),
        }
    }

    fn count(
        &self,
        user: &UserId,
        address: Option<IpAddr>,
        units: NonZeroU32,
    ) -> Result<(), TooSoon> {
        // The user first: who is refused draws nothing from the budget that others share.
        self.users.count(user, units)?;
        self.addresses.count(&address.map(subnet), units)
    }
}

/// The rate limit of each key.
struct Limit<K: Clone + Eq + Hash, C: Clock> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    burst: NonZeroU32,
    checks: AtomicUsize,
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Limit<K, C> {
    fn of(quota: Quota, clock: &C) -> Self {
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self { limiter, burst: quota.burst_size(), checks: AtomicUsize::new(0) }
    }

    /// Takes this number of units from the key's budget, or the whole budget if that is smaller.
    fn count(&self, key: &K, units: NonZeroU32) -> Result<(), TooSoon> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let allowed = self.limiter.check_key_n(key, units.min(self.burst));
        let allowed = allowed.expect("nothing costs more than the burst");
        allowed.map_err(|refused| TooSoon(refused.wait_time_from(self.limiter.clock().now())))
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V6(Ipv6Addr::LOCALHOST));

    /// Limits under which no time passes unless the clock is advanced.
    fn limits() -> (Limits<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limits::by(&clock), clock)
    }

    /// The number of these attempts that are let through.
    fn let_through<T: Copy>(
        attempts: &[T],
        times: usize,
        allow: impl Fn(T) -> Result<(), TooSoon>,
    ) -> usize {
        attempts.iter().cycle().take(times).filter(|attempt| allow(**attempt).is_ok()).count()
    }

    fn user(n: usize) -> UserId {
        UserId::from(format!("u{n}"))
    }

    fn name(typed: &str) -> DisplayName {
        typed.parse().expect("a name")
    }

    #[test]
    fn an_ipv6_subnet_signs_in_as_one_address() {
        let sign_ins = |addresses: &[&str]| {
            let (limits, _) = limits();
            let addresses: Vec<_> =
                addresses.iter().map(|it| it.parse().expect("an address")).collect();
            let_through(&addresses, 100, |address| limits.sign_in(Some(address)))
        };
        assert_eq!(sign_ins(&["2001:db8::1", "2001:db8::ffff:2:3:4"]), 30);
        assert_eq!(sign_ins(&["192.0.2.1", "::ffff:192.0.2.1"]), 30);
        assert_eq!(sign_ins(&["2001:db8::1", "2001:db8:0:1::1"]), 60);
        assert_eq!(sign_ins(&["192.0.2.1", "192.0.2.2"]), 60);
    }

    #[test]
    fn a_user_posts_sixty_at_once_and_ten_a_second_after_that() {
        let (limits, clock) = limits();
        let posts = || let_through(&[user(0)].each_ref(), 100, |user| limits.post(user, HOME));
        assert_eq!(posts(), 60);
        assert_eq!(limits.post(&user(0), HOME), Err(TooSoon(Duration::from_millis(100))));
        clock.advance(Duration::from_secs(1));
        assert_eq!(posts(), 10);
        clock.advance(Duration::from_mins(1));
        assert_eq!(posts(), 60);
    }

    #[test]
    fn many_users_of_one_address_post_ten_times_what_one_may() {
        let (limits, clock) = limits();
        let users: Vec<_> = (0..29).map(user).collect();
        let users: Vec<_> = users.iter().collect();
        let posts = || let_through(&users, 29 * 60, |user| limits.post(user, HOME));
        assert_eq!(posts(), 600);
        let elsewhere = Some(IpAddr::from([192, 0, 2, 1]));
        assert!(limits.post(&user(29), elsewhere).is_ok(), "other addresses are not concerned");
        assert!(limits.post(&user(30), HOME).is_err());
        clock.advance(Duration::from_secs(1));
        assert_eq!(posts(), 100);
    }

    #[test]
    fn a_user_who_is_refused_draws_nothing_from_their_address() {
        let (limits, _) = limits();
        let_through(&[user(0)].each_ref(), 10_000, |user| limits.post(user, HOME));
        assert!(limits.post(&user(1), HOME).is_ok());
    }

    #[test]
    fn a_taken_name_counts_once_in_a_minute_against_its_address_and_then_against_itself() {
        let (limits, clock) = limits();
        let ada = name("Ada");
        assert_eq!(let_through(&[&ada], 100, |name| limits.taken_name(HOME, name)), 30);
        assert!(limits.taken_name(HOME, &name("ADA")).is_err(), "the same name");
        assert!(limits.taken_name(None, &ada).is_ok(), "another address");
        assert_eq!(let_through(&[()], 100, |()| limits.sign_in(HOME)), 29, "one of them counted");
        assert!(limits.taken_name(HOME, &name("Bob")).is_err(), "each new one counts");
        assert!(limits.link(HOME).is_ok(), "links have their own");
        clock.advance(Duration::from_mins(1));
        assert!(limits.taken_name(HOME, &ada).is_ok());
        let others = let_through(&[()], 100, |()| limits.sign_in(HOME));
        assert_eq!(others, 29, "it counted again after a minute");
    }

    #[test]
    fn reading_is_limited_by_what_it_costs() {
        let reads = |cost| {
            let (limits, _) = limits();
            let_through(&[&user(0)], 1_000, |user| limits.read(user, HOME, cost))
        };
        assert_eq!(reads(Cost::SMALL), 600);
        assert_eq!(reads(Cost::of_list(5_000)), 600 / 51);
        assert_eq!(reads(Cost::of(usize::MAX)), 1, "what costs more than there is takes all of it");
        assert_eq!(Cost::of_list(99), Cost::SMALL);
        assert_eq!(Cost::of_longer_list(99), None);
        assert_eq!(Cost::of_longer_list(199), Some(Cost::SMALL));
        assert_eq!(Cost::of_history(6_500_000), Cost::of(99));
        assert_eq!(Cost::of_search(100_000), Cost::of(10));
    }

    #[test]
    fn who_draws_on_no_budget_takes_no_memory() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::of(Quota::per_second(NonZeroU32::new(1_000).expect("not zero")), &clock);
        for n in 0..20 * CHECKS_PER_SWEEP {
            assert!(limit.count(&n, NonZeroU32::MIN).is_ok());
            clock.advance(Duration::from_millis(1));
        }
        assert!(limit.limiter.len() <= 2 * CHECKS_PER_SWEEP, "{}", limit.limiter.len());
    }
}
