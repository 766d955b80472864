//! Messages: what is kept of them, and what clients see.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::attachment::{Attachment, AttachmentView};
use crate::domain::ids::{MessageId, Seq, UserId};
use crate::domain::reaction::Reacted;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// What a message says: at most 4,000 code points, trimmed, without NUL. Only a message with files
/// can say nothing.
///
/// These rules are for what people send ([`FromStr`]); a text that is read back from a record is
/// taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

/// Why something cannot be a message's [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More than [`Text::MAX_CHARS`].
    #[error("a message has at most 4,000 characters, this one has {chars}")]
    TooLong {
        /// How many code points it has.
        chars: usize,
    },
    /// NUL cannot be kept.
    #[error("a message cannot contain the NUL character")]
    Nul,
}

impl Text {
    /// The longest text, in code points.
    pub const MAX_CHARS: usize = 4_000;

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as it was sent, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = TextError;

    fn from_str(typed: &str) -> Result<Self, TextError> {
        let text = typed.trim();
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        match text.chars().count() {
            chars if chars > Self::MAX_CHARS => Err(TextError::TooLong { chars }),
            _ => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text with what is made of it once, in its author's request: the part of a message that an
/// edit replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What was sent.
    pub text: Text,
    /// Its safe rendering.
    pub html: String,
    /// Whom it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// Its files, in the order in which they were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// A message that is kept.
#[derive(Clone, Debug)]
pub struct Message {
    /// The entry that brought it: orders a channel's messages and never changes.
    pub seq: Seq,
    /// Its id within the channel.
    pub id: MessageId,
    /// Who wrote it, under the name they last had.
    pub author: User,
    /// What it says now.
    pub content: Content,
    /// When the log took it.
    pub sent_at: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// What was answered to it, in the order of the first of each.
    pub reactions: Vec<Reacted>,
    /// The entry that last changed it, if any did.
    pub changed: Option<Seq>,
    /// Its JSON, made at the first look and forgotten when something in it changes.
    pub(crate) json: OnceLock<Bytes>,
}

impl Message {
    /// The message as clients see it, as JSON, made at most once per change.
    ///
    /// `channel` is what the channel is called in it.
    ///
    /// # Panics
    ///
    /// Never: a message always has a JSON form.
    #[must_use]
    pub fn json(&self, channel: &str) -> Bytes {
        let encode = || serde_json::to_vec(&self.view(channel)).expect("plain data").into();
        self.json.get_or_init(encode).clone()
    }

    /// Everybody who appears in it by name.
    pub(crate) fn people(&self) -> impl Iterator<Item = &User> {
        let reacted = self.reactions.iter().flat_map(|reacted| &reacted.users);
        std::iter::once(&self.author).chain(reacted)
    }

    /// The same, to be called otherwise.
    pub(crate) fn people_mut(&mut self) -> impl Iterator<Item = &mut User> {
        let reacted = self.reactions.iter_mut().flat_map(|reacted| &mut reacted.users);
        std::iter::once(&mut self.author).chain(reacted)
    }

    /// The message as clients see it.
    #[must_use]
    pub fn view<'a>(&'a self, channel: &'a str) -> MessageView<'a> {
        MessageView {
            id: &self.id,
            seq: self.seq,
            channel,
            author: &self.author,
            text: &self.content.text,
            html: &self.content.html,
            sent_at: self.sent_at,
            edited_at: self.edited_at,
            attachments: self.content.attachments.iter().map(Attachment::view).collect(),
            reactions: &self.reactions,
        }
    }
}

/// A message in the shape of the HTTP API.
#[derive(Clone, Debug, Serialize)]
pub struct MessageView<'a> {
    id: &'a MessageId,
    seq: Seq,
    channel: &'a str,
    author: &'a User,
    text: &'a Text,
    html: &'a str,
    sent_at: Timestamp,
    edited_at: Option<Timestamp>,
    attachments: Vec<AttachmentView<'a>>,
    reactions: &'a [Reacted],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_bounded() {
        assert_eq!(" hi \n".parse::<Text>().expect("a text").as_str(), "hi");
        assert_eq!("🚀".repeat(4_000).parse::<Text>().map(|_| ()), Ok(()));
        assert_eq!("x".repeat(4_001).parse::<Text>(), Err(TextError::TooLong { chars: 4_001 }));
        assert!(" \u{2003}\n".parse::<Text>().expect("a text").is_empty());
        assert_eq!("a\0b".parse::<Text>(), Err(TextError::Nul));
    }
}
