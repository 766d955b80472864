//! The users who are present with other nodes, as far as those have told.
//!
//! A node tells who comes and who goes as it happens, and its whole set every few seconds. Messages may
//! be lost, late or doubled, so each carries the number of the change that it is true after, and what is
//! known by a higher number stays. A node that says nothing for [`SILENCE`] is gone, with its users.

use std::collections::hash_map::Entry;
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use tokio::time::Instant;

use super::Place;
use super::message::{Part, Said};
use crate::domain::ids::UserId;
use crate::engine::nodes::NodeId;

/// Time without a word about a place after which a node has nobody there any more: three of its sets
/// were lost, or it is gone. With the grace that follows, its users have left 23 s after its end.
pub(super) const SILENCE: Duration = Duration::from_secs(17);

/// Largest number of nodes.
const MAX_NODES: usize = 256;
/// Largest number of places of users with other nodes, a user counted once for each node and place.
const MAX_ENTRIES: usize = 1_000_000;
/// Largest number of users whom the state does not know yet.
const MAX_STRANGERS: usize = 10_000;

/// The sets of users that other nodes have told.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    sets: HashMap<Place, HashMap<NodeId, NodeSet>>,
    /// Number of users in all sets.
    entries: usize,
    /// Users whom the state does not know yet, with where they were told to be.
    strangers: HashMap<UserId, HashSet<(Place, NodeId)>>,
}

/// The users who are in one place by streams of one node.
#[derive(Debug)]
struct NodeSet {
    heard_at: Instant,
    /// The number of the last change in the last whole set.
    version: u64,
    users: HashMap<UserId, Told>,
    /// The parts of a newer set that have come so far.
    newer: Option<PartialSet>,
}

/// What was told of a user: in a whole set, or by a later change.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// The number of the last change that tells it.
    version: u64,
    present: bool,
    /// Whether the user counts in the place's audience by this node.
    counted: bool,
}

/// A set of which parts are missing.
#[derive(Debug)]
struct PartialSet {
    version: u64,
    parts: Vec<Option<Vec<UserId>>>,
}

/// The change that a user's place in an audience needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Enter,
    Exit,
}

/// A message that is ignored because too much is known already.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) struct TooMany;

impl Elsewhere {
    /// Takes in what a node said of a place. Returns the users for whom that may change something, to be
    /// [settled](Self::settle).
    pub(super) fn hear(
        &mut self,
        place: &Place,
        node: &NodeId,
        said: Said,
        now: Instant,
    ) -> Result<Vec<UserId>, TooMany> {
        let nodes = self.sets.entry(place.clone()).or_default();
        let count = nodes.len();
        let set = match nodes.entry(node.clone()) {
            Entry::Occupied(set) => set.into_mut(),
            Entry::Vacant(_) if count >= MAX_NODES => return Err(TooMany),
            Entry::Vacant(vacant) => vacant.insert(NodeSet::empty(now)),
        };
        set.heard_at = now;
        let before = set.size();
        let adds = match &said {
            Said::Came(_) | Said::Went(_) => 1,
            Said::Set(part) => part.users.len(),
            Said::Who => 0,
        };
        if self.entries + adds > MAX_ENTRIES {
            return Err(TooMany);
        }
        let users = match said {
            Said::Came(change) => set.change(change.user, change.version, true),
            Said::Went(change) => set.change(change.user, change.version, false),
            Said::Set(part) => set.add_part(part),
            Said::Who => Vec::new(),
        };
        self.entries = self.entries - before + set.size();
        Ok(users)
    }

    /// The move that makes a user's place in an audience what this node has told, if it is not that
    /// already. A user who is not `known` waits until they are.
    pub(super) fn settle(
        &mut self,
        place: &Place,
        node: &NodeId,
        user: &UserId,
        known: bool,
    ) -> Option<Move> {
        let set = self.sets.get_mut(place)?.get_mut(node)?;
        let told = set.users.get_mut(user)?;
        match (told.present, told.counted) {
            (true, false) if known => {
                told.counted = true;
                Some(Move::Enter)
            }
            (true, false) => {
                if self.strangers.len() < MAX_STRANGERS || self.strangers.contains_key(user) {
                    let places = self.strangers.entry(user.clone()).or_default();
                    places.insert((place.clone(), node.clone()));
                }
                None
            }
            (false, counted) => {
                told.counted = false;
                if told.version <= set.version {
                    set.users.remove(user);
                    self.entries -= 1;
                }
                counted.then_some(Move::Exit)
            }
            (true, true) => None,
        }
    }

    /// Users whom the state did not know, with where they were told to be.
    pub(super) fn strangers(&self) -> Vec<(UserId, Vec<(Place, NodeId)>)> {
        let places = |set: &HashSet<_>| set.iter().cloned().collect();
        self.strangers.iter().map(|(user, set)| (user.clone(), places(set))).collect()
    }

    /// Number of users whom the state did not know.
    pub(super) fn stranger_count(&self) -> usize {
        self.strangers.len()
    }

    /// Forgets that a user was unknown.
    pub(super) fn is_known(&mut self, user: &UserId) {
        self.strangers.remove(user);
    }

    /// Removes about so many users of nodes that said nothing for too long. Returns those who counted.
    pub(super) fn expire(&mut self, now: Instant, max: usize) -> Vec<(Place, UserId)> {
        let mut expired = Vec::new();
        for (place, nodes) in &mut self.sets {
            for set in nodes.values_mut() {
                if now.duration_since(set.heard_at) < SILENCE || expired.len() >= max {
                    continue;
                }
                let before = set.size();
                // Should the node speak again, its whole set is taken in again.
                (set.version, set.newer) = (0, None);
                let some: Vec<_> = set.users.keys().take(max).cloned().collect();
                for user in some {
                    if set.users.remove(&user).is_some_and(|told| told.counted) {
                        expired.push((place.clone(), user));
                    }
                }
                self.entries = self.entries - before + set.size();
            }
            let is_over =
                |set: &NodeSet| set.users.is_empty() && now.duration_since(set.heard_at) >= SILENCE;
            nodes.retain(|_, set| !is_over(set));
        }
        self.sets.retain(|_, nodes| !nodes.is_empty());
        self.strangers.retain(|user, places| {
            places.retain(|(place, node)| {
                let set = self.sets.get(place).and_then(|nodes| nodes.get(node));
                set.and_then(|set| set.users.get(user)).is_some_and(|told| told.present)
            });
            !places.is_empty()
        });
        expired
    }

    /// Forgets what was told of a place.
    pub(super) fn forget(&mut self, place: &Place) {
        let sets = self.sets.remove(place).into_iter().flatten();
        self.entries -= sets.map(|(_, set)| set.size()).sum::<usize>();
    }

    /// The nodes that are heard of everywhere: those that run.
    pub(super) fn nodes(&self) -> HashSet<NodeId> {
        let nodes = self.sets.get(&Place::Anywhere);
        nodes.into_iter().flat_map(HashMap::keys).cloned().collect()
    }
}

impl NodeSet {
    fn empty(now: Instant) -> Self {
        Self { heard_at: now, version: 0, users: HashMap::default(), newer: None }
    }

    fn size(&self) -> usize {
        let parts = self.newer.iter().flat_map(|newer| newer.parts.iter().flatten());
        self.users.len() + parts.map(Vec::len).sum::<usize>()
    }

    fn change(&mut self, user: UserId, version: u64, present: bool) -> Vec<UserId> {
        if version <= self.version {
            return Vec::new();
        }
        let told = self.users.entry(user.clone()).or_default();
        if version <= told.version {
            return Vec::new();
        }
        (told.version, told.present) = (version, present);
        vec![user]
    }

    /// Adds a part of a set; once that is whole, takes it in.
    fn add_part(&mut self, Part { version, number, parts, users }: Part) -> Vec<UserId> {
        let newest = self.newer.as_ref().map_or(0, |newer| newer.version);
        if version <= self.version || version < newest {
            return Vec::new();
        }
        let newer = self.newer.take().filter(|it| it.version == version && it.parts.len() == parts);
        let mut newer = newer
            .unwrap_or_else(|| PartialSet { version, parts: (0..parts).map(|_| None).collect() });
        newer.parts[number] = Some(users);
        if newer.parts.iter().any(Option::is_none) {
            self.newer = Some(newer);
            return Vec::new();
        }
        self.replace(version, newer.parts.into_iter().flatten().flatten().collect())
    }

    fn replace(&mut self, version: u64, users: HashSet<UserId>) -> Vec<UserId> {
        self.version = version;
        for user in &users {
            self.users.entry(user.clone()).or_default();
        }
        let mut changed = Vec::new();
        self.users.retain(|user, told| {
            // What a later change has told stays.
            if told.version <= version {
                (told.version, told.present) = (version, users.contains(user));
            }
            if told.present != told.counted {
                changed.push(user.clone());
            }
            told.present || told.counted || told.version > version
        });
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Change;
    use super::*;

    fn user(n: usize) -> UserId {
        UserId::from(format!("u{n}"))
    }

    fn came(n: usize, version: u64) -> Said {
        Said::Came(Change { user: user(n), version })
    }

    fn went(n: usize, version: u64) -> Said {
        Said::Went(Change { user: user(n), version })
    }

    fn part(version: u64, (number, parts): (usize, usize), users: &[usize]) -> Said {
        let users = users.iter().map(|&n| user(n)).collect();
        Said::Set(Part { version, number, parts, users })
    }

    /// What a node hears of one other, and whom it counts.
    struct Ear {
        elsewhere: Elsewhere,
        node: NodeId,
        counted: std::collections::BTreeSet<UserId>,
    }

    impl Ear {
        fn new() -> Self {
            let (elsewhere, node) = (Elsewhere::default(), NodeId::random());
            Self { elsewhere, node, counted: std::collections::BTreeSet::new() }
        }

        fn hears(&mut self, said: Said) -> &mut Self {
            let place = Place::Anywhere;
            let heard = self.elsewhere.hear(&place, &self.node, said, Instant::now());
            for user in heard.expect("room") {
                match self.elsewhere.settle(&place, &self.node, &user, true) {
                    Some(Move::Enter) => assert!(self.counted.insert(user), "entered once"),
                    Some(Move::Exit) => assert!(self.counted.remove(&user), "left once"),
                    None => {}
                }
            }
            self
        }

        #[track_caller]
        fn counts(&self, users: &[usize]) {
            let users = users.iter().map(|&n| user(n)).collect();
            assert_eq!(self.counted, users);
        }
    }

    #[tokio::test]
    async fn in_every_order_the_newest_word_counts() {
        let said = [came(1, 1), came(2, 2), went(1, 3), part(3, (0, 1), &[2]), came(1, 4)];
        for first in 0..said.len() {
            for second in 0..said.len() {
                let mut ear = Ear::new();
                // Each may come early, and all come twice.
                ear.hears(said[first].clone()).hears(said[second].clone());
                for said in said.iter().rev().chain(&said) {
                    ear.hears(said.clone());
                }
                ear.counts(&[1, 2]);
                ear.hears(went(2, 5)).hears(part(4, (0, 1), &[1, 2])).hears(came(2, 2));
                ear.counts(&[1]);
                ear.hears(went(3, 7)).hears(came(3, 6)).counts(&[1]);
            }
        }
    }

    #[tokio::test]
    async fn a_whole_set_mends_what_was_lost_and_part_of_one_changes_nothing() {
        let mut ear = Ear::new();
        ear.hears(came(1, 1)).hears(came(2, 2));
        ear.hears(part(9, (0, 2), &[3, 4]));
        ear.counts(&[1, 2]);
        ear.hears(part(10, (1, 2), &[5])).hears(part(9, (1, 2), &[]));
        ear.counts(&[1, 2]);
        ear.hears(part(10, (0, 2), &[2, 4]));
        ear.counts(&[2, 4, 5]);
        ear.hears(part(11, (0, 1), &[]));
        ear.counts(&[]);
        assert_eq!(ear.elsewhere.entries, 0, "nothing is left of them");
    }

    #[tokio::test]
    async fn who_is_unknown_waits_and_is_counted_once_known() {
        let (mut ear, place) = (Ear::new(), Place::Anywhere);
        let now = Instant::now();
        let heard = ear.elsewhere.hear(&place, &ear.node, came(1, 1), now).expect("room");
        assert_eq!(ear.elsewhere.settle(&place, &ear.node, &heard[0], false), None);
        let waiting = ear.elsewhere.strangers();
        assert_eq!(waiting, [(user(1), vec![(place.clone(), ear.node.clone())])]);
        ear.elsewhere.is_known(&user(1));
        assert_eq!(ear.elsewhere.settle(&place, &ear.node, &user(1), true), Some(Move::Enter));
        assert_eq!(ear.elsewhere.settle(&place, &ear.node, &user(1), true), None);

        let heard = ear.elsewhere.hear(&place, &ear.node, came(2, 2), now).expect("room");
        ear.elsewhere.settle(&place, &ear.node, &heard[0], false);
        ear.elsewhere.hear(&place, &ear.node, went(2, 3), now).expect("room");
        ear.elsewhere.expire(now, 1);
        assert_eq!(ear.elsewhere.strangers(), [], "who went before waits no more");
    }

    #[tokio::test]
    async fn a_silent_node_has_nobody_and_may_come_back() {
        let mut ear = Ear::new();
        ear.hears(part(3, (0, 1), &[1, 2, 3])).hears(went(3, 4));
        let now = Instant::now();
        assert_eq!(ear.elsewhere.expire(now, 10), []);
        let later = now + SILENCE;
        let mut expired: Vec<_> = (0..3).flat_map(|_| ear.elsewhere.expire(later, 1)).collect();
        expired.sort_by(|one, other| one.1.cmp(&other.1));
        assert_eq!(expired, [(Place::Anywhere, user(1)), (Place::Anywhere, user(2))]);
        ear.elsewhere.expire(later, 1);
        assert!(ear.elsewhere.sets.is_empty() && ear.elsewhere.entries == 0);
        ear.counted.clear();
        ear.hears(part(4, (0, 1), &[1, 2])).counts(&[1, 2]);
    }

    #[tokio::test]
    async fn what_is_known_of_others_is_bounded() {
        let mut elsewhere = Elsewhere::default();
        let (place, now) = (Place::Anywhere, Instant::now());
        let mut nodes: Vec<_> = (0..=MAX_NODES).map(|_| NodeId::random()).collect();
        let one_too_many = nodes.pop().expect("a node");
        for node in &nodes {
            elsewhere.hear(&place, node, came(1, 1), now).expect("room");
        }
        assert_eq!(elsewhere.hear(&place, &one_too_many, came(1, 1), now), Err(TooMany));
        elsewhere.entries = MAX_ENTRIES;
        assert_eq!(elsewhere.hear(&place, &nodes[0], came(2, 2), now), Err(TooMany));
    }
}
