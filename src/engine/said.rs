//! What somebody says, and what is made of it before it is stored.

use parking_lot::RwLock;

use super::files::Received;
use super::{Engine, EngineError, Live};
use crate::domain::attachment::Attachment;
use crate::domain::ids::UserId;
use crate::domain::markdown::{self, Rendered};
use crate::domain::mentions::Directory;
use crate::domain::message::{Content, Text};
use crate::domain::names::{ChannelName, DisplayName};

/// What somebody says: a text, files, or both.
pub struct Said {
    /// May be empty where there are files.
    pub text: Text,
    /// The files that the message is to have. `None` leaves a message with those that it has.
    /// Where there are any, the message was counted when they were admitted.
    pub files: Option<Vec<Received>>,
}

impl From<Text> for Said {
    /// A text alone.
    fn from(text: Text) -> Self {
        Self { text, files: None }
    }
}

impl Said {
    /// Whether a message says just this already.
    pub(super) fn is_in(&self, content: &Content) -> bool {
        let same_files = |files: &Vec<Received>| {
            let sent = files.iter().map(Received::attachment);
            files.len() == content.attachments.len()
                && sent.zip(&content.attachments).all(|(sent, kept)| sent.same_as(kept))
        };
        content.text == self.text && self.files.as_ref().is_none_or(same_files)
    }
}

impl Engine {
    /// What is made of a text once, before it is stored; without files.
    pub(super) fn content(&self, text: Text) -> Content {
        let Rendered { html, mentions } = markdown::render(&text, &Names(&self.core.live));
        Content { text, html, mentions, attachments: Vec::new() }
    }
}

pub(super) fn refuse_empty(text: &Text, attachments: &[Attachment]) -> Result<(), EngineError> {
    let empty = text.is_empty() && attachments.is_empty();
    if empty { Err(EngineError::EmptyMessage) } else { Ok(()) }
}

/// Whom and what a text may name now. Looks them up one by one: rendering holds no lock.
struct Names<'a>(&'a RwLock<Live>);

impl Directory for Names<'_> {
    fn user(&self, name: &DisplayName) -> Option<UserId> {
        self.0.read().state.holder(name).map(|account| account.user.id.clone())
    }

    fn has_channel(&self, name: &ChannelName) -> bool {
        self.0.read().state.channel_named(name).is_some()
    }
}
