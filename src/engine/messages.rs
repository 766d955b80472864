//! Messages: reading, sending, editing, deleting.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use chrono::Utc;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::files::{attachments, with_files};
use super::log::Expect;
use super::said::{Said, refuse_empty};
use super::{Attempt, Engine, EngineError, Live, MAX_DECISIONS, fresh_op};
use crate::domain::attachment::Attachment;
use crate::domain::channel::{Channel, ChannelRef, Conversation, Kind};
use crate::domain::entry::{ChangeRecord, DirectRecord, KEPT_MESSAGES, Key, MessageRecord, encode};
use crate::domain::event::Event;
use crate::domain::ids::{Cursor, MessageId, OpId, Seq};
use crate::domain::message::{Content, Message};
use crate::domain::reaction::Reacted;
use crate::domain::user::Session;

/// What putting a message under an id of one's own came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The id was new: the message as JSON.
    Created(Bytes),
    /// It was the caller's own message, which now reads so.
    Replaced(Bytes),
}

/// A point in the action of putting: what there is under the id.
enum Found {
    Nothing { op: OpId },
    Same(Bytes),
    Other { seq: Seq, changed: Option<Seq>, reactions: Vec<Reacted>, attachments: Vec<Attachment> },
}

impl Engine {
    /// All that a channel keeps, as JSON: `{"messages": […], "cursor": "…", "kept": 100}`.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user.
    pub fn history(&self, session: &Session, named: &ChannelRef) -> Result<Bytes, EngineError> {
        let (messages, seq, epoch) = {
            let live = self.core.live.read();
            let channel = live.find(named, session)?;
            let epoch = self.log.epoch().of_stream(channel.id.as_str());
            (live.messages_json(&channel), live.state.head(), epoch)
        };
        let cursor = Cursor { epoch, seq };
        let bytes = messages.iter().map(|message| message.len() + 1).sum::<usize>();
        let mut json = BytesMut::with_capacity(bytes + 80);
        json.put_slice(b"{\"messages\":[");
        for (at, message) in messages.iter().enumerate() {
            if at > 0 {
                json.put_u8(b',');
            }
            json.put_slice(message);
        }
        let rest = format!("],\"cursor\":\"{cursor}\",\"kept\":{KEPT_MESSAGES}}}");
        json.put_slice(rest.as_bytes());
        Ok(json.freeze())
    }

    /// One message, as JSON.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or it keeps no such message.
    pub fn message(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
    ) -> Result<Bytes, EngineError> {
        let live = self.core.live.read();
        let (channel, message) = live.find_message(named, session, id)?;
        Ok(message.json(&channel.called()))
    }

    /// Sends a message under an id of the server's choice. Gives the id and the message as JSON.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, nothing is said, they send too fast, the session
    /// is gone, or nothing can be stored.
    pub async fn post(
        &self,
        session: &Session,
        named: &ChannelRef,
        said: Said,
    ) -> Result<(MessageId, Bytes), EngineError> {
        self.core.live.read().find(named, session)?;
        let mut prepared = None;
        let content = self.prepare(session, &said, &[], &mut prepared)?;
        let mut files = said.files.unwrap_or_default();
        let id = MessageId::from(Uuid::now_v7());
        let send = self.send(session, named, &id, content, fresh_op());
        match sent(with_files(&mut files, content, send).await?) {
            Some(json) => {
                self.counts.count_message();
                Ok((id, json))
            }
            // The id is new, so only the channel can have gone.
            None => Err(EngineError::NoSuchChannel),
        }
    }

    /// Sends a message under an id of the sender's choice, or replaces their own message of that
    /// id. Doing it again changes nothing, so it is safe to try again.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, the message of that id is somebody else's,
    /// nothing is said, they send too fast, the session is gone, or nothing can be stored.
    pub async fn put(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        mut said: Said,
    ) -> Result<Put, EngineError> {
        let mut prepared = None;
        for attempt in 0..MAX_DECISIONS {
            match self.look(session, named, id, &said)? {
                Found::Nothing { op } => {
                    let content = self.prepare(session, &said, &[], &mut prepared)?;
                    let files = said.files.as_deref_mut().unwrap_or_default();
                    // After a first attempt the log may remember the op of a message that is gone.
                    let op = if attempt == 0 { op } else { fresh_op() };
                    let send = self.send(session, named, id, content, op);
                    if let Some(json) = sent(with_files(files, content, send).await?) {
                        self.counts.count_message();
                        return Ok(Put::Created(json));
                    }
                }
                Found::Other { seq, changed, reactions, attachments } => {
                    let content = self.prepare(session, &said, &attachments, &mut prepared)?;
                    let files = said.files.as_deref_mut().unwrap_or_default();
                    let edited_at = Some(Utc::now().into());
                    let stored = Some(content.clone());
                    let change = ChangeRecord::Present { content: stored, edited_at, reactions };
                    let edit = self.change(session, named, seq, changed, &change);
                    if let Some(json) = sent(with_files(files, content, edit).await?) {
                        return Ok(Put::Replaced(json));
                    }
                }
                Found::Same(json) => return Ok(Put::Replaced(json)),
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Deletes a message: its author may, and the creator of its channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, the message is
    /// somebody else's, the session is gone, they do too much, or nothing can be stored.
    pub async fn delete(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
    ) -> Result<(), EngineError> {
        self.count_change(session)?;
        for _ in 0..MAX_DECISIONS {
            let (seq, changed) = {
                let live = self.core.live.read();
                let (channel, message) = live.find_message(named, session, id)?;
                let me = &session.user.id;
                if message.author.id != *me && !channel.is_of(me) {
                    return Err(EngineError::NotYours);
                }
                (message.seq, message.changed)
            };
            let change = ChangeRecord::Deleted { id: id.clone() };
            match self.change(session, named, seq, changed, &change).await? {
                Attempt::Done(_) => return Ok(()),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// What is to be stored where a message has these files, once for all attempts.
    fn prepare<'c>(
        &self,
        session: &Session,
        said: &Said,
        present: &[Attachment],
        prepared: &'c mut Option<Content>,
    ) -> Result<&'c Content, EngineError> {
        let attachments = match &said.files {
            Some(files) => attachments(files, present),
            None => present.to_vec(),
        };
        refuse_empty(&said.text, &attachments)?;
        // With files it was counted before they were received.
        if prepared.is_none() && said.files.is_none() {
            self.count_post(session)?;
        }
        let content = prepared.get_or_insert_with(|| self.content(said.text.clone()));
        content.attachments = attachments;
        Ok(content)
    }

    pub(super) fn count_post(&self, session: &Session) -> Result<(), EngineError> {
        match &self.limits {
            Some(limits) => Ok(limits.post(&session.user.id)?),
            None => Ok(()),
        }
    }

    fn look(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        said: &Said,
    ) -> Result<Found, EngineError> {
        let live = self.core.live.read();
        let channel = live.find(named, session)?;
        let conversation = live.state.conversation(&channel.id);
        let Some(message) = conversation.and_then(|conversation| conversation.message(id)) else {
            let deleted = conversation.and_then(|conversation| conversation.deleted(id));
            return Ok(Found::Nothing { op: op_of(session, &channel, id, deleted) });
        };
        if message.author.id != session.user.id {
            return Err(EngineError::NotYours);
        }
        if said.is_in(&message.content) {
            return Ok(Found::Same(message.json(&channel.called())));
        }
        let (seq, changed) = (message.seq, message.changed);
        let reactions = message.reactions.clone();
        let attachments = message.content.attachments.clone();
        Ok(Found::Other { seq, changed, reactions, attachments })
    }

    async fn send(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        content: &Content,
        op: OpId,
    ) -> Result<Attempt, EngineError> {
        let (channel, author) = {
            let live = self.core.live.read();
            let author = live.account(session)?.user.clone();
            (live.find(named, session)?.into_owned(), author)
        };
        if channel.created_at.is_none() {
            self.begin(&channel).await?;
        }
        let key = Key::Messages(channel.id);
        let record = MessageRecord { id: id.clone(), author, content: content.clone() };
        self.append(op, key, encode(&record), Expect::Any).await
    }

    /// Brings a direct conversation into being. Somebody else may have been faster.
    async fn begin(&self, channel: &Channel) -> Result<(), EngineError> {
        let Kind::Direct(members) = &channel.kind else { return Ok(()) };
        let body = encode(&DirectRecord { members: members.clone() });
        let key = Key::Direct(channel.id.clone());
        self.append(fresh_op(), key, body, Expect::Absent).await.map(drop)
    }

    pub(super) async fn change(
        &self,
        session: &Session,
        named: &ChannelRef,
        message: Seq,
        changed: Option<Seq>,
        change: &ChangeRecord,
    ) -> Result<Attempt, EngineError> {
        let channel = {
            let live = self.core.live.read();
            live.account(session)?;
            live.find(named, session)?.id.clone()
        };
        let key = Key::Change(channel, message);
        self.append(fresh_op(), key, encode(change), changed.into()).await
    }
}

impl Live {
    pub(super) fn find_message(
        &self,
        named: &ChannelRef,
        session: &Session,
        id: &MessageId,
    ) -> Result<(Cow<'_, Channel>, &Message), EngineError> {
        let channel = self.find(named, session)?;
        let conversation = self.state.conversation(&channel.id);
        let message = conversation.and_then(|conversation| conversation.message(id));
        Ok((channel, message.ok_or(EngineError::NoSuchMessage)?))
    }

    /// The channel's kept messages as JSON, oldest first.
    pub(super) fn messages_json(&self, channel: &Channel) -> Vec<Bytes> {
        let messages = self.state.conversation(&channel.id).map(Conversation::messages);
        let called = channel.called();
        messages.into_iter().flatten().map(|message| message.json(&called)).collect()
    }
}

/// The same for the same author putting the same id again, so that the log itself stores it once,
/// but another one after the message was deleted.
fn op_of(session: &Session, channel: &Channel, id: &MessageId, deleted: Option<Seq>) -> OpId {
    let digest = Sha256::new()
        .chain_update(channel.id.as_str())
        .chain_update(session.user.id.as_str())
        .chain_update(deleted.unwrap_or_default().0.to_be_bytes())
        .chain_update(id.as_str())
        .finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    OpId(uuid::Builder::from_custom_bytes(first).into_uuid())
}

/// The JSON of the message that an attempt made or changed.
fn sent(attempt: Attempt) -> Option<Bytes> {
    let Attempt::Done(events) = attempt else { return None };
    events.into_iter().find_map(|event| match event {
        Event::Message { json, .. } | Event::MessageUpdated { json, .. } => Some(json),
        _ => None,
    })
}
