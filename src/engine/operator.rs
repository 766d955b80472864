//! The actions of an operator, who is no user and needs nobody's session.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::commit::{Committer, Decision};
use super::links::NewLink;
use super::log::Expect;
use super::users::end_sessions;
use super::{Engine, EngineError};
use crate::domain::channel::{Channel, ChannelKind};
use crate::domain::entry::{ChannelRecord, Key};
use crate::domain::ids::UserId;
use crate::domain::names::{ChannelName, DisplayName};
use crate::domain::user::Account;

/// A user, as an operator sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSummary {
    /// The display name.
    pub display_name: String,
    /// True for a bot.
    pub bot: bool,
    /// Number of live sessions.
    pub sessions: usize,
    /// The time when one of them was last used, as RFC 3339.
    pub last_used_at: String,
    /// True while they have a stream open.
    pub online: bool,
}

/// A public channel, as an operator sees it. Direct conversations are none of their business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSummary {
    /// The name.
    pub name: String,
    /// The display name of the user who created it, if there is one and they are still there.
    pub created_by: Option<String>,
    /// Number of kept messages.
    pub messages: usize,
    /// The time of the last kept message, as RFC 3339.
    pub last_message_at: Option<String>,
}

impl Engine {
    /// Lists all users, the one who was here last first.
    #[must_use]
    pub fn list_users(&self) -> Vec<UserSummary> {
        let accounts: Vec<_> = self.core.live.read().state.accounts().cloned().collect();
        let online = self.core.presence.online();
        let summary = |account: &Account| {
            let times = account.sessions.iter().map(|(id, session)| {
                self.core.session_uses.of(id).max(Some(session.used_at)).unwrap_or_default()
            });
            let user = account.person.user();
            UserSummary {
                display_name: user.display_name.to_string(),
                bot: user.bot,
                sessions: account.sessions.len(),
                last_used_at: times.max().unwrap_or_default().to_string(),
                online: online.contains(&user.id),
            }
        };
        let mut users: Vec<_> = accounts.iter().map(summary).collect();
        users.sort_by_cached_key(|it| (Reverse(it.last_used_at.clone()), it.display_name.clone()));
        users
    }

    /// Removes a user: ends all of their sessions and streams, which frees their name. What they said
    /// stays.
    ///
    /// # Errors
    ///
    /// When nobody is called that, or nothing can be stored.
    pub async fn remove_user(&self, name: &DisplayName) -> Result<(), EngineError> {
        let user = self.id_of(name)?;
        let committer = Committer { log: &self.log, core: &self.core };
        end_sessions(committer, &user, |_| true).await
    }

    /// Makes a one-time link that signs a device in as this user, who may have lost theirs.
    ///
    /// # Errors
    ///
    /// When nobody is called that, or the system gives no random numbers.
    pub fn make_link_for(&self, name: &DisplayName) -> Result<NewLink, EngineError> {
        self.add_link(self.id_of(name)?)
    }

    fn id_of(&self, name: &DisplayName) -> Result<UserId, EngineError> {
        let live = self.core.live.read();
        let account = live.state.holder(name).ok_or(EngineError::NoSuchUser)?;
        Ok(account.person.id().clone())
    }

    /// Lists the public channels by name.
    #[must_use]
    pub fn list_public_channels(&self) -> Vec<ChannelSummary> {
        let channels: Vec<_> = self.core.live.read().state.public_channels().cloned().collect();
        let summary = |channel: &Arc<Channel>| {
            let live = self.core.live.read();
            let creator = channel.creator().and_then(|creator| live.state.account(creator));
            let conversation = live.state.conversation(&channel.id);
            let last = conversation.and_then(|it| it.messages().next_back());
            Some(ChannelSummary {
                name: channel.name()?.to_string(),
                created_by: creator.map(|it| it.person.user().display_name.to_string()),
                messages: conversation.map_or(0, |it| it.messages().len()),
                last_message_at: last.map(|message| message.sent_at.to_string()),
            })
        };
        channels.iter().filter_map(summary).collect()
    }

    /// Removes a public channel with all that it keeps, whoever created it, and ends its streams.
    ///
    /// # Errors
    ///
    /// When there is no such channel, it is `general`, or nothing can be stored.
    pub async fn remove_channel(&self, name: &ChannelName) -> Result<(), EngineError> {
        let removed = self.commit(|live| {
            let channel = live.state.channel_named(name).ok_or(EngineError::NoSuchChannel)?;
            let ChannelKind::Public { name, .. } = &channel.kind else {
                return Err(EngineError::NoSuchChannel);
            };
            if *name == ChannelName::general() {
                return Err(EngineError::NotAllowed("`general` cannot be deleted"));
            }
            let record =
                ChannelRecord::Deleted { id: channel.id.clone(), name: Some(name.clone()) };
            let expect = Expect::At(channel.seq());
            Ok::<Decision<()>, _>(Decision::append(Key::Channel(name.hash()), record, expect))
        });
        removed.await.map(drop)
    }
}
