//! The actions of an operator, who is no user and needs nobody's session.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::commit::{Committer, Decision};
use super::hooks::decide_on_pause;
use super::links::NewLink;
use super::log::Expect;
use super::users::end_sessions;
use super::{Engine, EngineError, QueueStatus};
use crate::domain::channel::{Channel, ChannelKind};
use crate::domain::entry::{ChannelRecord, HookRecord, Key};
use crate::domain::hook::{Hook, Outgoing};
use crate::domain::ids::{HookId, UserId};
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

/// A hook, as an operator sees it: without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookSummary {
    /// The id.
    pub id: String,
    /// The direction.
    pub kind: HookKind,
    /// The name.
    pub name: String,
    /// The public channel's name; `None` in a direct conversation, which is none of their business.
    pub channel: Option<String>,
    /// The display name of the user who made it, if they are still there.
    pub created_by: Option<String>,
    /// The host that an outgoing hook posts to, with its port where it is no usual one.
    pub host: Option<String>,
    /// What it does at present.
    pub state: HookState,
    /// The time since which it is paused, as RFC 3339.
    pub paused_since: Option<String>,
    /// What was wrong at last where it is paused because its program took no message.
    pub problem: Option<String>,
    /// The number of messages that wait to be posted.
    pub waiting: usize,
    /// The time of the next attempt, where the last one failed, as RFC 3339.
    pub retry_at: Option<String>,
    /// The last delivery since the server was started.
    pub last_delivery: Option<DeliverySummary>,
}

/// The direction of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// Programs post to it.
    Incoming,
    /// It posts to a program.
    Outgoing,
}

/// What a hook does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookState {
    /// It works.
    Active,
    /// Its program did not take a message, which is tried again.
    Retrying,
    /// It posts nothing.
    Paused,
}

/// A delivery, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySummary {
    /// The time, as RFC 3339.
    pub at: String,
    /// The status that it was answered with, if it was.
    pub status: Option<u16>,
    /// What was wrong with it.
    pub problem: Option<String>,
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

    /// Lists the hooks of all channels, oldest first.
    #[must_use]
    pub fn list_hooks(&self) -> Vec<HookSummary> {
        let mut hooks: Vec<_> = self.core.live.read().state.all_hooks().cloned().collect();
        hooks.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        hooks.iter().map(|hook| self.summary_of(hook)).collect()
    }

    fn summary_of(&self, hook: &Hook) -> HookSummary {
        let (channel, created_by) = {
            let live = self.core.live.read();
            let channel = live.state.channel(&hook.channel);
            let name = channel.and_then(|it| it.name()).map(ToString::to_string);
            let creator = live.state.account(&hook.creator);
            (name, creator.map(|it| it.person.user().display_name.to_string()))
        };
        let outgoing = hook.outgoing.as_ref();
        let paused = outgoing.is_some_and(|outgoing| outgoing.paused);
        let QueueStatus { waiting, retry_at } = self.queue_of(&hook.id);
        let delivery = hook.deliveries.latest().into_iter().next();
        HookSummary {
            id: hook.id.to_string(),
            kind: if outgoing.is_some() { HookKind::Outgoing } else { HookKind::Incoming },
            name: hook.name.to_string(),
            channel,
            created_by,
            host: outgoing.and_then(Outgoing::host),
            state: match retry_at {
                _ if paused => HookState::Paused,
                Some(_) => HookState::Retrying,
                None => HookState::Active,
            },
            paused_since: paused.then(|| hook.changed_at.to_string()),
            problem: outgoing.and_then(|it| it.problem.as_deref()).map(ToOwned::to_owned),
            waiting,
            retry_at: retry_at.map(|at| at.to_string()),
            last_delivery: delivery.map(|it| DeliverySummary {
                at: it.at.to_string(),
                status: it.status,
                problem: it.problem,
            }),
        }
    }

    /// Removes a hook, whoever made it. What it wrote stays.
    ///
    /// # Errors
    ///
    /// When there is no such hook, or nothing can be stored.
    pub async fn remove_hook(&self, id: &HookId) -> Result<(), EngineError> {
        let removed = self.commit(|live| {
            let hook = live.state.all_hooks().find(|hook| hook.id == *id);
            let hook = hook.ok_or(EngineError::NoSuchHook)?;
            let key = Key::Hook(hook.channel.clone(), id.clone());
            Ok::<Decision<()>, _>(Decision::append(key, HookRecord::Deleted, Expect::At(hook.seq)))
        });
        removed.await?;
        self.outgoing.forget(id);
        Ok(())
    }

    /// Pauses an outgoing hook, whoever made it, or lets it go on.
    ///
    /// # Errors
    ///
    /// When there is no such hook, it is an incoming one, or nothing can be stored.
    pub async fn set_hook_paused(&self, id: &HookId, paused: bool) -> Result<(), EngineError> {
        let changed = self.commit(|live| {
            let hook = live.state.all_hooks().find(|hook| hook.id == *id);
            let hook = hook.ok_or(EngineError::NoSuchHook)?;
            if hook.outgoing.is_none() {
                return Err(EngineError::NotAllowed(
                    "an incoming hook cannot be paused: remove it",
                ));
            }
            Ok(decide_on_pause(hook, paused, None))
        });
        changed.await?;
        self.follow_pause(id, paused);
        Ok(())
    }
}
