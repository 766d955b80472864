//! Names of public channels.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::precis::{self, is_letter_digit};
use super::{NameError, NameHash, check_visible, is_invisible};
use crate::domain::ids::sha256_hex;

/// The name of a public channel, as typed after `#`: `general`, `ops-on_call`, `überblick`.
///
/// 1 to 64 characters after enforcement by the UsernameCaseMapped profile of RFC 8265: letters,
/// digits and marks of any script, `-`, `_` and `.`, but not marks alone, nor `.` or `..`. Upper case is mapped to
/// lower, so two names are the same channel exactly when they compare equal.
///
/// These rules are for what people type ([`FromStr`]); a name that is read back from a record is
/// taken as it is.
///
/// ```
/// use houston::domain::names::ChannelName;
///
/// assert_eq!("General".parse::<ChannelName>().unwrap().as_str(), "general");
/// assert!("two words".parse::<ChannelName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelName(Arc<str>);

impl ChannelName {
    /// The longest name, in code points.
    pub const MAX_CHARS: usize = 64;

    /// The name `general`, of the channel that exists from the first start.
    ///
    /// # Panics
    ///
    /// Never: `general` is a name.
    #[must_use]
    pub fn general() -> Self {
        "general".parse().expect("`general` is a name")
    }

    /// The form that a part of a name has in it, a grapheme or more: the whole's is those of its
    /// parts, one after the other. `None` for what no name contains.
    #[must_use]
    pub(crate) fn fold_part(part: &str) -> Option<String> {
        let folded = precis::fold_username(part);
        folded.chars().all(Self::may_contain).then_some(folded)
    }

    fn may_contain(c: char) -> bool {
        is_letter_digit(c) || matches!(c, '-' | '_' | '.')
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name's hash, for the log's keys.
    #[must_use]
    pub fn hash(&self) -> NameHash {
        NameHash(sha256_hex(&[b"channel ", self.0.as_bytes()]))
    }
}

impl FromStr for ChannelName {
    type Err = NameError;

    fn from_str(typed: &str) -> Result<Self, NameError> {
        let name = precis::username(typed)?;
        if name.chars().count() > Self::MAX_CHARS {
            return Err(NameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        // What has an empty glyph is a letter or mark all the same.
        if let Some(bad) = name.chars().find(|&c| !Self::may_contain(c) || is_invisible(c)) {
            return Err(NameError::Forbidden(bad));
        }
        if matches!(name.as_str(), "." | "..") {
            return Err(NameError::Dots);
        }
        check_visible(&name)?;
        Ok(Self(name.into()))
    }
}

impl Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn channel_name(typed: &str, expected: Result<&str, &str>) {
        let parsed = typed.parse::<ChannelName>();
        let told = parsed.as_ref().map(ChannelName::as_str).map_err(ToString::to_string);
        assert_eq!(told, expected.map_err(ToOwned::to_owned), "{typed:?}");
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
        channel_name("a\u{16FE4}", Err("it cannot contain the invisible character U+16FE4"));
        channel_name("\u{13441}", Err("it cannot contain the invisible character U+13441"));
        channel_name("\u{2800}", Err("it cannot contain the invisible character U+2800"));
        channel_name("\u{FFFC}", Err("it cannot contain the invisible character U+FFFC"));
        channel_name("a\u{202e}b", Err("it cannot contain the invisible character U+202E"));
        channel_name("a\u{2067}b", Err("it cannot contain the invisible character U+2067"));
        channel_name("א\u{200f}", Err("it cannot contain the invisible character U+200F"));
        channel_name("ع\u{61c}", Err("it cannot contain the invisible character U+061C"));
        for marks in ["\u{301}", "\u{93E}", "\u{17D2}"] {
            let refused = "a name needs a letter, a digit or a sign: marks alone are none";
            channel_name(marks, Err(refused));
        }
        channel_name("_", Ok("_"));
    }

    #[test]
    fn letters_of_scripts_that_came_lately_are_letters() {
        for (typed, name) in [
            ("𞤀𞤣𞤢𞤥", "𞤢𞤣𞤢𞤥"), // Adlam, Unicode 9
            ("𐒰𐓂𐓍", "𐓘𐓪𐓵"),   // Osage, 9
            ("ᎠᏂ", "ꭰꮒ"),     // Cherokee, with small letters since 8
            ("ᲐᲑ", "აბ"),     // Georgian capitals, 11
            ("𖹀𖹁", "𖹠𖹡"),     // Medefaidrin, 11
            ("𐵐𐵑", "𐵰𐵱"),     // Garay, 16
            ("𐕰𐕱", "𐖗𐖘"),     // Vithkuqi, 14
            ("𖺠𖺡", "𖺻𖺼"),     // Beria Erfe, 17
            ("𞄀𞄁", "𞄀𞄁"),     // Nyiakeng Puachue Hmong, 12
            ("𞋀𞋁", "𞋀𞋁"),     // Wancho, 12
            ("𞊐𞊑", "𞊐𞊑"),     // Toto, 14
            ("𑼄𑼅", "𑼄𑼅"),     // Kawi, 15
            ("𞓐𞓑", "𞓐𞓑"),     // Nag Mundari, 15
            ("𐗀𐗁", "𐗀𐗁"),     // Todhri, 16
            ("𑯀𑯁", "𑯀𑯁"),     // Sunuwar, 16
            ("𖵀𖵁", "𖵀𖵁"),     // Kirat Rai, 16
            ("𞗐𞗑", "𞗐𞗑"),     // Ol Onal, 16
            ("𐤢𐤣", "𐤢𐤣"),     // Lydian, from right to left
            ("𐥀𐥁", "𐥀𐥁"),     // Sidetic, from right to left, 17
            ("𑶰𑶱", "𑶰𑶱"),     // Tolong Siki, 17
        ] {
            channel_name(typed, Ok(name));
        }
    }

    proptest! {
        #[test]
        fn a_name_that_was_accepted_is_accepted_unchanged_again(typed in "\\PC{0,40}") {
            if let Ok(name) = typed.parse::<ChannelName>() {
                prop_assert_eq!(&name.as_str().parse::<ChannelName>(), &Ok(name));
            }
        }
    }
}
