//! Messages: reading, sending, editing, deleting, restoring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use chrono::Utc;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::commit::{Committed, Decision, fresh_op};
use super::draft::{MessageDraft, refuse_empty};
use super::files::{ReceivedFile, attachments, claim, release_unclaimed};
use super::limits::Cost;
use super::log::Expect;
use super::resume::last_event_of;
use super::{Engine, EngineError, Live};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::entry::{ChangeRecord, DirectRecord, Key, MessageRecord, PresentRecord};
use crate::domain::event::Event;
use crate::domain::ids::{MessageId, OpId, Seq, UserId};
use crate::domain::message::{Content, Message};
use crate::domain::text::links::previewed_links;
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};
use crate::wire::cursor::Cursor;
use crate::wire::message;

/// The result of putting a message under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The id was new: the message as JSON.
    Created(Bytes),
    /// The caller's own message had the id: the message as it is now, as JSON.
    Replaced(Bytes),
}

/// The messages that a channel keeps, at one moment.
#[derive(Clone, Debug)]
pub struct History {
    /// The messages as JSON, oldest first. All who ask share the bytes.
    pub messages: Vec<Bytes>,
    /// The point in the channel's stream at which the list is true.
    pub cursor: Cursor,
}

/// The message that an id names at present.
enum Existing {
    /// No message. A message put there has this op.
    None { op: OpId },
    /// The caller's own message, with the same content as the one that is put.
    Same(Arc<Message>),
    /// The caller's own message, with other content.
    Different(Arc<Message>),
}

impl Engine {
    /// Reads the messages that a channel keeps.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user.
    pub fn history(&self, session: &Session, named: &ChannelRef) -> Result<History, EngineError> {
        let snapshot = {
            let live = self.core.live.read();
            let reader = self.core.reader_of(&live, session)?;
            live.snapshot(&live.find(named, session)?, &reader)
        };
        let bytes: u64 = snapshot.conversation.messages().map(|it| it.text_bytes()).sum();
        let cost = Cost::of_history(usize::try_from(bytes).unwrap_or(usize::MAX));
        self.count_read(session, cost)?;
        let called = snapshot.channel.reference();
        let messages = snapshot.conversation.messages();
        let messages = messages.map(|it| message::json(it, &called)).collect();
        let cursor = self.core.cursor_of(&snapshot.channel.id, last_event_of(&snapshot));
        Ok(History { messages, cursor })
    }

    /// Finds one message. Returns it as JSON.
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
        let (channel, message) = self.core.live.read().find_message(named, session, id)?;
        Ok(message::json(&message, &channel.reference()))
    }

    /// Posts a message under an id of the server's choice. Returns the id and the message as JSON.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, the message is empty, they send too fast, there
    /// is no room for it, the session is gone, or nothing can be stored.
    pub async fn post(
        &self,
        session: &Session,
        named: &ChannelRef,
        draft: MessageDraft,
    ) -> Result<(MessageId, Bytes), EngineError> {
        let id = MessageId::from(Uuid::now_v7());
        match self.put(session, named, &id, draft).await? {
            Put::Created(json) | Put::Replaced(json) => Ok((id, json)),
        }
    }

    /// Puts a message under an id of the author's choice: a new message, or in place of their own
    /// one of that id. Doing it again changes nothing, so it is safe to try again.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, the message of that id is somebody else's,
    /// the message is empty, they send too fast, there is no room for it, the session is gone, or
    /// nothing can be stored.
    pub async fn put(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        draft: MessageDraft,
    ) -> Result<Put, EngineError> {
        let (channel, existing) = {
            let live = self.core.live.read();
            let channel = live.find(named, session)?;
            let existing = live.existing(&channel, session, id, &draft)?;
            (channel, existing)
        };
        let (kept_files, kept_bytes) = match existing {
            Existing::Same(message) => {
                return Ok(Put::Replaced(message::json(&message, &channel.reference())));
            }
            Existing::Different(message) => {
                (message.content.attachments.len(), message.content.text_bytes())
            }
            Existing::None { .. } => (0, 0),
        };
        let files = draft.files.as_ref().map_or(kept_files, Vec::len);
        refuse_empty(&draft.text, files)?;
        // With files it was counted before they were received.
        if draft.files.is_none() {
            self.count_post(session)?;
        }
        let content = self.content_of(draft.text.clone());
        self.refuse_without_room(&session.user.id, content.text_bytes(), kept_bytes)?;
        // From here on by its id: the name may pass to another channel or user meanwhile.
        let named = &ChannelRef::Id(channel.id.clone());
        if channel.created_at.is_none() {
            self.begin(session, named).await?;
        }
        self.store(session, named, id, draft, content).await
    }

    async fn store(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        mut draft: MessageDraft,
        content: Content,
    ) -> Result<Put, EngineError> {
        let links = previewed_links(&content.html());
        let decided_before = AtomicBool::new(false);
        let edits = AtomicBool::new(false);
        let stored = self.commit(|live| {
            let channel = live.find(named, session)?;
            let author = User::clone(&live.account(session)?.person.user());
            let files = draft.files.as_deref();
            let existing = live.existing(&channel, session, id, &draft)?;
            let is_retry = decided_before.swap(true, Ordering::Relaxed);
            edits.store(!matches!(existing, Existing::None { .. }), Ordering::Relaxed);
            Ok(match existing {
                Existing::Same(message) => Decision::Unchanged((channel, message)),
                Existing::None { op } => {
                    let content = content_with(&content, files, &[])?;
                    claim(files.unwrap_or_default(), &content);
                    let record = MessageRecord { id: id.clone(), author, hook: None, content };
                    // The log may remember the op of a message that is gone.
                    let op = if is_retry { fresh_op() } else { op };
                    let key = Key::Messages(channel.id.clone());
                    Decision::append_as(op, key, record, Expect::Any)
                }
                Existing::Different(message) => {
                    let content = content_with(&content, files, &message.content.attachments)?;
                    claim(files.unwrap_or_default(), &content);
                    let present = PresentRecord::of(&message);
                    let record = PresentRecord {
                        content: Some(content),
                        edited_at: Some(Utc::now().into()),
                        previews: present.previews.of_links(&links),
                        ..present
                    };
                    live.change_of(&channel, &message, ChangeRecord::Present(record))
                }
            })
        });
        let stored = stored.await;
        release_unclaimed(draft.files.as_deref_mut().unwrap_or_default(), &stored);
        let events = match stored? {
            Committed::Unchanged((channel, message)) => {
                return Ok(Put::Replaced(message::json(&message, &channel.reference())));
            }
            Committed::Applied(events) => events,
        };
        self.store_shown_again(&events).await;
        self.tell_outgoing(&events);
        self.fetch_previews(session, &events);
        let json = message_in(&events).ok_or(EngineError::NoSuchChannel)?;
        if edits.into_inner() {
            return Ok(Put::Replaced(json));
        }
        self.counters.count_message();
        Ok(Put::Created(json))
    }

    /// Deletes a message. Its author may, and the creator of its channel; and where a hook wrote it,
    /// whoever may delete that. They can
    /// [restore](Self::restore) it for a while.
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
        let deleted = self.commit(|live| {
            live.account(session)?;
            let (channel, message) = live.find_message(named, session, id)?;
            let me = &session.user.id;
            if channel.creator() != Some(me) && !live.is_theirs(&channel, &message, me) {
                return Err(EngineError::NotYours);
            }
            let record = ChangeRecord::Deleted { id: id.clone(), by: Some(me.clone()) };
            Ok::<Decision<()>, _>(live.change_of(&channel, &message, record))
        });
        deleted.await.map(drop)
    }

    /// Restores the last message of this id that the user deleted, with all that it had, at its old
    /// place. Returns it as JSON. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user; when they deleted no message of this id within
    /// [`RESTORABLE_FOR`](crate::domain::conversation::RESTORABLE_FOR), another message has the id by
    /// now, or 100 later ones are kept; when the session is gone, they do too much, or nothing can be
    /// stored.
    pub async fn restore(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
    ) -> Result<Bytes, EngineError> {
        self.count_change(session)?;
        let tried = AtomicU64::new(0);
        let restored = self.commit(|live| {
            live.account(session)?;
            let channel = live.find(named, session)?;
            let conversation = live.state.conversation(&channel.id);
            let conversation = conversation.ok_or(EngineError::NoSuchMessage)?;
            let (me, now) = (&session.user.id, Timestamp::from(Utc::now()));
            if let Some(message) = conversation.restored(id, me, now) {
                let message = message.clone();
                return Ok(Decision::Unchanged(message::json(&message, &channel.reference())));
            }
            let (message, deleted) =
                conversation.restorable(id, me, now).ok_or(EngineError::NoSuchMessage)?;
            // The log's clock, which decides, is ahead of this one: the time is over.
            if tried.swap(deleted.0, Ordering::Relaxed) == deleted.0 {
                return Err(EngineError::NoSuchMessage);
            }
            let key = Key::Change(channel.id.clone(), message.seq);
            let record = ChangeRecord::Restored { id: id.clone() };
            Ok(Decision::append(key, record, Expect::At(deleted)))
        });
        match restored.await? {
            Committed::Unchanged(json) => Ok(json),
            Committed::Applied(events) => {
                self.fetch_previews(session, &events);
                message_in(&events).ok_or(EngineError::NoSuchChannel)
            }
        }
    }

    /// Refuses texts of so many bytes for which there is no room, even in the place of others: no user
    /// takes more than half of what the others leave.
    pub(super) fn refuse_without_room(
        &self,
        user: &UserId,
        bytes: u64,
        replaced: u64,
    ) -> Result<(), EngineError> {
        let live = self.core.live.read();
        let (all, theirs) = (live.state.text_bytes(), live.state.text_bytes_of(user));
        let left = self.bounds.max_kept_text_bytes.saturating_sub(all - theirs);
        if bytes > replaced && theirs + bytes - replaced > left.div_ceil(2) {
            return Err(EngineError::TooLarge("there is no room for more text"));
        }
        Ok(())
    }

    /// Stores a direct conversation that has no message yet, unless somebody else was faster.
    pub(super) async fn begin(
        &self,
        session: &Session,
        named: &ChannelRef,
    ) -> Result<(), EngineError> {
        let _lock = self.creation_lock.lock().await;
        let begun = self.commit(|live| {
            let channel = live.find(named, session)?;
            let me = &live.account(session)?.person;
            let [one, other] = channel.members() else { return Ok(Decision::Unchanged(())) };
            if channel.created_at.is_some() {
                return Ok(Decision::Unchanged(()));
            }
            let directs = live.state.directs_of(me.id());
            let begun = directs.filter(|direct| direct.begun_by() == Some(me.id())).count();
            if begun >= self.bounds.max_directs_per_user {
                return Err(EngineError::LimitReached("direct conversations that you began"));
            }
            let members = [one, other].map(|member| User::clone(&member.user()));
            let record = DirectRecord { members, begun_by: Some(me.id().clone()) };
            Ok(Decision::append(Key::Direct(channel.id.clone()), record, Expect::Absent))
        });
        begun.await.map(drop)
    }
}

impl Live {
    pub(super) fn find_message(
        &self,
        named: &ChannelRef,
        session: &Session,
        id: &MessageId,
    ) -> Result<(Arc<Channel>, Arc<Message>), EngineError> {
        let channel = self.find(named, session)?;
        let conversation = self.state.conversation(&channel.id);
        let message = conversation.and_then(|conversation| conversation.message(id));
        let message = message.ok_or(EngineError::NoSuchMessage)?.clone();
        Ok((channel, message))
    }

    /// Tells whether a message is this user's, or was written by a hook that they may delete.
    pub(super) fn is_theirs(&self, channel: &Channel, message: &Message, user: &UserId) -> bool {
        let is_of_own_hook = || {
            let mut hooks = self.state.hooks_of(&channel.id);
            let author = hooks.find(|hook| hook.id.as_author() == *message.author.id());
            author.is_some_and(|hook| self.may_manage(hook, channel, user))
        };
        message.author.id() == user || message.hook.is_some() && is_of_own_hook()
    }

    /// The decision to append a change of a message, if nothing else has changed it by then.
    pub(super) fn change_of<T>(
        &self,
        channel: &Channel,
        message: &Message,
        record: ChangeRecord,
    ) -> Decision<T> {
        let conversation = self.state.conversation(&channel.id);
        let last = conversation.and_then(|conversation| conversation.last_change_of(message));
        Decision::append(Key::Change(channel.id.clone(), message.seq), record, last.into())
    }

    fn existing(
        &self,
        channel: &Channel,
        session: &Session,
        id: &MessageId,
        draft: &MessageDraft,
    ) -> Result<Existing, EngineError> {
        let conversation = self.state.conversation(&channel.id);
        let Some(message) = conversation.and_then(|conversation| conversation.message(id)) else {
            let deleted = conversation.and_then(|conversation| conversation.last_removal_of(id));
            return Ok(Existing::None { op: op_of(session, channel, id, deleted) });
        };
        if *message.author.id() != session.user.id {
            return Err(EngineError::NotYours);
        }
        let same = draft.equals(&message.content);
        let existing = if same { Existing::Same } else { Existing::Different };
        Ok(existing(message.clone()))
    }
}

/// The content of a message with the files that it is to have.
fn content_with(
    content: &Content,
    files: Option<&[ReceivedFile]>,
    present: &[crate::domain::attachment::Attachment],
) -> Result<Content, EngineError> {
    let attachments = match files {
        Some(files) => attachments(files, present),
        None => present.to_vec(),
    };
    refuse_empty(&content.text, attachments.len())?;
    Ok(Content { attachments, ..content.clone() })
}

/// The op of an author's first message under an id: the same when they put it again, so that the
/// log itself stores it once, but another one after the message was deleted.
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

/// The JSON of the message that these events posted, changed or restored.
fn message_in(events: &[Event]) -> Option<Bytes> {
    events.iter().find_map(|event| match event {
        Event::MessagePosted(channel, message)
        | Event::MessageUpdated(channel, message)
        | Event::MessageRestored(channel, message) => {
            Some(message::json(message, &channel.reference()))
        }
        _ => None,
    })
}
