//! Names that people choose, for themselves, their channels and topics.

use std::fmt;
use std::str::FromStr;

use precis_core::profile::{Profile, Rules, stabilize};
use precis_profiles::{Nickname, UsernameCaseMapped};
use serde::{Deserialize, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::domain::ids::sha256_hex;

/// Why a text cannot be a name or topic. `Display` is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than the type's `MAX_CHARS`.
    #[error("at most {max_chars} characters, please")]
    TooLong {
        /// The limit, in code points.
        max_chars: usize,
    },
    /// This character has no place in it.
    #[error("it cannot contain {}", Quoted(*.0))]
    Forbidden(char),
    /// It may not begin like this.
    #[error("it cannot start with {}", Quoted(*.0))]
    ForbiddenStart(char),
    /// `.` and `..` mean something else in a path.
    #[error("`.` and `..` are not names")]
    Dots,
    /// Directions mixed so that it would not read as it is written (RFC 5893), or it has no
    /// stable form.
    #[error("these characters do not go together in a name")]
    Mixed,
}

/// A character in words: itself where it can be seen, its code point where it cannot.
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

/// What somebody is called: `Ada`, `山田 太郎`, `Ada L.`.
///
/// 1 to 32 characters after enforcement by the Nickname profile of RFC 8266 (spaces trimmed and
/// folded, compatibility forms mapped). No control or invisible characters, no `/`, not starting
/// with `@` or `#`. Compared by that profile too: `Ada`, ` ADA ` and `ａｄａ` are one name.
///
/// ```
/// use houston::domain::names::DisplayName;
///
/// let ada: DisplayName = "  Ada   Lovelace ".parse().unwrap();
/// assert_eq!(ada.as_str(), "Ada Lovelace");
/// assert!(ada.same_as(&"ADA LOVELACE".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DisplayName {
    shown: String,
    compared: String,
}

impl DisplayName {
    /// The longest name, in code points.
    pub const MAX_CHARS: usize = 32;

    /// The name as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What decides whether two names are one: the form that RFC 8266 compares.
    #[must_use]
    pub fn compared(&self) -> &str {
        &self.compared
    }

    /// Whether both are the same name.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.compared == other.compared
    }

    /// The name's place in the log's keys.
    #[must_use]
    pub fn hash(&self) -> NameHash {
        NameHash(sha256_hex(&[b"user ", self.compared.as_bytes()]))
    }
}

impl FromStr for DisplayName {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let shown = Nickname::new().enforce(typed).map_err(precis_error)?.into_owned();
        if shown.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        if let Some(bad) = shown.chars().find(|&c| c == '/' || is_invisible(c)) {
            return Err(NameError::Forbidden(bad));
        }
        if let Some(bad) = shown.chars().next().filter(|c| matches!(c, '@' | '#')) {
            return Err(NameError::ForbiddenStart(bad));
        }
        let compared = comparison_form(&shown)?;
        Ok(Self { shown, compared })
    }
}

impl TryFrom<String> for DisplayName {
    type Error = NameError;

    fn try_from(typed: String) -> Result<Self, NameError> {
        typed.parse()
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.shown
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The Nickname profile's comparison rules (RFC 8266, section 2.4), until nothing changes.
fn comparison_form(name: &str) -> Result<String, NameError> {
    let nickname = Nickname::new();
    let form = stabilize(name, |name| {
        let name = nickname.prepare(name)?;
        let name = nickname.additional_mapping_rule(name)?;
        let name = nickname.case_mapping_rule(name)?;
        nickname.normalization_rule(name)
    });
    form.map(std::borrow::Cow::into_owned).map_err(precis_error)
}

/// The name of a public channel, as typed after `#`: `general`, `ops-on_call`, `überblick`.
///
/// 1 to 64 characters after enforcement by the UsernameCaseMapped profile of RFC 8265: letters,
/// digits and marks of any script, `-`, `_` and `.`, but not `.` or `..`. Upper case is mapped to
/// lower, so two names are the same channel exactly when they compare equal.
///
/// ```
/// use houston::domain::names::ChannelName;
///
/// assert_eq!("General".parse::<ChannelName>().unwrap().as_str(), "general");
/// assert!("two words".parse::<ChannelName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ChannelName(String);

impl ChannelName {
    /// The longest name, in code points.
    pub const MAX_CHARS: usize = 64;

    /// The channel that is there from the first start.
    ///
    /// # Panics
    ///
    /// Never: `general` is a name.
    #[must_use]
    pub fn general() -> Self {
        "general".parse().expect("`general` is a name")
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name's place in the log's keys.
    #[must_use]
    pub fn hash(&self) -> NameHash {
        NameHash(sha256_hex(&[b"channel ", self.0.as_bytes()]))
    }
}

impl FromStr for ChannelName {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let name = UsernameCaseMapped::new().enforce(typed).map_err(precis_error)?.into_owned();
        if name.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        let allowed = |c| is_letter_digit(c) || matches!(c, '-' | '_' | '.');
        if let Some(bad) = name.chars().find(|&c| !allowed(c)) {
            return Err(NameError::Forbidden(bad));
        }
        if matches!(name.as_str(), "." | "..") {
            return Err(NameError::Dots);
        }
        Ok(Self(name))
    }
}

impl TryFrom<String> for ChannelName {
    type Error = NameError;

    fn try_from(typed: String) -> Result<Self, NameError> {
        typed.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> Self {
        name.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a channel is about: one line of at most 250 characters, trimmed; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Topic(String);

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

impl TryFrom<String> for Topic {
    type Error = NameError;

    fn try_from(typed: String) -> Result<Self, NameError> {
        typed.parse()
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.0
    }
}

/// A name in a form that is safe in a key of the log: 64 hexadecimal digits, of which the name
/// cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameHash(pub(crate) String);

fn precis_error(error: precis_core::Error) -> NameError {
    use precis_core::{Error, UnexpectedError};
    match error {
        Error::BadCodepoint(at)
        | Error::Unexpected(
            UnexpectedError::ContextRuleNotApplicable(at) | UnexpectedError::MissingContextRule(at),
        ) => NameError::Forbidden(char::from_u32(at.cp).unwrap_or(char::REPLACEMENT_CHARACTER)),
        Error::Invalid => NameError::Empty,
        Error::Unexpected(_) => NameError::Mixed,
    }
}

/// PRECIS `LetterDigits` (RFC 8264, section 9.1).
fn is_letter_digit(c: char) -> bool {
    use GeneralCategory as G;
    matches!(
        get_general_category(c),
        G::LowercaseLetter
            | G::UppercaseLetter
            | G::OtherLetter
            | G::DecimalNumber
            | G::ModifierLetter
            | G::NonspacingMark
            | G::SpacingMark
    )
}

/// Characters that leave no mark of their own: controls, formats, line separators, joiners,
/// variation selectors, fillers, and code points that mean nothing (yet).
fn is_invisible(c: char) -> bool {
    use GeneralCategory as G;
    let blank = matches!(c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}'
        | '\u{E0100}'..='\u{E01EF}');
    blank
        || matches!(
            get_general_category(c),
            G::Control
                | G::Format
                | G::LineSeparator
                | G::ParagraphSeparator
                | G::PrivateUse
                | G::Surrogate
                | G::Unassigned
        )
}

fn is_line_break_or_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn display_name(typed: &str, expected: Result<&str, &str>) {
        let parsed = typed.parse::<DisplayName>();
        let told = parsed.as_ref().map(DisplayName::as_str).map_err(ToString::to_string);
        assert_eq!(told, expected.map_err(ToOwned::to_owned), "{typed:?}");
    }

    #[track_caller]
    fn channel_name(typed: &str, expected: Result<&str, &str>) {
        let parsed = typed.parse::<ChannelName>();
        let told = parsed.as_ref().map(ChannelName::as_str).map_err(ToString::to_string);
        assert_eq!(told, expected.map_err(ToOwned::to_owned), "{typed:?}");
    }

    #[test]
    fn display_names_are_enforced() {
        display_name("Ada", Ok("Ada"));
        display_name("  Ada \u{3000} Lovelace ", Ok("Ada Lovelace"));
        display_name("ａｄａ", Ok("ada"));
        display_name("山田 太郎", Ok("山田 太郎"));
        display_name("أدا", Ok("أدا"));
        display_name("Ada 🚀", Ok("Ada 🚀"));
        display_name("it's me!", Ok("it's me!"));
        display_name("me@home #1", Ok("me@home #1"));
        display_name(&"x".repeat(32), Ok(&"x".repeat(32)));
        display_name(&"x".repeat(33), Err("at most 32 characters, please"));
        display_name("", Err("a name cannot be empty"));
        display_name(" \u{a0} ", Err("a name cannot be empty"));
        display_name("a/b", Err("it cannot contain `/`"));
        display_name("a／b", Err("it cannot contain `/`"));
        display_name("@ada", Err("it cannot start with `@`"));
        display_name("＠ada", Err("it cannot start with `@`"));
        display_name(" #ada", Err("it cannot start with `#`"));
        display_name("a\nb", Err("it cannot contain the invisible character U+000A"));
        display_name("a\0", Err("it cannot contain the invisible character U+0000"));
        display_name("a\u{200b}", Err("it cannot contain the invisible character U+200B"));
        display_name("a\u{200d}b", Err("it cannot contain the invisible character U+200D"));
        display_name("❤\u{fe0f}", Err("it cannot contain the invisible character U+FE0F"));
        display_name("\u{2800}", Err("it cannot contain the invisible character U+2800"));
        display_name("a\u{202e}b", Err("it cannot contain the invisible character U+202E"));
    }

    #[test]
    fn equal_display_names_are_one_name() {
        let ada: DisplayName = "Ada".parse().expect("a name");
        for typed in [" ADA ", "ａｄａ", "ada"] {
            let other: DisplayName = typed.parse().expect("a name");
            assert!(ada.same_as(&other), "{typed:?}");
            assert_eq!(ada.hash(), other.hash(), "{typed:?}");
        }
        assert!(!ada.same_as(&"Adа".parse().expect("a name, with a Cyrillic letter")));
    }

    #[test]
    fn channel_names_are_enforced() {
        channel_name("general", Ok("general"));
        channel_name("Ops-On_Call.2", Ok("ops-on_call.2"));
        channel_name("ÜBERBLICK", Ok("überblick"));
        channel_name("ｏｐｓ", Ok("ops"));
        channel_name("雑談", Ok("雑談"));
        channel_name("...", Ok("..."));
        channel_name(&"x".repeat(64), Ok(&"x".repeat(64)));
        channel_name(&"x".repeat(65), Err("at most 64 characters, please"));
        channel_name("", Err("a name cannot be empty"));
        channel_name(".", Err("`.` and `..` are not names"));
        channel_name("..", Err("`.` and `..` are not names"));
        channel_name("two words", Err("it cannot contain a space"));
        channel_name("a/b", Err("it cannot contain `/`"));
        channel_name("#general", Err("it cannot contain `#`"));
        channel_name("id:7", Err("it cannot contain `:`"));
        channel_name("🚀", Err("it cannot contain `🚀`"));
        channel_name("a\u{200d}b", Err("it cannot contain the invisible character U+200D"));
    }

    #[test]
    fn a_topic_is_one_line() {
        assert_eq!("  lunch?  ".parse::<Topic>().expect("a topic").as_str(), "lunch?");
        assert_eq!("".parse::<Topic>().expect("a topic").as_str(), "");
        assert_eq!("a\nb".parse::<Topic>(), Err(NameError::Forbidden('\n')));
        assert_eq!("x".repeat(251).parse::<Topic>(), Err(NameError::TooLong { max_chars: 250 }));
    }

    proptest! {
        #[test]
        fn a_name_that_was_accepted_is_accepted_unchanged_again(typed in "\\PC{0,40}") {
            if let Ok(name) = typed.parse::<DisplayName>() {
                prop_assert_eq!(&name.as_str().parse::<DisplayName>(), &Ok(name));
            }
            if let Ok(name) = typed.parse::<ChannelName>() {
                prop_assert_eq!(&name.as_str().parse::<ChannelName>(), &Ok(name));
            }
        }
    }
}
