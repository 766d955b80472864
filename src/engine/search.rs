//! Search in what is kept.

use std::cmp::Reverse;

use bytes::Bytes;

use super::{Engine, EngineError};
use crate::domain::channel::{Channel, Conversation};
use crate::domain::ids::Seq;
use crate::domain::message::Message;
use crate::domain::user::Session;

/// How many messages are found at most: the newest.
const MAX_FOUND: usize = 50;
/// How many words are looked for; more are ignored.
const MAX_WORDS: usize = 16;

impl Engine {
    /// The messages that have all of these words, parted by white space, in their text or in a
    /// file's name, whatever their case, in any channel that this user can read; newest first, as
    /// JSON: `{"messages": […]}`. No words, no messages. O(what is kept).
    ///
    /// # Errors
    ///
    /// When they search too much.
    pub fn search(&self, session: &Session, words: &str) -> Result<Bytes, EngineError> {
        self.count_change(session)?;
        let words = words.to_lowercase();
        let words: Vec<_> = words.split_whitespace().take(MAX_WORDS).collect();
        let mut found = Vec::new();
        if !words.is_empty() {
            let me = &session.user.id;
            let channels: Vec<Channel> =
                self.core.live.read().state.channels_of(me).cloned().collect();
            for channel in channels {
                self.search_in(&channel, &words, &mut found);
            }
        }
        found.sort_by_key(|(seq, _)| Reverse(*seq));
        let live = self.core.live.read();
        let messages = found.iter().take(MAX_FOUND).filter_map(|(seq, channel)| {
            let message = live.state.conversation(&channel.id)?.message_at(*seq)?;
            Some(message.json(&channel.called()))
        });
        let messages: Vec<_> = messages.collect();
        Ok([b"{\"messages\":[", &messages.join(&b","[..])[..], b"]}"].concat().into())
    }

    /// Takes the lock for one channel alone, so that nobody waits long for it.
    fn search_in(&self, channel: &Channel, words: &[&str], found: &mut Vec<(Seq, Channel)>) {
        let live = self.core.live.read();
        let messages = live.state.conversation(&channel.id).map(Conversation::messages);
        let newest = messages.into_iter().flatten().rev();
        let matching = newest.filter(|message| has(message, words)).take(MAX_FOUND);
        found.extend(matching.map(|message| (message.seq, channel.clone())));
    }
}

fn has(message: &Message, words: &[&str]) -> bool {
    let mut said = message.content.text.as_str().to_lowercase();
    for attachment in &message.content.attachments {
        said.push('\n');
        said.push_str(&attachment.name.as_str().to_lowercase());
    }
    words.iter().all(|word| said.contains(word))
}
