//! Search in the kept messages.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::limits::Cost;
use super::weak_map::WeakMap;
use super::{Engine, EngineError};
use crate::domain::channel::Channel;
use crate::domain::conversation::Conversation;
use crate::domain::ids::UserId;
use crate::domain::message::Message;
use crate::domain::search::Words;
use crate::domain::user::Session;
use crate::wire::message;

/// Largest number of messages found: the newest.
const MAX_FOUND: usize = 50;

/// A lock of each user who is searching: a user searches one thing at a time.
pub(super) type SearchLocks = WeakMap<UserId, Mutex<()>>;

impl Engine {
    /// The kept messages that have all of these words, parted by white space, in their text or in a
    /// file's name, in any channel that this user can read; newest first, as JSON. Words are
    /// compared after NFKC and case folding. No words, no messages. O(what is kept), on a thread of
    /// its own.
    ///
    /// # Errors
    ///
    /// When they search too much.
    pub async fn search(&self, session: &Session, words: &str) -> Result<Vec<Bytes>, EngineError> {
        let texts = self.core.live.read().state.message_count();
        self.count_read(session, Cost::of_search(texts))?;
        let words = Words::parse(words);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let lock = self.search_locks.get_or_make(session.user.id.clone(), Mutex::default);
        let _lock = lock.lock().await;
        let channels: Vec<_> = {
            let live = self.core.live.read();
            let conversation = |channel: &Arc<Channel>| {
                Some((channel.clone(), live.state.conversation(&channel.id)?.clone()))
            };
            live.state.channels_of(&session.user.id).filter_map(conversation).collect()
        };
        let found = spawn_blocking(move || find(&channels, &words)).await;
        found.map_err(|error| {
            log::error!("A search ended early: {error}.");
            EngineError::Defect
        })
    }
}

fn find(channels: &[(Arc<Channel>, Arc<Conversation>)], words: &Words) -> Vec<Bytes> {
    let mut found: Vec<(&Arc<Message>, &Arc<Channel>)> = Vec::new();
    for (channel, conversation) in channels {
        let has_all = |message: &&Arc<Message>| words.all_in(|word| message.content.contains(word));
        let matching = conversation.messages().rev().filter(has_all);
        found.extend(matching.take(MAX_FOUND).map(|message| (message, channel)));
    }
    found.sort_by_key(|(message, _)| std::cmp::Reverse(message.seq));
    found.truncate(MAX_FOUND);
    found.into_iter().map(|(found, channel)| message::json(found, &channel.reference())).collect()
}
