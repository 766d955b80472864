//! Display names, channel names and topics, with the rules for what people type.

mod channel_name;
mod display_name;
mod precis;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use icu_properties::props::GeneralCategory;
use serde::{Deserialize, Serialize};

pub use self::channel_name::ChannelName;
pub use self::display_name::DisplayName;
pub(crate) use self::precis::general_category;

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
            c if is_invisible(c) || c.is_whitespace() => {
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

/// The hash of a name, for the log's keys: 64 hexadecimal digits that do not tell the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameHash(pub(crate) String);

/// Tells whether a character shows nothing by itself: controls, formats, line separators, joiners,
/// variation selectors, fillers, and unassigned and private code points.
pub(crate) fn is_invisible(c: char) -> bool {
    use GeneralCategory as G;
    let blank = matches!(c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}'
        | '\u{E0100}'..='\u{E01EF}');
    blank
        || matches!(
            general_category(c),
            G::Control
                | G::Format
                | G::LineSeparator
                | G::ParagraphSeparator
                | G::PrivateUse
                | G::Surrogate
                | G::Unassigned
        )
}

/// Tells whether a character shows nothing by itself. Those of private use and unassigned ones may.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
            && !matches!(
                general_category(c),
                GeneralCategory::PrivateUse | GeneralCategory::Unassigned
            )
}

fn is_line_break_or_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_one_line() {
        assert_eq!("  lunch?  ".parse::<Topic>().expect("a topic").as_str(), "lunch?");
        assert_eq!("".parse::<Topic>().expect("a topic").as_str(), "");
        assert_eq!("a\nb".parse::<Topic>(), Err(NameError::Forbidden('\n')));
        assert_eq!("x".repeat(251).parse::<Topic>(), Err(NameError::TooLong { max_chars: 250 }));
    }
}
