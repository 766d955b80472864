//! Channels: listing, creating, changing, deleting them, and typing in them.

use std::sync::Arc;
use std::vec;

use chrono::{TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::commit::Decision;
use super::log::Expect;
use super::presence::Place;
use super::reader::Reader;
use super::resume::last_event_of;
use super::{Core, Engine, EngineError, Live};
use crate::domain::channel::{Channel, ChannelKind, ChannelRef};
use crate::domain::entry::{ChannelRecord, Key};
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::names::{ChannelName, Topic};
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};
use crate::wire::channel::{ChannelSnapshot, ChannelView, ListedChannel};

/// Time without messages after which anybody may delete a channel whose creator has left.
const ABANDONED_AFTER: TimeDelta = TimeDelta::days(7);

/// Largest number of channels of a list that are looked up under one lock.
pub(super) const LISTED_AT_ONCE: usize = 64;

/// The changes of a channel that a user may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelPermissions {
    /// Whether the user may set the topic.
    pub set_topic: bool,
    /// Whether the user may delete the channel.
    pub delete: bool,
}

/// The channels that a user can see: the public ones by name, then direct conversations, latest
/// first. Each is as it is when the list gets there: a list holds few of them at a time.
pub struct ChannelList {
    core: Arc<Core>,
    reader: Reader,
    len: usize,
    /// The last public channel that was looked up.
    after: Option<ChannelName>,
    /// Set once there are no more public channels.
    public_is_over: bool,
    /// The direct conversations that are left, latest first.
    directs: vec::IntoIter<Arc<Channel>>,
    /// The next channels, looked up already.
    next: vec::IntoIter<ChannelSnapshot>,
}

impl ChannelList {
    /// The number of channels when the list was begun.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there was no channel when the list was begun.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next channel with what is needed to show it.
    fn next_snapshot(&mut self) -> Option<ChannelSnapshot> {
        if self.next.len() == 0 {
            self.next = self.look_up().into_iter();
        }
        self.next.next()
    }

    /// Looks up the next few channels; none when there are no more.
    fn look_up(&mut self) -> Vec<ChannelSnapshot> {
        let live = self.core.live.read();
        let snapshot = |channel: &_| live.snapshot(channel, &self.reader);
        if !self.public_is_over {
            let public = live.state.public_channels_after(self.after.as_ref());
            let public: Vec<_> = public.take(LISTED_AT_ONCE).map(snapshot).collect();
            if let Some(last) = public.last() {
                self.after = last.channel.name().cloned();
                return public;
            }
            self.public_is_over = true;
        }
        self.directs.by_ref().take(LISTED_AT_ONCE).map(|direct| snapshot(&direct)).collect()
    }
}

impl Iterator for ChannelList {
    type Item = ListedChannel;

    fn next(&mut self) -> Option<ListedChannel> {
        let snapshot = self.next_snapshot()?;
        let cursor = self.core.cursor_of(&snapshot.channel.id, last_event_of(&snapshot));
        Some(ListedChannel { channel: snapshot.view(&self.reader.me), cursor: cursor.to_string() })
    }
}

impl Engine {
    /// Lists every channel that this user can see.
    ///
    /// # Errors
    ///
    /// When the session is gone.
    pub fn channels(&self, session: &Session) -> Result<ChannelList, EngineError> {
        let live = self.core.live.read();
        let reader = self.core.reader_of(&live, session)?;
        let public_len = live.state.public_channels().len();
        let directs: Vec<_> = live.state.latest_directs_of(reader.me.id()).cloned().collect();
        Ok(ChannelList {
            core: self.core.clone(),
            reader,
            len: public_len + directs.len(),
            after: None,
            public_is_over: false,
            directs: directs.into_iter(),
            next: Vec::new().into_iter(),
        })
    }

    /// Finds one channel. Returns it with the users who have its stream open, with whichever node: where
    /// this one has not heard of that from the others, it waits until they have told.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or the session is gone.
    pub async fn channel(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<(ChannelView, Vec<User>), EngineError> {
        let found = self.core.live.read().find(named, session)?;
        self.core.look_at_presence(&found.id).await;
        let view = self.view(session, &ChannelRef::Id(found.id.clone()))?;
        let online = self.users_in(&Place::Channel(view.id.clone()));
        Ok((view, online))
    }

    /// Finds one channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or the session is gone.
    pub fn view(&self, session: &Session, named: &ChannelRef) -> Result<ChannelView, EngineError> {
        let (snapshot, me) = {
            let live = self.core.live.read();
            let channel = live.find(named, session)?;
            let reader = self.core.reader_of(&live, session)?;
            (live.snapshot(&channel, &reader), reader.me)
        };
        Ok(snapshot.view(&me))
    }

    /// Creates a public channel.
    ///
    /// # Errors
    ///
    /// When there is one of that name, there are as many as there can be, the session is gone, they
    /// do too much, or nothing can be stored.
    pub async fn create_channel(
        &self,
        session: &Session,
        name: ChannelName,
        topic: Topic,
    ) -> Result<ChannelView, EngineError> {
        self.count_change(session)?;
        let id = ChannelId::from(Uuid::now_v7());
        let _lock = self.creation_lock.lock().await;
        let created = self.commit(|live| {
            let creator = User::clone(&live.account(session)?.person.user());
            if live.state.channel_named(&name).is_some() {
                return Err(EngineError::ChannelExists);
            }
            self.refuse_more_channels(live, &creator)?;
            let record = ChannelRecord::Open {
                id: id.clone(),
                name: name.clone(),
                topic: topic.clone(),
                creator: Some(creator),
                created_at: None,
            };
            let expect = Expect::from(live.state.last_of_channel_name(&name));
            Ok::<Decision<()>, _>(Decision::append(Key::Channel(name.hash()), record, expect))
        });
        created.await?;
        self.view(session, &ChannelRef::Id(id))
    }

    fn refuse_more_channels(&self, live: &Live, creator: &User) -> Result<(), EngineError> {
        let channels = live.state.public_channels();
        if channels.len() >= self.bounds.max_channels {
            return Err(EngineError::LimitReached("channels"));
        }
        let theirs = channels.filter(|channel| channel.creator() == Some(&creator.id));
        if theirs.count() >= self.bounds.max_channels_per_user {
            return Err(EngineError::LimitReached("channels of yours"));
        }
        Ok(())
    }

    /// Changes a channel's topic.
    ///
    /// # Errors
    ///
    /// When there is no such channel, somebody else created it (where nobody did, or the creator
    /// has left, it is everybody's), the session is gone, they do too much, or nothing can be
    /// stored.
    pub async fn set_topic(
        &self,
        session: &Session,
        named: &ChannelRef,
        topic: Topic,
    ) -> Result<ChannelView, EngineError> {
        self.count_change(session)?;
        let changed = self.commit(|live| {
            live.account(session)?;
            let channel = live.find(named, session)?;
            let ChannelKind::Public { name, topic: present, creator } = &channel.kind else {
                return Err(EngineError::NotAllowed("a direct conversation has no topic"));
            };
            let owner = live.owner(&channel);
            if owner.is_some_and(|owner| *owner != session.user.id) {
                return Err(EngineError::NotYours);
            }
            if *present == topic {
                return Ok(Decision::Unchanged(()));
            }
            let known = creator.as_ref().and_then(|creator| live.state.account(creator));
            let record = ChannelRecord::Open {
                id: channel.id.clone(),
                name: name.clone(),
                topic: topic.clone(),
                creator: known.map(|account| User::clone(&account.person.user())),
                created_at: channel.created_at,
            };
            let expect = Expect::At(channel.seq());
            Ok(Decision::append(Key::Channel(name.hash()), record, expect))
        });
        changed.await?;
        self.view(session, named)
    }

    /// What this user may do with a channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or the session is gone.
    pub fn permissions(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<ChannelPermissions, EngineError> {
        let live = self.core.live.read();
        let channel = live.find(named, session)?;
        let is_general = channel.name() == Some(&ChannelName::general());
        let owner = live.owner(&channel);
        let is_own = owner == Some(&session.user.id);
        let is_free = || owner.is_none() && live.is_abandoned(&channel, Utc::now().into());
        Ok(ChannelPermissions {
            set_topic: channel.is_public() && (is_own || owner.is_none()),
            delete: channel.is_public() && !is_general && (is_own || is_free()),
        })
    }

    /// Announces to the listeners of a channel that this user is typing. Nothing of it is kept.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or they do too much.
    pub fn typing(&self, session: &Session, named: &ChannelRef) -> Result<(), EngineError> {
        self.count_change(session)?;
        let channel = self.core.live.read().find(named, session)?;
        self.core.announce_typing(&channel.id, &session.user);
        self.core.tell_typing(&channel.id, &session.user.id);
        Ok(())
    }

    /// Deletes a channel with all that it keeps, and ends its streams.
    ///
    /// # Errors
    ///
    /// When there is no such channel, somebody else created it, nobody did and something was said
    /// in it lately, it is `general`, the session is gone, they do too much, or nothing can be
    /// stored.
    pub async fn delete_channel(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<(), EngineError> {
        self.count_change(session)?;
        let id = {
            let live = self.core.live.read();
            live.find(named, session)?.id.clone()
        };
        let now = Timestamp::from(Utc::now());
        let deleted = self.commit(|live| {
            live.account(session)?;
            // A channel created meanwhile under the same name is another one.
            let channel = live.state.channel(&id).ok_or(EngineError::NoSuchChannel)?;
            let ChannelKind::Public { name, .. } = &channel.kind else {
                return Err(EngineError::NotAllowed("a direct conversation cannot be deleted"));
            };
            if *name == ChannelName::general() {
                return Err(EngineError::NotAllowed("`general` cannot be deleted"));
            }
            match live.owner(channel) {
                Some(owner) if *owner != session.user.id => return Err(EngineError::NotYours),
                None if !live.is_abandoned(channel, now) => {
                    let why = "a channel whose creator has left can be deleted once nothing was \
                               said in it for 7 days";
                    return Err(EngineError::NotAllowed(why));
                }
                _ => {}
            }
            let record = ChannelRecord::Deleted { id: id.clone(), name: Some(name.clone()) };
            let expect = Expect::At(channel.seq());
            Ok::<Decision<()>, _>(Decision::append(Key::Channel(name.hash()), record, expect))
        });
        deleted.await.map(drop)
    }
}

impl Live {
    /// The creator of a channel, unless they have left.
    fn owner<'c>(&self, channel: &'c Channel) -> Option<&'c UserId> {
        channel.creator().filter(|creator| self.state.account(creator).is_some())
    }

    fn is_abandoned(&self, channel: &Channel, now: Timestamp) -> bool {
        let conversation = self.state.conversation(&channel.id);
        let last = conversation.and_then(|it| Some(it.messages().next_back()?.sent_at));
        let since = last.or(channel.created_at).map_or(0, Timestamp::as_millis);
        now.as_millis() - since >= ABANDONED_AFTER.num_milliseconds()
    }
}
