//! Texts: what people type, and how it is shown.
//!
//! A message's text is Markdown: CommonMark (0.31) with GitHub's tables, task lists and
//! strikethrough (GFM 0.29), without raw HTML and images, with line breaks kept. Bare addresses,
//! mentions, channel names and emoji shortcodes are found in the text as it was written, in one pass
//! (`signs`), outside code and links (`outline`); then a placeholder stands for each while Markdown is
//! read (`protected`), so that nothing in them is taken for emphasis or else. What was drawn
//! (`drawing`) is cleaned by an allow list (`clean`).

mod address;
mod clean;
mod drawing;
pub mod layout;
pub mod links;
mod mentions;
pub mod mrkdwn;
mod outline;
mod protected;
mod script;
pub mod shortcodes;
mod signs;

use std::fmt;

use pulldown_cmark::{Parser, html};
use pulldown_cmark_escape::escape_html_body_text;

pub use self::clean::ELEMENTS;
use self::clean::clean;
use self::drawing::Drawing;
pub use self::mentions::Directory;
use self::outline::{OPTIONS, Outline};
use self::protected::Protected;
use self::signs::{PlacedSign, Sign, signs};
use crate::domain::ids::UserId;
use crate::domain::message::Text;

/// A text rendered to HTML, with the users whom it mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Safe HTML.
    pub html: String,
    /// The users whom it calls, each once, in the order of their first mention.
    pub mentions: Vec<UserId>,
}

/// Largest size of a text's HTML, in bytes: a few characters can ask for much.
pub const MAX_HTML_BYTES: usize = 32 * 1024;

/// Renders a message's text. The result holds only the elements of [`ELEMENTS`], links to `http`,
/// `https`, `mailto` and channels of this server, and a few attributes that no style or script comes
/// of, such as the user of a mention: `<a href="/channels/%40Ada" data-user="<user id>">@Ada</a>`.
///
/// A text whose HTML would be longer than [`MAX_HTML_BYTES`], too deep, or empty to the eye is shown as it
/// was written. Its mentions count all the same, those in code as well where it is too deep. A text that is
/// blank has no HTML.
#[must_use]
pub fn render(text: &Text, directory: &dyn Directory) -> Rendered {
    if text.is_blank() {
        return Rendered::default();
    }
    let text = text.as_str();
    let outline = Outline::of(text);
    let signs = signs(text, &outline, directory);
    let mentions = called(&signs);
    let drawn = if outline.is_too_much {
        None
    } else {
        drawn(&Protected::of(text, signs, &outline.breaks))
    };
    Rendered { html: drawn.unwrap_or_else(|| as_written(text)), mentions }
}

/// The users who are called by these signs, each once.
fn called(signs: &[PlacedSign]) -> Vec<UserId> {
    let mut called = Vec::new();
    for placed in signs.iter().filter(|placed| !placed.is_quoted) {
        if let Sign::User(id) = &placed.sign
            && !called.contains(id)
        {
            called.push(id.clone());
        }
    }
    called
}

/// The text as HTML; `None` where that would be too long, or nothing to see.
fn drawn(text: &Protected<'_>) -> Option<String> {
    let mut drawing = Drawing::of(Parser::new_ext(&text.source, OPTIONS), text);
    let mut html = Bounded(String::with_capacity(text.source.len() * 2));
    html::write_html_fmt(&mut html, &mut drawing).ok()?;
    if !drawing.shows_something {
        return None;
    }
    let mut html = clean(&html.0);
    html.truncate(html.trim_end().len());
    (html.len() <= MAX_HTML_BYTES).then_some(html)
}

/// The text as one paragraph, its line breaks kept.
fn as_written(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 7);
    html.push_str("<p>");
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            html.push_str("<br>\n");
        }
        // Memory does not fail.
        let _ = escape_html_body_text(&mut html, line);
    }
    html.push_str("</p>");
    clean(&html)
}

/// HTML that refuses to become longer than [`MAX_HTML_BYTES`].
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() + more.len() > MAX_HTML_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
