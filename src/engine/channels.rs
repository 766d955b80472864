//! Channels: creating, finding, describing, deleting; and how far one has read.

use uuid::Uuid;

use super::log::Expect;
use super::presence::Place;
use super::{Attempt, Engine, EngineError, MAX_DECISIONS, fresh_op};
use crate::domain::channel::{ChannelRef, ChannelView, Kind};
use crate::domain::entry::{ChannelRecord, Key, ReadMarkerRecord, encode};
use crate::domain::ids::{ChannelId, MessageId, Seq};
use crate::domain::names::{ChannelName, Topic};
use crate::domain::user::{Session, User};

impl Engine {
    /// Every channel that this user can see, by name.
    #[must_use]
    pub fn channels(&self, session: &Session) -> Vec<ChannelView> {
        let live = self.core.live.read();
        let me = &session.user.id;
        live.state.channels_of(me).map(|channel| live.state.view(channel, me)).collect()
    }

    /// One channel, and who has its stream open.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user.
    pub fn channel(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<(ChannelView, Vec<User>), EngineError> {
        let view = {
            let live = self.core.live.read();
            let channel = live.find(named, session)?;
            live.state.view(&channel, &session.user.id)
        };
        let online = self.here(&Place::Channel(view.id.clone()));
        Ok((view, online))
    }

    /// Creates a public channel.
    ///
    /// # Errors
    ///
    /// When there is one of that name, the session is gone, they do too much, or nothing can be
    /// stored.
    pub async fn create_channel(
        &self,
        session: &Session,
        name: ChannelName,
        topic: Topic,
    ) -> Result<ChannelView, EngineError> {
        self.count_change(session)?;
        let id = ChannelId::from(Uuid::now_v7());
        for _ in 0..MAX_DECISIONS {
            let creator = {
                let live = self.core.live.read();
                if live.state.channel_named(&name).is_some() {
                    return Err(EngineError::ChannelExists);
                }
                Some(live.account(session)?.user.clone())
            };
            let record = ChannelRecord::Open {
                id: id.clone(),
                name: name.clone(),
                topic: topic.clone(),
                creator,
                created_at: None,
            };
            let key = Key::Channel(name.hash());
            match self.append(fresh_op(), key, encode(&record), Expect::Absent).await? {
                Attempt::Done(_) => {
                    return self.channel(session, &ChannelRef::Id(id)).map(|it| it.0);
                }
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Says what a channel is about.
    ///
    /// # Errors
    ///
    /// When there is no such channel, somebody else created it (`general` is everybody's), the
    /// session is gone, they do too much, or nothing can be stored.
    pub async fn set_topic(
        &self,
        session: &Session,
        named: &ChannelRef,
        topic: Topic,
    ) -> Result<ChannelView, EngineError> {
        self.count_change(session)?;
        for _ in 0..MAX_DECISIONS {
            let (name, seq, record) = {
                let live = self.core.live.read();
                live.account(session)?;
                let channel = live.find(named, session)?;
                let Kind::Public { name, topic: present, creator } = &channel.kind else {
                    return Err(EngineError::NotAllowed("a direct conversation has no topic"));
                };
                if creator.as_ref().is_some_and(|by| by.id != session.user.id) {
                    return Err(EngineError::NotAllowed("only its creator can change a channel"));
                }
                if *present == topic {
                    return Ok(live.state.view(&channel, &session.user.id));
                }
                let record = ChannelRecord::Open {
                    id: channel.id.clone(),
                    name: name.clone(),
                    topic: topic.clone(),
                    creator: creator.clone(),
                    created_at: channel.created_at,
                };
                (name.clone(), channel.seq, record)
            };
            match self.write_channel(&name, seq, &record).await? {
                Attempt::Done(_) => return self.channel(session, named).map(|it| it.0),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Deletes a channel with all that it keeps, and ends its streams.
    ///
    /// # Errors
    ///
    /// When there is no such channel, somebody else created it, it is `general`, the session is
    /// gone, they do too much, or nothing can be stored.
    pub async fn delete_channel(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<(), EngineError> {
        self.count_change(session)?;
        for _ in 0..MAX_DECISIONS {
            let (name, seq, record) = {
                let live = self.core.live.read();
                live.account(session)?;
                let channel = live.find(named, session)?;
                let Kind::Public { name, creator, .. } = &channel.kind else {
                    return Err(EngineError::NotAllowed("a direct conversation stays"));
                };
                if creator.is_none() {
                    return Err(EngineError::NotAllowed("`general` stays"));
                }
                if !channel.is_of(&session.user.id) {
                    return Err(EngineError::NotAllowed("only its creator can delete a channel"));
                }
                let record = ChannelRecord::Deleted { id: channel.id.clone() };
                (name.clone(), channel.seq, record)
            };
            match self.write_channel(&name, seq, &record).await? {
                Attempt::Done(_) => return Ok(()),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Marks a channel as read up to this message: later ones are unread.
    ///
    /// # Errors
    ///
    /// When there is no such channel or message, the session is gone, or nothing can be stored.
    pub async fn mark_read(
        &self,
        session: &Session,
        named: &ChannelRef,
        message: &MessageId,
    ) -> Result<(), EngineError> {
        let (channel, read) = {
            let live = self.core.live.read();
            live.account(session)?;
            let channel = live.find(named, session)?.id.clone();
            let conversation = live.state.conversation(&channel);
            let message = conversation.and_then(|conversation| conversation.message(message));
            let read: Seq = message.ok_or(EngineError::NoSuchMessage)?.seq;
            if live.state.read_up_to(&session.user.id, &channel) == read {
                return Ok(());
            }
            (channel, read)
        };
        let key = Key::ReadMarker(session.user.id.clone(), channel);
        let body = encode(&ReadMarkerRecord { read });
        match self.append(fresh_op(), key, body, Expect::Any).await? {
            Attempt::Done(_) => Ok(()),
            Attempt::Again => Err(EngineError::NoSuchChannel),
        }
    }

    async fn write_channel(
        &self,
        name: &ChannelName,
        last: Seq,
        record: &ChannelRecord,
    ) -> Result<Attempt, EngineError> {
        let key = Key::Channel(name.hash());
        self.append(fresh_op(), key, encode(record), Expect::At(last)).await
    }
}
