//! Users in the state: accounts, the names that they hold, their sessions, and the users who have
//! left but are still shown.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Applied, EntryHeader, State};
use crate::domain::entry::{FormerNameRecord, SessionRecord, UserRecord};
use crate::domain::event::Event;
use crate::domain::ids::{Seq, SessionId, UserId};
use crate::domain::names::{DisplayName, NameHash, Skeletons};
use crate::domain::user::{Account, Person, Session, User};

/// Largest number of users who left whose last entry is kept although nothing shows them: entries
/// that they appended right before leaving may come after it, and then need the name in it.
const KEPT_LEAVINGS: usize = 100;

/// A user who holds a name, has left lately, or is still shown by something that is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KnownUser {
    person: Arc<Person>,
    account: Option<KeyedAccount>,
    /// Number of messages, reactions and direct conversations that show them.
    references: usize,
    /// The entry of their leaving, which is kept for the name in it.
    left: Option<LeavingEntry>,
}

/// The entries of the latest leavings with their users, oldest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leavings(VecDeque<(Seq, UserId)>);

impl Leavings {
    fn has(&self, entry: Seq) -> bool {
        self.0.binary_search_by_key(&entry, |(seq, _)| *seq).is_ok()
    }

    /// Adds a leaving; returns the user of the oldest one, if that had to be forgotten.
    fn add(&mut self, entry: Seq, user: UserId) -> Option<UserId> {
        self.0.push_back((entry, user));
        let full = self.0.len() > KEPT_LEAVINGS;
        let forgotten = if full { self.0.pop_front() } else { None };
        forgotten.map(|(_, user)| user)
    }

    fn remove(&mut self, entry: Seq) {
        self.0.retain(|(seq, _)| *seq != entry);
    }
}

/// An account with the name under which the log holds its first entry.
#[derive(Debug, PartialEq, Eq)]
struct KeyedAccount {
    account: Account,
    first_key: NameHash,
    /// Those of the held name.
    skeletons: Skeletons,
}

/// The last entry of a user who has left. Version 1 kept the name under a key of its own.
#[derive(Debug, PartialEq, Eq)]
struct LeavingEntry {
    seq: Seq,
    key: Option<NameHash>,
}

/// The entries that the log still holds under each key that is a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KeyedEntries(HashMap<NameHash, Vec<Seq>>);

impl KeyedEntries {
    /// The last entry under this name.
    pub(super) fn last(&self, key: &NameHash) -> Option<Seq> {
        self.0.get(key)?.iter().copied().max()
    }

    pub(super) fn add(&mut self, key: &NameHash, seq: Seq) {
        self.0.entry(key.clone()).or_default().push(seq);
    }

    pub(super) fn remove(&mut self, key: &NameHash, seq: Seq) {
        let Some(entries) = self.0.get_mut(key) else { return };
        entries.retain(|entry| *entry != seq);
        if entries.is_empty() {
            self.0.remove(key);
        }
    }
}

impl State {
    /// All accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.people.values().filter_map(|known| Some(&known.account.as_ref()?.account))
    }

    /// The number of accounts. O(1).
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.holders.len()
    }

    /// The account of this user, while they hold a name.
    #[must_use]
    pub fn account(&self, id: &UserId) -> Option<&Account> {
        Some(&self.people.get(id)?.account.as_ref()?.account)
    }

    /// The account that holds this name, or one equal to it.
    #[must_use]
    pub fn holder(&self, name: &DisplayName) -> Option<&Account> {
        self.holder_of(name.compared())
    }

    /// The account that holds the name of this [compared form](DisplayName::compared).
    #[must_use]
    pub fn holder_of(&self, compared: &str) -> Option<&Account> {
        self.account(self.holders.get(compared)?)
    }

    /// Tells whether a name with these skeletons looks like one that is held, by somebody other than
    /// this user. O(1).
    #[must_use]
    pub fn resembles_held_name(&self, skeletons: &Skeletons, user: Option<&UserId>) -> bool {
        let own = user.and_then(|id| self.people.get(id)?.account.as_ref());
        skeletons.iter().any(|skeleton| {
            let held = self.skeletons.get(&skeleton).copied().unwrap_or_default();
            let theirs = own.is_some_and(|own| own.skeletons.contains(skeleton));
            held > u32::from(theirs)
        })
    }

    /// The last kept entry under the key of this display name: the expectation for the next one.
    #[must_use]
    pub fn last_of_display_name(&self, name: &DisplayName) -> Option<Seq> {
        self.keyed.last(&name.hash())
    }

    /// The live session of this id.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<Session> {
        let account = self.account(self.sessions.get(id)?)?;
        let user = User::clone(&account.person.user());
        Some(Session { id: id.clone(), user, address: None })
    }

    /// The users who were renamed after the entry `seen`, in order, each with the entry of their last
    /// rename.
    pub fn renamed_since(&self, seen: Seq) -> impl Iterator<Item = (Seq, &Arc<Person>)> {
        let renamed = self.renamed.range(Seq(seen.0 + 1)..);
        renamed.filter_map(|(seq, id)| Some((*seq, &self.people.get(id)?.person)))
    }

    /// The entry of the last rename of those that are kept.
    pub(super) fn last_rename(&self) -> Option<Seq> {
        self.renamed.last_key_value().map(|(seq, _)| *seq)
    }

    pub(super) fn apply_user(
        &mut self,
        entry: EntryHeader,
        key: NameHash,
        record: UserRecord,
        skeletons: Skeletons,
    ) -> Applied {
        let known = self.people.get(&record.user.id);
        let account = known.and_then(|known| known.account.as_ref());
        let leaves = record.sessions.is_empty();
        let refused = match account {
            Some(keyed) => record.revision <= keyed.account.revision,
            None if leaves => {
                let left = known.is_some_and(|known| known.left.is_some());
                let shown = known.is_some_and(|known| known.references > 0);
                left || (self.live && !shown)
            }
            None => record.revision > 0 && !entry.lenient,
        };
        if refused {
            return entry.refused();
        }
        let mut applied = Applied::default();
        let before = self.take_account(&record.user.id);
        if let Some(KeyedAccount { account, .. }) = &before {
            for ended in account.sessions.keys() {
                if !record.sessions.iter().any(|session| session.id == *ended) {
                    self.sessions.remove(ended);
                    applied.events.push(Event::SessionEnded(ended.clone()));
                }
            }
            if account.seq != account.first {
                applied.spent.push(account.seq);
                self.keyed.remove(&account.key, account.seq);
            }
        }
        self.keyed.add(&key, entry.seq);
        if leaves {
            self.apply_leaving(entry, key, record, before, applied)
        } else {
            self.apply_account(entry, key, record, skeletons, before, applied)
        }
    }

    /// Takes out a user's account, and frees their name unless somebody else holds it by now.
    fn take_account(&mut self, id: &UserId) -> Option<KeyedAccount> {
        let keyed = self.people.get_mut(id)?.account.take()?;
        let name = keyed.account.person.user();
        let name = name.display_name.compared();
        if self.holders.get(name) == Some(id) {
            self.holders.remove(name);
        }
        if let Some(renamed) = keyed.account.renamed {
            self.renamed.remove(&renamed);
        }
        for skeleton in keyed.skeletons.iter() {
            if let Entry::Occupied(mut held) = self.skeletons.entry(skeleton) {
                *held.get_mut() -= 1;
                if *held.get() == 0 {
                    held.remove();
                }
            }
        }
        Some(keyed)
    }

    fn apply_account(
        &mut self,
        entry: EntryHeader,
        key: NameHash,
        record: UserRecord,
        skeletons: Skeletons,
        before: Option<KeyedAccount>,
        mut applied: Applied,
    ) -> Applied {
        let id = record.user.id.clone();
        let renamed = record.renamed.map(|seq| if seq == Seq(0) { entry.seq } else { seq });
        let known = self.known_or_insert(&record.user);
        let person = known.person.clone();
        if person.update(&record.user) && before.is_some() {
            applied.events.push(Event::Renamed(person.clone()));
        }
        let live = |(place, session): (usize, SessionRecord)| {
            (session.id.clone(), session.live(entry.seq, place))
        };
        let sessions = record.sessions.into_iter().enumerate().map(live);
        let (first, first_key) = match before {
            Some(before) => (before.account.first, before.first_key),
            None => (entry.seq, key.clone()),
        };
        let account = Account {
            person,
            sessions: sessions.collect(),
            first,
            seq: entry.seq,
            key,
            revision: record.revision,
            since: record.since,
            renamed,
        };
        let ids = account.sessions.keys().map(|session| (session.clone(), id.clone()));
        self.sessions.extend(ids);
        self.renamed.extend(renamed.map(|seq| (seq, id.clone())));
        self.holders.insert(record.user.display_name.shared_compared(), id.clone());
        for skeleton in skeletons.iter() {
            *self.skeletons.entry(skeleton).or_default() += 1;
        }
        let keyed = KeyedAccount { account, first_key, skeletons };
        self.known_or_insert(&record.user).account = Some(keyed);
        applied
    }

    fn apply_leaving(
        &mut self,
        entry: EntryHeader,
        key: NameHash,
        record: UserRecord,
        before: Option<KeyedAccount>,
        mut applied: Applied,
    ) -> Applied {
        let id = record.user.id.clone();
        let known = self.known_or_insert(&record.user);
        known.person.update(&record.user);
        known.left = Some(LeavingEntry { seq: entry.seq, key: Some(key) });
        let forgotten = self.leavings.add(entry.seq, id.clone());
        self.forget_read_markers_of(&id, &mut applied);
        self.forget_preferences_of(&id, &mut applied);
        if self.live {
            self.forget_abandoned_directs_of(&id, &mut applied);
        }
        if let Some(before) = before {
            applied.spent.push(before.account.first);
            self.keyed.remove(&before.first_key, before.account.first);
        }
        if let Some(forgotten) = forgotten {
            self.drop_if_unreferenced(&forgotten, &mut applied);
        }
        applied
    }

    pub(super) fn apply_former_name(
        &mut self,
        entry: EntryHeader,
        id: UserId,
        record: FormerNameRecord,
    ) -> Applied {
        if !entry.lenient {
            return entry.refused();
        }
        let last = User::new(id, record.display_name);
        let known = self.known_or_insert(&last);
        known.person.update(&last);
        let superseded = known.left.replace(LeavingEntry { seq: entry.seq, key: None });
        let mut applied = Applied::default();
        if let Some(left) = superseded {
            self.leavings.remove(left.seq);
            self.spend_leaving(left, &mut applied);
        }
        applied
    }

    /// What is known of a user. Adds them, under this name, if nothing is.
    fn known_or_insert(&mut self, user: &User) -> &mut KnownUser {
        self.people.entry(user.id.clone()).or_insert_with(|| KnownUser {
            person: Arc::new(Person::new(user.clone())),
            account: None,
            references: 0,
            left: None,
        })
    }

    /// Counts one more reference to a user. Adds them, under this name, if nothing is known of them.
    pub(super) fn acquire_person(&mut self, user: User) -> Arc<Person> {
        let known = self.known_or_insert(&user);
        known.references += 1;
        known.person.clone()
    }

    /// Counts one reference to a user less, and drops them if nothing is left of them. O(1).
    pub(super) fn release_person(&mut self, id: &UserId, applied: &mut Applied) {
        if let Some(known) = self.people.get_mut(id) {
            known.references -= 1;
        }
        self.drop_if_unreferenced(id, applied);
    }

    /// Drops a user who left, not lately, and whom nothing shows any longer, and spends the entry of
    /// their leaving. Waits for the end of a replay: later entries may show them.
    fn drop_if_unreferenced(&mut self, id: &UserId, applied: &mut Applied) {
        if !self.live || !self.people.get(id).is_some_and(|known| self.is_gone(known)) {
            return;
        }
        if let Some(left) = self.people.remove(id).and_then(|known| known.left) {
            self.spend_leaving(left, applied);
        }
    }

    fn is_gone(&self, known: &KnownUser) -> bool {
        let lately = || known.left.as_ref().is_some_and(|left| self.leavings.has(left.seq));
        known.account.is_none() && known.references == 0 && !lately()
    }

    fn spend_leaving(&mut self, left: LeavingEntry, applied: &mut Applied) {
        if let Some(key) = left.key {
            self.keyed.remove(&key, left.seq);
        }
        applied.spent.push(left.seq);
    }

    pub(super) fn drop_unreferenced_people(&mut self, applied: &mut Applied) {
        let gone = self.people.iter().filter(|(_, known)| self.is_gone(known));
        let mut gone: Vec<_> = gone.map(|(id, _)| id.clone()).collect();
        gone.sort();
        for id in gone {
            self.drop_if_unreferenced(&id, applied);
        }
    }
}
