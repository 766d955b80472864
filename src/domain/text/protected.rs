//! A text whose signs are hidden from Markdown: a character that Markdown takes for a letter stands
//! for each.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::signs::PlacedSign;

/// The private characters that may stand for signs; those that the text itself has do not.
const PLACEHOLDERS: std::ops::RangeInclusive<char> = '\u{F0000}'..='\u{FFFFD}';

/// A text with its signs, and the form of it that Markdown reads.
pub(super) struct Protected<'t> {
    /// The text as it was written.
    written: &'t str,
    /// The text with a placeholder for each sign.
    pub(super) source: String,
    /// The signs with their placeholders, in order of these.
    signs: Vec<(char, PlacedSign)>,
}

/// A piece of what Markdown made of a protected text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'p> {
    Text(&'p str),
    Sign(&'p PlacedSign),
}

impl<'t> Protected<'t> {
    /// Puts a placeholder in the place of each of these signs of `written`, and an empty line before
    /// each line that begins with one of `breaks`. Both are in order.
    pub(super) fn of(written: &'t str, signs: Vec<PlacedSign>, breaks: &[Range<usize>]) -> Self {
        let taken: HashSet<char> = written.chars().filter(|c| PLACEHOLDERS.contains(c)).collect();
        let free = PLACEHOLDERS.filter(|c| !taken.contains(c));
        let signs: Vec<_> = free.zip(signs).collect();
        let mut source = String::with_capacity(written.len());
        let mut breaks = breaks.iter().peekable();
        let mut push = |source: &mut String, part: Range<usize>| {
            let mut rest = part.start;
            while let Some(prefix) = breaks.next_if(|prefix| prefix.start < part.end) {
                source.push_str(&written[rest..prefix.start]);
                source.push_str(&written[prefix.clone()]);
                source.push('\n');
                rest = prefix.start;
            }
            source.push_str(&written[rest..part.end]);
        };
        let mut rest = 0;
        for (placeholder, sign) in &signs {
            push(&mut source, rest..sign.range.start);
            source.push(*placeholder);
            rest = sign.range.end;
        }
        push(&mut source, rest..written.len());
        Self { written, source, signs }
    }

    /// The characters of a sign as they were written.
    pub(super) fn written(&self, sign: &PlacedSign) -> &'t str {
        &self.written[sign.range.clone()]
    }

    /// Splits a part of the source at its placeholders.
    pub(super) fn pieces<'p>(&'p self, part: &'p str) -> Vec<Piece<'p>> {
        let mut pieces = Vec::new();
        let mut rest = 0;
        for (at, c) in part.char_indices().filter(|(_, c)| PLACEHOLDERS.contains(c)) {
            let Ok(number) = self.signs.binary_search_by_key(&c, |(placeholder, _)| *placeholder)
            else {
                continue;
            };
            if rest < at {
                pieces.push(Piece::Text(&part[rest..at]));
            }
            pieces.push(Piece::Sign(&self.signs[number].1));
            rest = at + c.len_utf8();
        }
        if rest < part.len() {
            pieces.push(Piece::Text(&part[rest..]));
        }
        pieces
    }

    /// A part of the source with the signs as they were written.
    pub(super) fn restored<'p>(&self, part: &'p str) -> Cow<'p, str> {
        if !part.contains(|c| PLACEHOLDERS.contains(&c)) {
            return part.into();
        }
        let restored = self.pieces(part).into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Sign(sign) => self.written(sign),
        });
        restored.collect::<String>().into()
    }
}
