//! Reactions, and the passing sign that somebody is typing.

use serde_json::json;
use tokio::sync::Mutex;

use super::room::Content;
use super::{Attempt, Engine, EngineError, MAX_DECISIONS};
use crate::domain::channel::ChannelRef;
use crate::domain::entry::ChangeRecord;
use crate::domain::event::frame;
use crate::domain::ids::{MessageId, Seq};
use crate::domain::reaction::{Reacted, Reaction};
use crate::domain::user::{Session, User};

/// How many reactions a message takes, of all kinds and people together.
const MAX_REACTIONS: usize = 1_000;
/// How many messages can be reacted to at a time, at most.
const LANES: usize = 64;

/// Held while a reaction to a message is decided and stored: a hundred who react at once would
/// only make each other decide again.
pub(super) struct Reacting([Mutex<()>; LANES]);

impl Default for Reacting {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Reacting {
    /// The lane of the message of this sequence. Few others share it.
    fn lane(&self, message: Seq) -> &Mutex<()> {
        let [.., low] = message.0.to_be_bytes();
        &self.0[usize::from(low) % LANES]
    }
}

impl Engine {
    /// Answers a message with a reaction. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, the message has
    /// too many already, they react too fast, the session is gone, or nothing can be stored.
    pub async fn react(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        reaction: &Reaction,
    ) -> Result<(), EngineError> {
        self.change_reactions(session, named, id, |reactions, me| {
            let given = reactions.iter().map(|reacted| reacted.users.len()).sum::<usize>();
            let known = reactions.iter().position(|reacted| reacted.reaction == *reaction);
            match known.map(|at| &mut reactions[at].users) {
                Some(users) if users.iter().any(|user| user.id == me.id) => return Ok(false),
                _ if given >= MAX_REACTIONS => {
                    return Err(EngineError::NotAllowed("this message has reactions enough"));
                }
                Some(users) => users.push(me.clone()),
                None => {
                    let (reaction, users) = (reaction.clone(), vec![me.clone()]);
                    reactions.push(Reacted { reaction, users });
                }
            }
            Ok(true)
        })
        .await
    }

    /// Takes a reaction back. Where there is none, nothing changes.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, they react too fast,
    /// the session is gone, or nothing can be stored.
    pub async fn unreact(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        reaction: &Reaction,
    ) -> Result<(), EngineError> {
        self.change_reactions(session, named, id, |reactions, me| {
            let before = reactions.clone();
            for reacted in reactions.iter_mut().filter(|reacted| reacted.reaction == *reaction) {
                reacted.users.retain(|user| user.id != me.id);
            }
            reactions.retain(|reacted| !reacted.users.is_empty());
            Ok(*reactions != before)
        })
        .await
    }

    /// Says to those who listen to a channel that this user is typing. Nothing of it lasts.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or they do too much.
    pub fn typing(&self, session: &Session, named: &ChannelRef) -> Result<(), EngineError> {
        self.count_change(session)?;
        let room = {
            let live = self.core.live.read();
            let channel = live.find(named, session)?;
            live.rooms.get(&channel.id)
        };
        if let Some(room) = room {
            let typing = json!({ "user": session.user }).to_string();
            room.say(None, Content::Shared(frame("typing", None, typing.as_bytes())));
            room.wake();
        }
        Ok(())
    }

    /// Decides what a message's reactions become and stores that, unless nothing changes.
    async fn change_reactions(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        decide: impl Fn(&mut Vec<Reacted>, &User) -> Result<bool, EngineError> + Send + Sync,
    ) -> Result<(), EngineError> {
        let decide = || {
            let live = self.core.live.read();
            let me = live.account(session)?.user.clone();
            let (_, message) = live.find_message(named, session, id)?;
            let mut reactions = message.reactions.clone();
            if !decide(&mut reactions, &me)? {
                return Ok::<_, EngineError>(None);
            }
            let edited_at = message.edited_at;
            let content = edited_at.is_some().then(|| message.content.clone());
            let change = ChangeRecord::Present { content, edited_at, reactions };
            Ok(Some((message.seq, message.changed, change)))
        };
        let Some((seq, ..)) = decide()? else { return Ok(()) };
        self.count_post(session)?;
        let _turn = self.reacting.lane(seq).lock().await;
        for _ in 0..MAX_DECISIONS {
            let Some((seq, changed, change)) = decide()? else { return Ok(()) };
            match self.change(session, named, seq, changed, &change).await? {
                Attempt::Done(_) => return Ok(()),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }
}
