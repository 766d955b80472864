//! Preferences in the state: how users want each channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Applied, EntryHeader, State};
use crate::domain::channel::Channel;
use crate::domain::entry::PreferencesRecord;
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq, UserId};
use crate::domain::message::Message;
use crate::domain::preference::ChannelPreferences;

/// The preferences of one user for all channels for which they have some. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    channels: Arc<HashMap<ChannelId, ChannelPreferences>>,
    /// The entry that holds them, once there is one.
    entry: Option<Seq>,
}

impl Preferences {
    /// The preferences for this channel.
    #[must_use]
    pub fn of(&self, channel: &ChannelId) -> ChannelPreferences {
        self.channels.get(channel).copied().unwrap_or_default()
    }

    /// Tells whether there are preferences for this channel, were they the defaults.
    #[must_use]
    pub fn has(&self, channel: &ChannelId) -> bool {
        self.channels.contains_key(channel)
    }

    /// The channels for which there are preferences, in no order.
    #[must_use]
    pub fn channels(&self) -> impl ExactSizeIterator<Item = (&ChannelId, &ChannelPreferences)> {
        self.channels.iter()
    }

    /// The entry that holds them: a change is appended on the condition that it still does.
    #[must_use]
    pub fn entry(&self) -> Option<Seq> {
        self.entry
    }

    /// The last entry that changed a preference; 0 where there is none. O(their number).
    #[must_use]
    pub fn last_changed(&self) -> Seq {
        self.channels.values().map(|preferences| preferences.changed).max().unwrap_or_default()
    }

    /// Makes a record of them with these in place of those for the same channels. What these say of
    /// the entry 0 is said of the entry that will hold the record.
    #[must_use]
    pub fn to_record(
        &self,
        changed: impl IntoIterator<Item = (ChannelId, ChannelPreferences)>,
    ) -> PreferencesRecord {
        let present = self.channels.iter().map(|(channel, it)| (channel.clone(), *it));
        let mut channels: BTreeMap<_, _> = present.collect();
        channels.extend(changed);
        PreferencesRecord { channels }
    }
}

impl State {
    /// The preferences of this user.
    #[must_use]
    pub fn preferences(&self, user: &UserId) -> Preferences {
        self.preferences.get(user).cloned().unwrap_or_default()
    }

    /// The users who have preferences, in no order.
    pub fn users_with_preferences(&self) -> impl Iterator<Item = &UserId> {
        self.preferences.keys()
    }

    /// The channels that messages have shown to this user again although their entry still says that
    /// they are hidden, with the preferences to store for each: once those messages are gone, nothing
    /// else would tell. O(what the channels that the entry hides keep).
    #[must_use]
    pub fn shown_again(&self, user: &UserId) -> Vec<(ChannelId, ChannelPreferences)> {
        let channels = self.preferences.get(user).map(Preferences::channels);
        let shown = channels.into_iter().flatten().filter_map(|(id, preferences)| {
            let (channel, conversation) = (self.channel(id)?, self.conversation(id)?);
            let shown_by = preferences.shown_again(channel, conversation, user)?;
            Some((
                id.clone(),
                ChannelPreferences { hidden: None, changed: shown_by, ..*preferences },
            ))
        });
        shown.collect()
    }

    pub(super) fn apply_preferences(
        &mut self,
        entry: EntryHeader,
        user: UserId,
        record: PreferencesRecord,
    ) -> Applied {
        if self.account(&user).is_none() {
            return entry.refused();
        }
        // A channel that was deleted meanwhile never comes back. A direct conversation may have to
        // begin yet.
        let may_exist = |id: &ChannelId| {
            let is_theirs = |members: [UserId; 2]| members.contains(&user);
            self.channels.contains_key(id) || Channel::members_of(id).is_some_and(is_theirs)
        };
        let channels = record.channels.into_iter().filter(|(channel, _)| may_exist(channel));
        let channels: HashMap<_, _> =
            channels.map(|(channel, it)| (channel, it.written_by(entry.seq))).collect();
        let changed = channels.iter().filter(|(_, it)| it.changed == entry.seq);
        let mut changed: Vec<_> = changed.map(|(channel, _)| channel.clone()).collect();
        changed.sort();
        let preferences = Preferences { channels: Arc::new(channels), entry: Some(entry.seq) };
        let before = self.preferences.insert(user.clone(), preferences);
        let events = changed.into_iter().map(|id| Event::PreferencesChanged(user.clone(), id));
        Applied {
            events: events.collect(),
            spent: before.and_then(|before| before.entry).into_iter().collect(),
            ..Applied::default()
        }
    }

    /// The users who have hidden this channel, of those whom a message may show it to again: its two
    /// in a direct conversation, those whom the message names in a public channel.
    pub(super) fn hidden_from(&self, channel: &Channel, message: &Message) -> Vec<UserId> {
        let named = if channel.is_public() { &message.content.mentions[..] } else { &[] };
        let called = channel.members().iter().map(|member| member.id()).chain(named);
        let mut hidden: Vec<_> =
            called.filter(|user| self.is_hidden_from(channel, user)).cloned().collect();
        hidden.sort();
        hidden.dedup();
        hidden
    }

    /// The events for those of these users to whom the channel is shown again by now.
    pub(super) fn shown_to(&self, channel: &Channel, users: Vec<UserId>) -> Vec<Event> {
        let shown = users.into_iter().filter(|user| !self.is_hidden_from(channel, user));
        shown.map(|user| Event::PreferencesChanged(user, channel.id.clone())).collect()
    }

    fn is_hidden_from(&self, channel: &Channel, user: &UserId) -> bool {
        let Some(preferences) = self.preferences.get(user) else { return false };
        let conversation = self.conversations.get(&channel.id);
        conversation.is_some_and(|it| preferences.of(&channel.id).is_hidden(channel, it, user))
    }

    /// Drops the preferences of a user who has left, and spends their entry.
    pub(super) fn forget_preferences_of(&mut self, user: &UserId, applied: &mut Applied) {
        let preferences = self.preferences.remove(user);
        applied.spent.extend(preferences.and_then(|preferences| preferences.entry));
    }

    /// Drops everybody's preferences for a channel that is gone. The entries that hold them stay.
    pub(super) fn forget_preferences_for(&mut self, channel: &ChannelId) {
        for preferences in self.preferences.values_mut() {
            if preferences.channels.contains_key(channel) {
                Arc::make_mut(&mut preferences.channels).remove(channel);
            }
        }
    }
}
