//! People in the state: who holds which name, by which sessions.

use std::collections::{BTreeSet, HashMap};

use super::{Applied, State};
use crate::domain::channel::{Channel, Conversation};
use crate::domain::entry::{Entry, Erase, Key, ReadMarkerRecord, UserRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq, SessionId, UserId};
use crate::domain::message::Message;
use crate::domain::names::{DisplayName, NameHash};
use crate::domain::user::{Account, Session, User};

/// Up to where somebody has read a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadMarker {
    read: Seq,
    /// The entry that says so.
    by: Seq,
}

/// What somebody who has left was called last.
#[derive(Clone, Debug)]
pub(super) struct FormerName {
    pub(super) display_name: DisplayName,
    /// The entry that says so.
    pub(super) by: Seq,
}

impl State {
    /// Everybody who holds a name, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Who this is, while they hold a name.
    #[must_use]
    pub fn account(&self, id: &UserId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// Who holds this name, or one equal to it.
    #[must_use]
    pub fn holder(&self, name: &DisplayName) -> Option<&Account> {
        self.account(self.names.get(&name.hash())?)
    }

    /// The live session of this id.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<Session> {
        let account = self.account(self.sessions.get(id)?)?;
        Some(Session { id: id.clone(), user: account.user.clone() })
    }

    pub(super) fn apply_user(
        &mut self,
        entry: &Entry,
        name: NameHash,
        record: UserRecord,
    ) -> Applied {
        let before = self.accounts.get(&record.user.id);
        let expected = before.map_or(0, |account| account.revision + 1);
        // While the past is read, earlier revisions are missing; the latest is what counts.
        let stale =
            if self.live { record.revision != expected } else { record.revision < expected };
        if stale {
            return Applied::refused(entry);
        }
        let mut applied = Applied::default();
        let mut renamed = false;
        if let Some(before) = before {
            let held = before.user.display_name.hash();
            if held != name {
                applied.spent.push(Erase::One(before.seq));
                self.names.remove(&held);
            }
            for ended in before.sessions.iter().filter(|id| !record.sessions.contains(id)) {
                self.sessions.remove(ended);
                applied.events.push(Event::SessionEnded(ended.clone()));
            }
            renamed = before.user.display_name != record.user.display_name;
            if renamed {
                applied.events.push(Event::Renamed(record.user.clone()));
            }
        }
        if record.sessions.is_empty() {
            applied.spent.push(Erase::One(entry.seq));
            let forgotten = self.forget_account(&name, &record.user.id);
            applied.spent.extend(forgotten.spent);
            applied.loose = forgotten.loose;
            return applied;
        }
        let user = record.user.clone();
        self.names.insert(name, user.id.clone());
        self.sessions.extend(record.sessions.iter().map(|id| (id.clone(), user.id.clone())));
        self.accounts.insert(
            user.id.clone(),
            Account {
                user: record.user,
                sessions: record.sessions.into_iter().collect(),
                seq: entry.seq,
                revision: record.revision,
                since: record.since,
                renamed: record.renamed,
            },
        );
        if self.live && renamed {
            for conversation in self.conversations.values_mut() {
                show_name(conversation, &user);
            }
        }
        applied
    }

    pub(super) fn apply_read_marker(
        &mut self,
        entry: &Entry,
        user: UserId,
        channel: ChannelId,
        record: ReadMarkerRecord,
    ) -> Applied {
        let known = self.accounts.contains_key(&user) && self.channels.contains_key(&channel);
        if self.live && !known {
            return Applied::refused(entry);
        }
        let marker = ReadMarker { read: record.read, by: entry.seq };
        self.read_markers.entry(user.clone()).or_default().insert(channel, marker);
        Applied::told(Event::Read(user))
    }

    /// Up to where this user has read this channel.
    #[must_use]
    pub fn read_up_to(&self, user: &UserId, channel: &ChannelId) -> Seq {
        let marked = self.read_markers.get(user).and_then(|markers| markers.get(channel));
        let since = || self.account(user).map(|account| account.since);
        marked.map(|marker| marker.read).or_else(since).unwrap_or_default()
    }

    /// The channels whose read marker this user moved after the entry `seen`, in that order.
    /// O(their markers).
    #[must_use]
    pub fn marked_since(&self, user: &UserId, seen: Seq) -> Vec<&ChannelId> {
        let markers = self.read_markers.get(user).into_iter().flatten();
        let mut moved: Vec<_> = markers.filter(|(_, marker)| marker.by > seen).collect();
        moved.sort_by_key(|(_, marker)| marker.by);
        moved.into_iter().map(|(channel, _)| channel).collect()
    }

    fn forget_account(&mut self, name: &NameHash, id: &UserId) -> Applied {
        self.names.remove(name);
        self.accounts.remove(id);
        if !self.live {
            // What else was theirs is known only at the end of the past.
            return Applied::default();
        }
        let markers = self.read_markers.remove(id).unwrap_or_default();
        let marker = |channel| Erase::Key(Key::ReadMarker(id.clone(), channel));
        let mut applied = self.forget_directs_of(id);
        applied.spent.extend(markers.into_keys().map(marker));
        applied.spent.extend(self.forget_former_names([id]));
        applied
    }

    /// Drops the last names of those of these users who have left and whom nothing that is kept
    /// shows any longer. While the past is read, that is not known.
    pub(super) fn forget_former_names<'u>(
        &mut self,
        users: impl IntoIterator<Item = &'u UserId>,
    ) -> Vec<Erase> {
        if !self.live {
            return Vec::new();
        }
        let former = users.into_iter().filter(|id| self.former_names.contains_key(*id));
        let unshown = self.unshown(former.cloned().collect());
        let forgotten = unshown.iter().filter_map(|id| self.former_names.remove(id));
        forgotten.map(|former| Erase::One(former.by)).collect()
    }

    /// Whether a message or reaction of theirs is kept anywhere, a channel that they created, or a
    /// direct conversation with them. O(what is kept).
    #[must_use]
    pub fn is_shown(&self, id: &UserId) -> bool {
        self.unshown([id.clone()].into()).is_empty()
    }

    /// Those of these users who are shown nowhere. O(what is kept), unless there are none of them.
    fn unshown(&self, mut users: BTreeSet<UserId>) -> BTreeSet<UserId> {
        users.retain(|id| !self.directs.contains_key(id));
        let creators = self.channels.values().filter_map(Channel::creator);
        let messages = self.conversations.values().flat_map(Conversation::messages);
        for shown in creators.chain(messages.flat_map(Message::people)) {
            if users.is_empty() {
                break;
            }
            users.remove(&shown.id);
        }
        users
    }

    /// Puts everybody's last name on the messages that were stored with an earlier one.
    pub(super) fn show_last_names(&mut self) {
        let former = self.former_names.iter();
        let mut last: HashMap<UserId, DisplayName> =
            former.map(|(id, former)| (id.clone(), former.display_name.clone())).collect();
        let present = self.accounts.values().map(|account| account.user.clone());
        last.extend(present.map(|user| (user.id, user.display_name)));
        let messages = self.conversations.values_mut().flat_map(Conversation::messages_mut);
        for user in messages.flat_map(Message::people_mut) {
            if let Some(name) = last.get(&user.id) {
                user.display_name = name.clone();
            }
        }
    }
}

fn show_name(conversation: &mut Conversation, user: &User) {
    for message in conversation.messages_mut() {
        let mut changed = false;
        for person in message.people_mut().filter(|person| person.id == user.id && *person != user)
        {
            *person = user.clone();
            changed = true;
        }
        if changed {
            message.json.take();
        }
    }
}
