//! Display names of users.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::{NameError, NameHash, Skeletons, check_visible, is_invisible, precis};
use crate::domain::ids::sha256_hex;

/// The display name of a user: `Ada`, `山田 太郎`, `Ada L.`.
///
/// 1 to 32 characters after enforcement by the Nickname profile of RFC 8266 (spaces trimmed and
/// folded, compatibility forms mapped). No control or invisible characters, not marks alone, no `/`,
/// not starting with `@` or `#`. Compared by that profile too: `Ada`, ` ADA ` and `ａｄａ` are one name.
///
/// These rules are for what people type ([`FromStr`]); a name that is read back from a record is
/// shown as it is, and compared by the same mappings.
///
/// ```
/// use houston::domain::names::DisplayName;
///
/// let ada: DisplayName = "  Ada   Lovelace ".parse().unwrap();
/// assert_eq!(ada.as_str(), "Ada Lovelace");
/// assert!(ada.same_as(&"ADA LOVELACE".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "StoredDisplayName")]
pub struct DisplayName {
    shown: Arc<str>,
    compared: Arc<str>,
}

impl DisplayName {
    /// The longest name, in code points.
    pub const MAX_CHARS: usize = 32;

    /// The name that is left of what a program calls itself, without what is not allowed; `None` where
    /// that is nothing.
    #[must_use]
    pub fn cleaned(typed: &str) -> Option<Self> {
        // Longer than any name after its mappings.
        let visible = typed.chars().take(16 * Self::MAX_CHARS);
        let visible = visible.map(|c| if c == '/' || c.is_whitespace() { ' ' } else { c });
        let visible: String = visible.filter(|&c| !is_invisible(c)).collect();
        let name = visible.trim().trim_start_matches(['@', '#', ' ']);
        let first = |chars: usize| name.chars().take(chars).collect::<String>();
        let lengths = (1..=Self::MAX_CHARS).rev();
        [name.to_owned()].into_iter().chain(lengths.map(first)).find_map(|it| it.parse().ok())
    }

    /// The name as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form that RFC 8266 compares: two names are one if it is equal.
    #[must_use]
    pub fn compared(&self) -> &str {
        &self.compared
    }

    /// The [compared form](Self::compared), shared.
    pub(crate) fn shared_compared(&self) -> Arc<str> {
        self.compared.clone()
    }

    /// The [compared form](Self::compared) of a part of a name, a grapheme or more, but with its
    /// spaces as they are: the whole's is those of its parts, one after the other, with spaces
    /// folded (but for separate Korean letters of a compatible form, which only make a syllable
    /// together).
    #[must_use]
    pub(crate) fn fold_part(part: &str) -> String {
        precis::fold_nickname_part(part)
    }

    /// Tells whether names take this character for a space.
    #[must_use]
    pub(crate) fn is_space(c: char) -> bool {
        precis::is_space(c)
    }

    /// Tells whether both count as the same name.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.compared == other.compared
    }

    /// The skeletons of this name: it looks like another one that has one of them.
    #[must_use]
    pub fn skeletons(&self) -> Skeletons {
        Skeletons::of(&self.shown, &self.compared)
    }

    /// The hash of the compared form, for the log's keys.
    #[must_use]
    pub fn hash(&self) -> NameHash {
        NameHash(sha256_hex(&[b"user ", self.compared.as_bytes()]))
    }
}

impl FromStr for DisplayName {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let shown = precis::nickname(typed)?;
        if shown.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        if let Some(bad) = shown.chars().find(|&c| c == '/' || is_invisible(c)) {
            return Err(NameError::Forbidden(bad));
        }
        if let Some(bad) = shown.chars().next().filter(|c| matches!(c, '@' | '#')) {
            return Err(NameError::ForbiddenStart(bad));
        }
        check_visible(&shown)?;
        let compared = precis::comparable_nickname(&shown)?;
        Ok(Self { shown: shown.into(), compared: compared.into() })
    }
}

/// A display name as read back from a record: no rule is applied to it.
#[derive(Deserialize)]
struct StoredDisplayName(String);

impl From<StoredDisplayName> for DisplayName {
    fn from(StoredDisplayName(shown): StoredDisplayName) -> Self {
        let compared = precis::fold_nickname(&shown);
        Self { shown: shown.into(), compared: compared.into() }
    }
}

impl Serialize for DisplayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown)
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
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

    #[test]
    fn what_a_program_calls_itself_is_cleaned() {
        for (typed, name) in [
            ("CI", Some("CI")),
            ("  Build   Bot ", Some("Build Bot")),
            ("@ci", Some("ci")),
            ("##deploy", Some("deploy")),
            ("org/repo", Some("org repo")),
            ("a\u{200B}b\u{7}c", Some("abc")),
            ("two\nlines", Some("two lines")),
            (&"x".repeat(33), Some(&*"x".repeat(32))),
            ("\u{FDFA}\u{FDFA}\u{FDFA}", Some("صلى الله عليه وسلم")),
            ("", None),
            ("@", None),
            ("\u{301}", None),
            ("\u{202E}", None),
        ] {
            let cleaned = DisplayName::cleaned(typed);
            assert_eq!(cleaned.as_ref().map(DisplayName::as_str), name, "{typed:?}");
        }
    }

    #[test]
    fn display_names_are_enforced() {
        display_name("Ada", Ok("Ada"));
        display_name("  Ada \u{3000} Lovelace ", Ok("Ada Lovelace"));
        display_name("ａｄａ", Ok("ada"));
        display_name("山田 太郎", Ok("山田 太郎"));
        display_name("أدا", Ok("أدا"));
        display_name("Ada 🚀", Ok("Ada 🚀"));
        display_name("Ada 🤖", Ok("Ada 🤖"));
        display_name("👍🏿 🫠", Ok("👍🏿 🫠"));
        display_name("𞤀𞤣𞤢", Ok("𞤀𞤣𞤢"));
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
        display_name("\u{378}", Err("it cannot contain the invisible character U+0378"));
        display_name("\u{2800}", Err("it cannot contain the invisible character U+2800"));
        display_name("\u{FFFC}", Err("it cannot contain the invisible character U+FFFC"));
        display_name("\u{1D159}", Err("it cannot contain the invisible character U+1D159"));
        display_name("\u{16FE4}", Err("it cannot contain the invisible character U+16FE4"));
        display_name("\u{13441}", Err("it cannot contain the invisible character U+13441"));
        display_name("A\u{FFFC}da", Err("it cannot contain the invisible character U+FFFC"));
        display_name("⠁⠙⠁\u{2800}", Err("it cannot contain the invisible character U+2800"));
        display_name("\u{3164}", Err("it cannot contain the invisible character U+3164"));
        display_name("\u{FFA0}a", Err("it cannot contain the invisible character U+FFA0"));
        display_name("ក\u{17B4}", Err("it cannot contain the invisible character U+17B4"));
        display_name("a\u{E0061}", Err("it cannot contain the invisible character U+E0061"));
        for marks in ["\u{301}", "\u{301} \u{308}", "\u{93E}", "\u{20DD}", "\u{17D2}", "\u{5B0}"] {
            let refused = "a name needs a letter, a digit or a sign: marks alone are none";
            display_name(marks, Err(refused));
        }
        for sign in ["7", "♚", "…", "e\u{301}\u{302}", "ក\u{17D2}ក", "نَ", "⠁⠙⠁", "₿", "ツ"]
        {
            assert!(sign.parse::<DisplayName>().is_ok(), "{sign:?}");
        }
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
        let adlam: DisplayName = "𞤀𞤣𞤢".parse().expect("a name");
        assert!(adlam.same_as(&"𞤢𞤣𞤢".parse().expect("the same in small letters")));
        assert!(!ada.same_as(&"Adа".parse().expect("a name, with a Cyrillic letter")));
    }

    proptest! {
        #[test]
        fn a_name_that_was_accepted_is_accepted_unchanged_again(typed in "\\PC{0,40}") {
            if let Ok(name) = typed.parse::<DisplayName>() {
                prop_assert_eq!(&name.as_str().parse::<DisplayName>(), &Ok(name));
            }
        }
    }
}
