//! Preferences: how users want each channel, on all of their devices.

use futures::future::join_all;

use super::commit::{Committer, Decision};
use super::log::Expect;
use super::{Engine, EngineError, Live};
use crate::domain::channel::ChannelRef;
use crate::domain::entry::{Key, encode};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq, UserId};
use crate::domain::preference::{Bell, ChannelPreferences, PreferencesChange};
use crate::domain::state::Preferences;
use crate::domain::user::Session;
use crate::wire::channel::ChannelView;

impl Engine {
    /// Changes how this user wants a channel. Their streams of everything are told, and nobody else.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, they have preferences for as many channels as
    /// they may, the session is gone, they do too much, or nothing can be stored.
    pub async fn prefer(
        &self,
        session: &Session,
        named: &ChannelRef,
        change: PreferencesChange,
    ) -> Result<ChannelView, EngineError> {
        self.count_change(session)?;
        // From here on by its id: the name may pass to another channel or user meanwhile.
        let named = &ChannelRef::Id(self.core.live.read().find(named, session)?.id.clone());
        let changed = self.commit(|live| {
            let id = live.find(named, session)?.id.clone();
            let Some(wanted) = live.wanted(session, &id, change)? else {
                return Ok(Decision::Unchanged(()));
            };
            let user = &session.user.id;
            let preferences = live.state.preferences(user);
            let is_full = preferences.channels().len() >= self.bounds.max_preferences_per_user;
            if is_full && !preferences.has(&id) {
                let what = "channels of which you say how you want them";
                return Err(EngineError::LimitReached(what));
            }
            Ok(to_append(user.clone(), preferences, vec![(id, wanted)]))
        });
        changed.await?;
        self.view(session, named)
    }

    /// Stores that channels which were hidden are shown again, to those users to whom these events
    /// show one: the message that did it will be gone some day. Where it cannot be stored now, the
    /// next start does it.
    pub(super) async fn store_shown_again(&self, events: &[Event]) {
        let users = events.iter().filter_map(|event| match event {
            Event::PreferencesChanged(user, _) => Some(user),
            _ => None,
        });
        let committer = Committer { log: &self.log, core: &self.core };
        join_all(users.map(|user| store_shown_again(committer, user))).await;
    }

    /// Does the same for all users, of what a process that was killed has left.
    pub(super) async fn store_all_shown_again(&self) {
        let users: Vec<_> = self.core.live.read().state.users_with_preferences().cloned().collect();
        let committer = Committer { log: &self.log, core: &self.core };
        for user in users {
            store_shown_again(committer, &user).await;
        }
    }
}

async fn store_shown_again(committer: Committer<'_>, user: &UserId) {
    let stored = committer.commit(|live| {
        let shown = live.state.shown_again(user);
        if shown.is_empty() || live.state.account(user).is_none() {
            return Ok(Decision::Unchanged(()));
        }
        Ok(to_append(user.clone(), live.state.preferences(user), shown))
    });
    if let Err(error) = stored.await {
        log::warn!("That a hidden channel is shown again cannot be stored yet: {error}.");
    }
}

/// The decision to append these preferences in place of a user's former ones for the same channels.
fn to_append<T>(
    user: UserId,
    preferences: Preferences,
    changed: Vec<(ChannelId, ChannelPreferences)>,
) -> Decision<T> {
    let expect = Expect::from(preferences.entry());
    let record = move || encode(&preferences.to_record(changed));
    Decision::append_encoded(Key::Preferences(user), record, expect)
}

impl Live {
    /// The preferences for a channel that this change makes; `None` where it changes nothing.
    fn wanted(
        &self,
        session: &Session,
        id: &ChannelId,
        change: PreferencesChange,
    ) -> Result<Option<ChannelPreferences>, EngineError> {
        let user = self.account(session)?.person.id();
        let channel = self.find(&ChannelRef::Id(id.clone()), session)?;
        let conversation = self.state.conversation(id).cloned().unwrap_or_default();
        let present = self.state.preferences(user).of(id);
        let is_hidden = present.is_hidden(&channel, &conversation, user);
        let bell = present.bell.unwrap_or(Bell::default_of(&channel));
        let changes = change.starred.is_some_and(|starred| starred != present.starred)
            || change.hidden.is_some_and(|hidden| hidden != is_hidden)
            || change.bell.is_some_and(|wanted| wanted != bell);
        let hidden = match change.hidden {
            Some(true) if !is_hidden => Some(Seq(0)),
            Some(false) => None,
            // A message may have shown it again: that stays true once the message is gone.
            _ => present.hidden.filter(|_| is_hidden),
        };
        Ok(changes.then_some(ChannelPreferences {
            starred: change.starred.unwrap_or(present.starred),
            hidden,
            bell: change.bell.or(present.bell),
            changed: Seq(0),
        }))
    }
}
