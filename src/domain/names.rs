//! Display names, channel names and topics, with the rules for what people type.

mod channel_name;
mod display_name;
mod precis;
mod skeleton;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, PrependedConcatenationMark, WhiteSpace,
};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};
use serde::{Deserialize, Serialize};

pub use self::channel_name::ChannelName;
pub use self::display_name::DisplayName;
pub(crate) use self::precis::general_category;
pub use self::skeleton::{Skeleton, Skeletons};

type Set = CodePointSetDataBorrowed<'static>;

const WHITE_SPACE: Set = CodePointSetData::new::<WhiteSpace>();
const DEFAULT_IGNORABLE: Set = CodePointSetData::new::<DefaultIgnorableCodePoint>();
/// Signs of Arabic and other scripts that are drawn around the digits after them.
const PREPENDED_MARK: Set = CodePointSetData::new::<PrependedConcatenationMark>();

/// The reason why a text cannot be a name or topic. `Display` is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or only spaces.
    #[error("a name cannot be empty")]
    Empty,
    /// It is longer than the type's `MAX_CHARS`.
    #[error("at most {max_chars} characters, please")]
    TooLong {
        /// The limit, in code points.
        max_chars: usize,
    },
    /// It contains this character, which is not allowed.
    #[error("it cannot contain {}", Quoted(*.0))]
    Forbidden(char),
    /// It has nothing but spaces and combining marks, which show nothing without a base.
    #[error("a name needs a letter, a digit or a sign: marks alone are none")]
    OnlyMarks,
    /// It starts with this character, which is not allowed there.
    #[error("it cannot start with {}", Quoted(*.0))]
    ForbiddenStart(char),
    /// It is `.` or `..`, which have another meaning in a path.
    #[error("`.` and `..` are not names")]
    Dots,
    /// It mixes writing directions so that it would not read as it is written (RFC 5893), or it has
    /// no stable form.
    #[error("these characters do not go together in a name")]
    Mixed,
}

/// The `Display` form of a character in messages: itself where it can be seen, else its code point.
struct Quoted(char);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ' ' => f.write_str("a space"),
            c if is_invisible(c) => {
                write!(f, "the invisible character U+{:04X}", u32::from(c))
            }
            c => write!(f, "`{c}`"),
        }
    }
}

/// A channel's topic: one line of at most 250 characters, trimmed; may be empty.
///
/// These rules are for what people type ([`FromStr`]); one that is read back from a record is taken
/// as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(Arc<str>);

impl Topic {
    /// The longest topic, in code points.
    pub const MAX_CHARS: usize = 250;

    /// The topic as text, `""` where there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Topic {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let topic = typed.trim();
        if topic.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        match topic.chars().find(|&c| is_line_break_or_control(c)) {
            Some(bad) => Err(NameError::Forbidden(bad)),
            None => Ok(Self(topic.into())),
        }
    }
}

/// The name of a token, as its user calls it: one line of 1 to 64 characters, trimmed.
///
/// These rules are for what people type ([`FromStr`]); one that is read back from a record is taken
/// as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenName(Arc<str>);

impl TokenName {
    /// The longest name, in code points.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenName {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let name = typed.trim();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        if let Some(bad) = name.chars().find(|&c| is_line_break_or_control(c)) {
            return Err(NameError::Forbidden(bad));
        }
        check_visible(name)?;
        Ok(Self(name.into()))
    }
}

/// The hash of a name, for the log's keys: 64 hexadecimal digits that do not tell the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameHash(pub(crate) String);

/// Tells whether a character shows nothing by itself: white space, controls, formats, what fonts are
/// asked to ignore (`Default_Ignorable_Code_Point`: joiners, variation selectors, fillers, tags), and
/// empty glyphs. Private use and other unassigned code points are not blank: fonts may show them.
pub(crate) fn is_blank(c: char) -> bool {
    match general_category(c) {
        GeneralCategory::Control => true,
        GeneralCategory::Format => !PREPENDED_MARK.contains(c),
        _ => WHITE_SPACE.contains(c) || DEFAULT_IGNORABLE.contains(c) || is_empty_glyph(c),
    }
}

/// The characters with an empty glyph that no property tells: those that Unicode's code charts and
/// names list show as blanks, fillers or placeholders, without `White_Space` or
/// `Default_Ignorable_Code_Point`. A search of the Noto fonts for glyphs without an outline finds no
/// others but the invisible stackers of two scripts, which are marks.
fn is_empty_glyph(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' // braille pattern blank
            | '\u{FFFC}' // object replacement character
            | '\u{13441}' | '\u{13442}' // Egyptian hieroglyph full blank, half blank
            | '\u{16FE4}' // Khitan small script filler
            | '\u{1D159}' // musical symbol null notehead
    )
}

/// Tells whether a character cannot be seen, or is none: what [`is_blank`] but for the plain space,
/// formats of any kind, and unassigned and private code points.
pub(crate) fn is_invisible(c: char) -> bool {
    use GeneralCategory as G;
    let is_none =
        matches!(general_category(c), G::Format | G::PrivateUse | G::Surrogate | G::Unassigned);
    is_none || c != ' ' && is_blank(c)
}

/// Refuses a name in which nothing stands by itself: spaces and combining marks alone.
fn check_visible(name: &str) -> Result<(), NameError> {
    use GeneralCategory as G;
    let stands_alone = |c: char| {
        let mark =
            matches!(general_category(c), G::NonspacingMark | G::SpacingMark | G::EnclosingMark);
        !mark && !is_blank(c)
    };
    if name.contains(stands_alone) { Ok(()) } else { Err(NameError::OnlyMarks) }
}

fn is_line_break_or_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_by_itself_is_blank() {
        for blank in [
            "\0\t\n\u{7F}\u{85}\u{9F}", // controls
            " \u{A0}\u{1680}\u{2003}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}", // white space
            "\u{AD}\u{61C}\u{200B}\u{200E}\u{202E}\u{2060}\u{2066}\u{FEFF}\u{FFF9}", // formats
            "\u{200C}\u{200D}\u{34F}\u{180B}\u{180E}\u{FE0E}\u{FE0F}\u{E0100}", // joiners, selectors
            "\u{115F}\u{1160}\u{3164}\u{FFA0}\u{17B4}\u{17B5}", // fillers, inherent vowels
            "\u{E0001}\u{E0061}\u{1BCA0}\u{1D173}\u{13430}",    // tags, shorthand, beams, joiners
            "\u{2800}\u{FFFC}\u{13441}\u{13442}\u{16FE4}\u{1D159}", // empty glyphs
        ] {
            for c in blank.chars() {
                assert!(is_blank(c), "U+{:04X}", u32::from(c));
                assert_eq!(is_invisible(c), c != ' ', "U+{:04X}", u32::from(c));
            }
        }
        // Marks are seen on what they stand on, and U+0600 around a number.
        for c in
            "a0é雑ᄀ가-_😀\u{301}\u{94D}\u{20E3}\u{2801}\u{FFFD}\u{2422}\u{303F}\u{600}\u{110BD}"
                .chars()
        {
            assert!(!is_blank(c), "U+{:04X}", u32::from(c));
        }
        for c in ['\u{378}', '\u{FDD0}', '\u{E000}', '\u{F0000}', '\u{10FFFF}'] {
            assert!(!is_blank(c) && is_invisible(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_token_s_name_is_one_line_with_something_to_see() {
        let longest = "é".repeat(64);
        for (typed, name) in [
            ("backup script", "backup script"),
            ("  CI  ", "CI"),
            ("夜間バックアップ", "夜間バックアップ"),
            ("نسخ احتياطي", "نسخ احتياطي"),
            ("👩‍🚀", "👩‍🚀"),
            ("a/b @c #d", "a/b @c #d"),
            (&longest, &longest),
        ] {
            assert_eq!(typed.parse::<TokenName>().expect("a name").as_str(), name);
        }
        for (typed, error) in [
            ("", NameError::Empty),
            (" \t ", NameError::Empty),
            ("a\nb", NameError::Forbidden('\n')),
            ("a\u{2028}b", NameError::Forbidden('\u{2028}')),
            ("a\0", NameError::Forbidden('\0')),
            ("\u{200B}\u{FE0F}", NameError::OnlyMarks),
            ("\u{3164}", NameError::OnlyMarks),
            (&"x".repeat(65), NameError::TooLong { max_chars: 64 }),
        ] {
            assert_eq!(typed.parse::<TokenName>(), Err(error), "{typed:?}");
        }
    }

    #[test]
    fn a_topic_is_one_line() {
        assert_eq!("  lunch?  ".parse::<Topic>().expect("a topic").as_str(), "lunch?");
        assert_eq!("".parse::<Topic>().expect("a topic").as_str(), "");
        assert_eq!("a\nb".parse::<Topic>(), Err(NameError::Forbidden('\n')));
        assert_eq!("x".repeat(251).parse::<Topic>(), Err(NameError::TooLong { max_chars: 250 }));
    }
}
