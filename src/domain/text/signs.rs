//! The one pass over a text as it was written: bare addresses, mentions, channel names and emoji
//! shortcodes.

use std::ops::Range;

use super::address;
use super::mentions::{Directory, Folds, Named, longest_channel, longest_user};
use super::outline::Outline;
use super::script::{Grapheme, graphemes};
use super::shortcodes::{MAX_BYTES, emoji_named};
use crate::domain::ids::UserId;

/// Something in a text that is drawn as one, whatever Markdown would make of its characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A bare address.
    Address,
    /// A user, as by `@Ada`.
    User(UserId),
    /// A public channel, as by `#general`.
    Channel,
    /// Everybody who has the channel open, `@here`.
    Here,
    /// An emoji, as by `:tada:`.
    Emoji(&'static str),
    /// A character that Markdown would take for more.
    Literal,
}

/// A sign with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlacedSign {
    /// Its bytes in the text.
    pub(super) range: Range<usize>,
    /// What it is.
    pub(super) sign: Sign,
    /// True in a quotation, where nobody is called.
    pub(super) is_quoted: bool,
}

/// Finds the signs of a text, in order. They do not overlap, and none is in code or in a link.
///
/// A sign begins anywhere but right after a letter or digit of a script that is written with spaces
/// (mail addresses mention nobody). A name is the longest that somebody holds, compared as names
/// are; it ends with a grapheme, and not within a word of such a script.
pub(super) fn signs(text: &str, outline: &Outline, directory: &dyn Directory) -> Vec<PlacedSign> {
    let mut found = Vec::new();
    if may_have_signs(text) {
        let graphemes = graphemes(text);
        let folds = Folds::of(&graphemes);
        Pass { text, graphemes, folds, outline, directory }.run(&mut found);
    }
    let is_free = |at: usize| {
        let next = found.partition_point(|sign| sign.range.start <= at);
        next.checked_sub(1).is_none_or(|last| found[last].range.end <= at)
    };
    let literals = outline.literals.iter().copied().filter(|at| is_free(*at));
    let literals: Vec<_> = literals
        .map(|at| PlacedSign { range: at..at + 1, sign: Sign::Literal, is_quoted: false })
        .collect();
    found.extend(literals);
    found.sort_by_key(|sign| sign.range.start);
    found
}

fn may_have_signs(text: &str) -> bool {
    text.contains(['@', '＠', '#', '＃', ':'])
}

struct Pass<'a, 't> {
    text: &'t str,
    graphemes: Vec<Grapheme<'t>>,
    folds: Folds,
    outline: &'a Outline,
    directory: &'a dyn Directory,
}

impl Pass<'_, '_> {
    fn run(mut self, found: &mut Vec<PlacedSign>) {
        let mut next = 0;
        // True where a sign may begin although a letter stands before.
        let mut begins = true;
        while let Some(&grapheme) = self.graphemes.get(next) {
            if let Some(end) = self.outline.opaque_until(grapheme.at) {
                self.find_emoji(grapheme.at..end, found);
                next = self.index_at(end);
                begins = true;
                continue;
            }
            let sign = if begins || self.is_free(next) { self.sign_at(next) } else { None };
            begins = sign.is_some();
            match sign {
                Some((after, sign)) => {
                    let range = grapheme.at..self.start_of(after);
                    let is_quoted = self.outline.is_quoted(grapheme.at);
                    found.push(PlacedSign { range, sign, is_quoted });
                    next = after;
                }
                None => next += 1,
            }
        }
    }

    /// Tells whether a sign may begin with this grapheme: not within a word, and no shortcode with
    /// the second colon of `std::key::x`.
    fn is_free(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).map(|before| self.graphemes[before]) else {
            return true;
        };
        let is_second_colon = before.text == ":" && self.graphemes[at].text == ":";
        !before.in_word && !is_second_colon
    }

    /// Finds the emoji in the texts of the links in this range.
    fn find_emoji(&self, opaque: Range<usize>, found: &mut Vec<PlacedSign>) {
        let first = self.outline.labels.partition_point(|label| label.start < opaque.start);
        let labels = &self.outline.labels[first..];
        for label in labels.iter().take_while(|label| label.end <= opaque.end) {
            let mut next = self.index_at(label.start);
            let mut begins = true;
            while self.start_of(next) < label.end {
                begins |= self.is_free(next);
                let at = self.start_of(next);
                let is_colon = self.text[at..].starts_with(':');
                let emoji =
                    if begins && is_colon { self.shortcode_at(at, label.end) } else { None };
                begins = emoji.is_some();
                let after = emoji.as_ref().map_or(next + 1, |(after, _)| *after);
                found.extend(emoji.map(|(after, sign)| PlacedSign {
                    range: at..self.start_of(after),
                    sign,
                    is_quoted: false,
                }));
                next = after;
            }
        }
    }

    /// The sign that begins with this grapheme, and the number of the grapheme after it.
    fn sign_at(&mut self, first: usize) -> Option<(usize, Sign)> {
        let Grapheme { at, text, .. } = self.graphemes[first];
        let end = self.outline.limit(at).unwrap_or(self.text.len());
        match text {
            "@" | "＠" => {
                let (graphemes, folds) = (&self.graphemes, &mut self.folds);
                let (after, named) =
                    longest_user(graphemes, folds, first + 1, end, self.directory)?;
                Some((
                    after,
                    match named {
                        Named::User(id) => Sign::User(id),
                        Named::Here => Sign::Here,
                    },
                ))
            }
            "#" | "＃" => {
                let after = longest_channel(&self.graphemes, first + 1, end, self.directory)?;
                Some((after, Sign::Channel))
            }
            ":" => self.shortcode_at(at, end),
            "h" | "H" | "m" | "M" => {
                let length = address::length(&self.text[at..end])?;
                Some((self.index_at(at + length), Sign::Address))
            }
            _ => None,
        }
    }

    fn shortcode_at(&self, at: usize, end: usize) -> Option<(usize, Sign)> {
        let rest = &self.text[at + 1..end];
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
        let length = rest.find(|c| !is_name(c)).filter(|length| *length <= MAX_BYTES)?;
        if !rest[length..].starts_with(':') {
            return None;
        }
        let emoji = emoji_named(&rest[..length])?;
        let after = self.index_at(at + length + 2);
        let within_word = self.graphemes.get(after).is_some_and(|next| next.in_word);
        (!within_word).then_some((after, Sign::Emoji(emoji)))
    }

    /// The number of the first grapheme that starts at this byte or after it.
    fn index_at(&self, byte: usize) -> usize {
        self.graphemes.partition_point(|grapheme| grapheme.at < byte)
    }

    fn start_of(&self, index: usize) -> usize {
        self.graphemes.get(index).map_or(self.text.len(), |grapheme| grapheme.at)
    }
}
