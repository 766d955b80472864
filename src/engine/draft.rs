//! The draft of a message, and its rendering before it is stored.

use parking_lot::RwLock;

use super::files::ReceivedFile;
use super::{Engine, EngineError, Live};
use crate::domain::ids::UserId;
use crate::domain::message::{Content, Text};
use crate::domain::text::{self, Directory, Rendered};

/// A message that is being sent: a text, files, or both.
pub struct MessageDraft {
    /// The text; may be empty where there are files.
    pub text: Text,
    /// The files that the message is to have. `None` leaves a message with those that it has.
    /// Where there are any, the message was counted when they were admitted.
    pub files: Option<Vec<ReceivedFile>>,
}

impl From<Text> for MessageDraft {
    /// A draft of text alone.
    fn from(text: Text) -> Self {
        Self { text, files: None }
    }
}

impl MessageDraft {
    /// True when a message has this text and these files already.
    pub(super) fn equals(&self, content: &Content) -> bool {
        let same_files = |files: &Vec<ReceivedFile>| {
            let sent = files.iter().map(ReceivedFile::attachment);
            files.len() == content.attachments.len()
                && sent.zip(&content.attachments).all(|(sent, kept)| sent.same_as(kept))
        };
        content.text == self.text && self.files.as_ref().is_none_or(same_files)
    }
}

impl Engine {
    /// The content of a message with this text: its rendering and mentions, still without files.
    pub(super) fn content_of(&self, text: Text) -> Content {
        let rendered = text::render(&text, &self.names());
        content_as(text, rendered)
    }

    /// The users and channels that a text may name.
    pub(super) fn names(&self) -> impl Directory + '_ {
        Names(&self.core.live)
    }
}

/// The content of a message with this text and rendering, still without files.
pub(super) fn content_as(text: Text, Rendered { html, mentions }: Rendered) -> Content {
    let (html, mentions) = (Some(html.into()), mentions.into());
    Content { text, html, mentions, attachments: Vec::new(), folded: None }
}

/// Refuses a message of which nothing could be seen: without text, or one of invisible characters
/// alone, that has no files either.
pub(super) fn refuse_empty(text: &Text, files: usize) -> Result<(), EngineError> {
    if text.is_blank() && files == 0 { Err(EngineError::EmptyMessage) } else { Ok(()) }
}

/// The users and channels that a text may name. Each is looked up by itself: rendering holds no
/// lock.
struct Names<'a>(&'a RwLock<Live>);

impl Directory for Names<'_> {
    fn user(&self, compared: &str) -> Option<UserId> {
        self.0.read().state.holder_of(compared).map(|account| account.person.id().clone())
    }

    fn has_channel(&self, name: &str) -> bool {
        self.0.read().state.has_channel(name)
    }
}
