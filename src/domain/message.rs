//! Messages as the state keeps them: text, content, and what is computed from them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::domain::attachment::Attachment;
use crate::domain::hook::HookMark;
use crate::domain::ids::{AttachmentId, MessageId, Seq, UserId};
use crate::domain::names::is_blank;
use crate::domain::preview::{Preview, Previews};
use crate::domain::reaction::ReactionGroup;
use crate::domain::search::folded;
use crate::domain::time::Timestamp;
use crate::domain::user::Person;

/// The text of a message: at most 4,000 code points, trimmed, without NUL, its lines ended by `\n`.
/// It is empty only where the message has files.
///
/// These rules are for what people send ([`FromStr`]); a text that is read back from a record is
/// taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

/// The reason why something cannot be a message's [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is longer than [`Text::MAX_CHARS`].
    #[error("a message has at most 4,000 characters, this one has {chars}")]
    TooLong {
        /// The number of its code points.
        chars: usize,
    },
    /// It contains NUL.
    #[error("a message cannot contain the NUL character")]
    Nul,
}

impl Text {
    /// The longest text, in code points.
    pub const MAX_CHARS: usize = 4_000;

    /// Tells whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether nothing of the text can be seen: it is empty, or of invisible characters.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.chars().all(is_blank)
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
        let lines = with_plain_line_ends(typed);
        let text = lines.trim();
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        match text.chars().count() {
            chars if chars > Self::MAX_CHARS => Err(TextError::TooLong { chars }),
            _ => Ok(Self(text.into())),
        }
    }
}

/// The same text with CR LF and CR as LF: forms end lines by CR LF, whatever was typed.
fn with_plain_line_ends(typed: &str) -> Cow<'_, str> {
    if !typed.contains('\r') {
        return typed.into();
    }
    typed.replace("\r\n", "\n").replace('\r', "\n").into()
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The content of a message: the part that an edit replaces. Its HTML and mentions are made once,
/// in the author's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The text, as Markdown.
    pub text: Text,
    /// The text rendered to safe HTML; `None` where that is the text as one paragraph, but in records.
    pub html: Option<Box<str>>,
    /// The users whom the text names, each once.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub mentions: Box<[UserId]>,
    /// The files, in the order in which they were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The [folded] text for searches; `None` where folding only changes ASCII case, or before
    /// [`with_folded_text`](Self::with_folded_text).
    #[serde(skip)]
    pub folded: Option<Box<str>>,
}

/// The beginning and the end of the rendering of a text that is one paragraph.
const PARAGRAPH: &str = "<p>";
const PARAGRAPH_END: &str = "</p>";

impl Content {
    /// Adds the folded text. Called once, before the state's lock is taken.
    #[must_use]
    pub fn with_folded_text(self) -> Self {
        let text = self.text.as_str();
        let folded = (!text.is_ascii()).then(|| folded(text).into());
        Self { folded, ..self }
    }

    /// Leaves the rendering out where it is the text as one paragraph, as most are: then
    /// [`html`](Self::html) makes it again.
    #[must_use]
    pub fn without_plain_html(self) -> Self {
        let html = self.html.filter(|html| {
            let inner = html.strip_prefix(PARAGRAPH).and_then(|it| it.strip_suffix(PARAGRAPH_END));
            inner != Some(self.text.as_str())
        });
        Self { html, ..self }
    }

    /// Puts the rendering in again where it was left out: records hold it.
    #[must_use]
    pub fn with_html(self) -> Self {
        let html = self.html().into();
        Self { html: Some(html), ..self }
    }

    /// The rendering.
    #[must_use]
    pub fn html(&self) -> Cow<'_, str> {
        match &self.html {
            Some(html) => (&**html).into(),
            None => format!("{PARAGRAPH}{}{PARAGRAPH_END}", self.text.as_str()).into(),
        }
    }

    /// The number of bytes of text and rendering.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        let text = self.text.as_str().len();
        let plain = PARAGRAPH.len() + text + PARAGRAPH_END.len();
        let html = self.html.as_ref().map_or(plain, |html| html.len());
        (text + html) as u64
    }

    /// Tells whether the text or a file's name contains this [folded] word.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        let in_text = match &self.folded {
            Some(folded) => folded.contains(word),
            None => folded(self.text.as_str()).contains(word),
        };
        in_text || self.attachments.iter().any(|file| folded(file.name.as_str()).contains(word))
    }
}

/// A kept message in its present form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The entry that posted it. It orders a channel's messages and never changes.
    pub seq: Seq,
    /// The id within the channel.
    pub id: MessageId,
    /// The user or hook who wrote it.
    pub author: Arc<Person>,
    /// Set where a hook wrote it: the author is no user then.
    pub hook: Option<Box<HookMark>>,
    /// The present content.
    pub content: Content,
    /// The time of the entry that posted it.
    pub sent_at: Timestamp,
    /// The time of the last edit.
    pub edited_at: Option<Timestamp>,
    /// The reactions, in the order in which each was first given.
    pub reactions: Box<[ReactionGroup]>,
    /// The previews of its links; `None` where they are [as at the beginning](Previews::is_default).
    pub previews: Option<Box<Previews>>,
    /// The entry that last changed it, if any did.
    pub changed: Option<Seq>,
    /// A cache for its encoded form.
    pub rendering: RenderingCache,
}

impl Message {
    /// The users whose names it shows: the author, then all who reacted.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        let reacted = self.reactions.iter().flat_map(|reacted| &reacted.users);
        std::iter::once(&self.author).chain(reacted)
    }

    /// Returns the cached bytes, or those of `make` where there are none or a user whom the message
    /// shows was renamed since.
    pub fn rendered(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        let renames = self.people().map(|person| u64::from(person.renames())).sum();
        if let Some((at, bytes)) = &*self.rendering.0.lock()
            && *at == renames
        {
            return bytes.clone();
        }
        let bytes = make();
        *self.rendering.0.lock() = Some((renames, bytes.clone()));
        bytes
    }

    /// The size of the text and its HTML, and of the texts of previews, in bytes.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.content.text_bytes() + self.previews.as_ref().map_or(0, |it| it.text_bytes())
    }

    /// The previews that it shows.
    #[must_use]
    pub fn previews(&self) -> &[Preview] {
        self.previews.as_ref().map_or(&[], |previews| &previews.shown)
    }

    /// Tells whether its author has hidden its previews.
    #[must_use]
    pub fn hides_previews(&self) -> bool {
        self.previews.as_ref().is_some_and(|previews| previews.hidden)
    }

    /// The files that it has, those of previews too, each with its size in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&AttachmentId, u64)> {
        let attached = self.content.attachments.iter().map(|file| (&file.id, file.size));
        let pictures = self.previews().iter().filter_map(|preview| preview.picture.as_ref());
        attached.chain(pictures.map(|picture| (&picture.id, picture.size)))
    }
}

/// A cache of a message's encoded bytes, with the sum of its people's [renames](Person::renames) at
/// that time. It is no part of the message: clones are empty, and all compare equal.
#[derive(Debug, Default)]
pub struct RenderingCache(Mutex<Option<(u64, Bytes)>>);

impl Clone for RenderingCache {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for RenderingCache {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RenderingCache {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full server holds hundreds of thousands of them, and the next larger block of the allocator
    /// has 320 bytes.
    #[test]
    fn a_shared_message_fits_256_bytes() {
        let counters = 2 * size_of::<usize>();
        assert!(counters + size_of::<Message>() <= 256, "{}", size_of::<Message>());
    }

    #[test]
    fn a_text_is_trimmed_and_bounded() {
        assert_eq!(" hi \n".parse::<Text>().expect("a text").as_str(), "hi");
        assert_eq!("🚀".repeat(4_000).parse::<Text>().map(|_| ()), Ok(()));
        assert_eq!("x".repeat(4_001).parse::<Text>(), Err(TextError::TooLong { chars: 4_001 }));
        assert!(" \u{2003}\n".parse::<Text>().expect("a text").is_empty());
        assert_eq!("a\0b".parse::<Text>(), Err(TextError::Nul));
    }

    #[test]
    fn a_line_ends_the_same_way_however_it_was_sent() {
        for (typed, text) in [
            ("one\r\ntwo", "one\ntwo"),
            ("one\rtwo", "one\ntwo"),
            ("one\ntwo", "one\ntwo"),
            ("\r\n一行\r\n\r\n二行\r\n", "一行\n\n二行"),
            ("سطر\r\rسطر", "سطر\n\nسطر"),
            ("a\r\r\nb", "a\n\nb"),
            ("a\n\rb", "a\n\nb"),
            ("```\r\nlet a;\r\n```\r", "```\nlet a;\n```"),
            // Unicode's own line separators are characters like others.
            ("a\u{2028}b\u{85}c", "a\u{2028}b\u{85}c"),
        ] {
            assert_eq!(typed.parse::<Text>().expect("a text").as_str(), text, "{typed:?}");
        }
        let lines = "a\r\n".repeat(2_000);
        assert_eq!(lines.parse::<Text>().expect("a text").as_str().len(), 3_999);
    }
}
