//! Reactions to messages.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::names::is_invisible;
use crate::domain::user::{Person, User};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();

/// A reaction: one emoji, or a few characters of text. `👍`, `👩🏽‍🚀` and `go!` are some.
///
/// 1 to 16 visible characters (grapheme clusters of UAX #29), at most 64 code points, no spaces at
/// the ends, no controls, no U+FFFD (which stands for bytes that were not UTF-8). Joiners, tags and variation selectors count
/// as parts of an emoji.
///
/// Two reactions are one where they are equal in NFC without U+FE0F, the selector that asks for an
/// emoji's coloured form and that some keyboards leave out: see [`same_as`](Self::same_as). Equality
/// (`==`) is that of the code points.
///
/// These rules are for what people send ([`FromStr`]); a reaction that is read back from a record
/// is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reaction(String);

/// A text that cannot be a [`Reaction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reaction is one emoji or up to 16 visible characters, without spaces at the ends")]
pub struct InvalidReaction;

impl Reaction {
    /// The longest reaction, in visible characters (grapheme clusters).
    pub const MAX_VISIBLE: usize = 16;
    /// The longest reaction, in code points.
    pub const MAX_CHARS: usize = 64;

    /// Tells whether both count as the same reaction: `❤️` and `❤` do, and both forms of `é`.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.compared().eq(other.compared())
    }

    /// The characters that are compared, made one by one: most reactions differ in the first.
    fn compared(&self) -> impl Iterator<Item = char> {
        NFC.normalize_iter(self.0.chars().filter(|c| *c != '\u{FE0F}'))
    }
}

impl FromStr for Reaction {
    type Err = InvalidReaction;

    fn from_str(typed: &str) -> Result<Self, InvalidReaction> {
        let joins =
            |c| matches!(c, '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' | '\u{E0020}'..='\u{E007F}');
        let unseen = |cluster: &str| cluster.chars().all(is_invisible);
        let refused = typed.is_empty()
            || typed.trim() != typed
            || typed.chars().count() > Self::MAX_CHARS
            || typed.graphemes(true).count() > Self::MAX_VISIBLE
            || typed.graphemes(true).any(unseen)
            || typed.contains(char::REPLACEMENT_CHARACTER)
            || typed.chars().any(|c| is_invisible(c) && !joins(c));
        if refused { Err(InvalidReaction) } else { Ok(Self(typed.into())) }
    }
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reaction of a message with the users who gave it: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionGroup {
    /// The reaction.
    pub reaction: Reaction,
    /// The users who gave it, in the order in which they did.
    pub users: Vec<Arc<Person>>,
}

/// A [`ReactionGroup`] in its stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionGroupRecord {
    /// The reaction.
    pub reaction: Reaction,
    /// The users who gave it, under the names that they had when it was written.
    pub users: Vec<User>,
}

impl From<&ReactionGroup> for ReactionGroupRecord {
    fn from(group: &ReactionGroup) -> Self {
        let users = group.users.iter().map(|person| User::clone(&person.user())).collect();
        Self { reaction: group.reaction.clone(), users }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_or_a_short_text_is_a_reaction() {
        for typed in ["👍", "❤️", "👩🏽‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "go!", "two words", "好", "x", &"é".repeat(16)]
        {
            assert!(typed.parse::<Reaction>().is_ok(), "{typed:?}");
        }
    }

    #[track_caller]
    fn reaction(typed: &str) -> Reaction {
        typed.parse().expect("a reaction")
    }

    #[test]
    fn one_reaction_may_be_written_in_several_ways() {
        for (given, other) in [
            ("❤\u{FE0F}", "❤"),
            ("1\u{FE0F}\u{20E3}", "1\u{20E3}"),
            ("☺\u{FE0F}", "☺"),
            ("✌\u{FE0F}", "✌"),
            ("🏳\u{FE0F}\u{200D}🌈", "🏳\u{200D}🌈"),
            ("👁\u{FE0F}\u{200D}🗨\u{FE0F}", "👁\u{200D}🗨"),
            ("❤\u{FE0F}\u{200D}🔥", "❤\u{200D}🔥"),
            ("é", "e\u{301}"),
            ("ệ", "e\u{323}\u{302}"),
            ("가", "\u{1100}\u{1161}"),
            ("が", "か\u{3099}"),
            ("Å", "\u{212B}"),
        ] {
            assert!(reaction(given).same_as(&reaction(other)), "{given:?}");
            assert!(reaction(other).same_as(&reaction(given)), "{given:?}");
        }
    }

    #[test]
    fn what_is_seen_to_differ_is_another_reaction() {
        for (given, other) in [
            ("👍🏻", "👍🏿"),
            ("👍", "👍🏿"),
            ("☺", "☺\u{FE0E}"),
            ("☺\u{FE0F}", "☺\u{FE0E}"),
            ("❤", "🧡"),
            ("👩\u{200D}🚀", "👩🚀"),
            ("🇩🇪", "🇩🇰"),
            ("é", "e"),
            ("ok", "OK"),
            ("ﬁ", "fi"),
            ("ｘ", "x"),
        ] {
            assert!(!reaction(given).same_as(&reaction(other)), "{given:?}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for typed in [
            "",
            " ",
            " x",
            "x ",
            "a\nb",
            "\0",
            "\u{200B}",
            "\u{200D}",
            "\u{FE0F}",
            "a\u{202E}b",
            "\u{2800}",
            "\u{FFFC}",
            &"x".repeat(17),
            &"e\u{301}\u{301}\u{301}\u{301}".repeat(14),
        ] {
            assert_eq!(typed.parse::<Reaction>(), Err(InvalidReaction), "{typed:?}");
        }
    }
}
