//! Previews of links: what is kept of the pages that a message links to.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::attachment::Attachment;
use crate::domain::ids::AttachmentId;
use crate::domain::media_type::{Dimensions, MediaType};
use crate::domain::names::{general_category, is_blank};

/// Largest number of links of one message that have a preview: the first ones.
pub const MAX_PREVIEWS: usize = 3;

/// The previews of a message's links, in the order of the links, and whether its author wants any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previews {
    /// The previews that there are; none while they are hidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Preview>,
    /// True once the author has hidden them: then none are fetched, either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

impl Previews {
    /// Tells whether this is what a message begins with.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.shown.is_empty() && !self.hidden
    }

    /// The previews that are left when the message has these links.
    #[must_use]
    pub fn of_links(&self, links: &[Box<str>]) -> Self {
        let of = |link: &str| self.shown.iter().find(|preview| *preview.url == *link).cloned();
        Self { shown: links.iter().filter_map(|link| of(link)).collect(), hidden: self.hidden }
    }

    /// The size of all texts, in bytes.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.shown.iter().map(Preview::text_bytes).sum()
    }
}

/// What a page said of itself when it was fetched. All texts are as [`line()`] leaves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The link, as the message has it.
    pub url: Box<str>,
    /// The host, and what the page calls its site.
    pub site: Box<str>,
    /// The title.
    pub title: Box<str>,
    /// The description; may be empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub description: Box<str>,
    /// The picture, of which this server has a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

impl Preview {
    /// The size of its texts, in bytes.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        (self.url.len() + self.site.len() + self.title.len() + self.description.len()) as u64
    }
}

/// The picture of a preview, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The id under which the bytes are stored, among those of files.
    pub id: AttachmentId,
    /// The media type, worked out from the bytes: one that is shown in place.
    pub media_type: MediaType,
    /// The size, in bytes.
    pub size: u64,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// The width and height, measured in the bytes.
    #[serde(flatten)]
    pub dimensions: Dimensions,
}

impl Picture {
    /// The picture that a stored file is; `None` where it is nothing to be shown in place.
    #[must_use]
    pub fn of(file: &Attachment) -> Option<Self> {
        let dimensions = file.dimensions?;
        Some(Self {
            id: file.id.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
            dimensions,
        })
    }
}

/// A text of a page as one line of at most so many characters, with `…` where it was cut. Controls and
/// formats that could change how its neighbours are read are left out; joiners stay.
///
/// ```
/// use houston::domain::preview::line;
///
/// assert_eq!(&*line(" A \n title\u{202E}\0 ", 20), "A title");
/// assert_eq!(&*line("one two three", 8), "one two…");
/// ```
#[must_use]
pub fn line(text: &str, max_chars: usize) -> Box<str> {
    use icu_properties::props::GeneralCategory as G;
    let is_format = |c: char| {
        let joins = matches!(c, '\u{200C}' | '\u{200D}' | '\u{E0020}'..='\u{E007F}');
        !joins && matches!(general_category(c), G::Format | G::Unassigned | G::PrivateUse)
            || c.is_control()
    };
    let mut line = String::new();
    let words = text.split_whitespace().map(|word| word.replace(is_format, ""));
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
        // What follows cannot be seen, however much it is.
        if line.len() > 4 * max_chars {
            break;
        }
    }
    if line.chars().all(is_blank) {
        return Box::default();
    }
    let Some((end, _)) = line.char_indices().nth(max_chars) else { return line.into() };
    let room = line[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    let ends = line.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= room);
    let kept = ends.last().unwrap_or_default();
    format!("{}…", line[..kept].trim_end()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(&*line(text, 10), expected, "{text:?}");
    }

    #[test]
    fn a_text_of_a_page_becomes_one_short_line() {
        check("  two\r\n\tlines\u{2028}", "two lines");
        check("0123456789", "0123456789");
        check("0123456789a", "012345678…");
        check("01234567 9 b", "01234567…");
        check("日本語の長い長い題名です", "日本語の長い長い題…");
        // Nothing is cut within what people see as one character.
        check("0123456👩🏽\u{200D}🚀 and more", "0123456…");
        check("👩🏽\u{200D}🚀 ok", "👩🏽\u{200D}🚀 ok");
        check("می\u{200C}خواهم", "می\u{200C}خواهم");
    }

    #[test]
    fn what_is_not_to_be_seen_is_left_out() {
        check("\u{202E}evil\u{202C}\0\u{7}", "evil");
        check("a\u{200B}b\u{FEFF}\u{2066}c", "abc");
        for blank in ["", " \n ", "\u{200B}", "\u{2800}", "\u{200D}", "\u{E000}"] {
            check(blank, "");
        }
    }
}
