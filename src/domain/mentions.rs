//! Mentions in texts: `@` and a display name, `#` and a channel's name.

use std::ops::Range;

use icu_properties::props::GeneralCategory;

use crate::domain::ids::UserId;
use crate::domain::names::{ChannelName, DisplayName, general_category};

/// Largest number of `@` and `#` of one text that are looked at; later ones mention nothing.
pub const MAX_SIGNS: usize = 50;

/// A lookup of the users and channels that texts can mention.
pub trait Directory {
    /// The user who holds this name.
    fn user(&self, name: &DisplayName) -> Option<UserId>;
    /// Tells whether there is a public channel of this name.
    fn has_channel(&self, name: &ChannelName) -> bool;
}

/// The user or channel that is mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// A user, as by `@Ada`.
    User(UserId),
    /// A public channel, as by `#general`.
    Channel,
}

/// Finds the mentions of a text: their byte ranges and what each mentions, in order. `signs_left`
/// is the number of `@` and `#` to look at; it is reduced by those that were looked at.
///
/// A mention begins with an `@` or `#` that does not follow a letter or digit (mail addresses
/// mention nobody). After it comes the longest name that a user or channel has, compared as names
/// are. The name must end where a word does, except in scripts that write without spaces.
pub fn mentions(
    text: &str,
    directory: &dyn Directory,
    signs_left: &mut usize,
) -> Vec<(Range<usize>, Mention)> {
    let mut found: Vec<(Range<usize>, Mention)> = Vec::new();
    for (at, sign) in text.match_indices(['@', '#']) {
        let within = found.last().is_some_and(|(last, _)| at < last.end);
        if within || text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        let Some(fewer) = signs_left.checked_sub(1) else { break };
        *signs_left = fewer;
        let rest = &text[at + 1..];
        let mentioned = if sign == "@" {
            longest(rest, DisplayName::MAX_CHARS, |name| {
                directory.user(&name.parse().ok()?).map(Mention::User)
            })
        } else {
            longest(rest, ChannelName::MAX_CHARS, |name| {
                directory.has_channel(&name.parse().ok()?).then_some(Mention::Channel)
            })
        };
        found.extend(mentioned.map(|(end, mention)| (at..at + 1 + end, mention)));
    }
    found
}

/// The longest prefix that is a known name: the byte index of its end, and the result of `known`.
fn longest<T>(
    rest: &str,
    max_chars: usize,
    known: impl Fn(&str) -> Option<T>,
) -> Option<(usize, T)> {
    let line = rest.lines().next()?;
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8()).take(max_chars);
    let ends: Vec<_> = ends.collect();
    ends.into_iter().rev().find_map(|end| {
        let (name, after) = line.split_at(end);
        let within_word = name.chars().next_back().is_some_and(char::is_alphanumeric)
            && after.chars().next().is_some_and(continues_word);
        let is_name = !within_word && !name.ends_with(char::is_whitespace);
        if is_name { Some((end, known(name)?)) } else { None }
    })
}

/// Tells whether a word goes on with this character. Letters without case (`OtherLetter`) are those
/// of scripts that write without spaces: a name may end before them.
fn continues_word(c: char) -> bool {
    c.is_alphanumeric() && general_category(c) != GeneralCategory::OtherLetter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some people, and the channel `general`.
    struct Few;

    impl Directory for Few {
        fn user(&self, name: &DisplayName) -> Option<UserId> {
            let known = ["ada", "ada l.", "山田", "bob"].contains(&name.compared());
            known.then(|| UserId::from(name.compared().to_owned()))
        }

        fn has_channel(&self, name: &ChannelName) -> bool {
            name.as_str() == "general"
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let named = mentions(text, &Few, &mut { MAX_SIGNS });
        let named = named.iter().map(|(_, mention)| match mention {
            Mention::User(id) => id.as_str(),
            Mention::Channel => "#",
        });
        assert_eq!(named.collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn channels_are_found_where_they_are_named() {
        let found = |text: &'static str| -> Vec<&str> {
            let found = mentions(text, &Few, &mut { MAX_SIGNS });
            found.into_iter().map(|(range, _)| &text[range]).collect()
        };
        assert_eq!(found("see #general, #General. and #generals"), ["#general", "#General"]);
        assert_eq!(found("@ada in #general"), ["@ada", "#general"]);
        assert_eq!(found("a#general ##general #"), ["#general"]);
        assert_eq!(mentions(&"#general ".repeat(60), &Few, &mut { MAX_SIGNS }).len(), MAX_SIGNS);
    }

    #[test]
    fn the_longest_name_that_somebody_holds_is_named() {
        check("@Ada", &["ada"]);
        check("hi @ADA, lunch?", &["ada"]);
        check("@Ada L. and @bob", &["ada l.", "bob"]);
        check("@Ada Lovelace", &["ada"]);
        check("(@bob)", &["bob"]);
        check("@山田さん", &["山田"]);
        check("@山田 さん", &["山田"]);
        check("@bob @bob", &["bob", "bob"]);
        check("@adam", &[]);
        check("me@bob", &[]);
        check("@", &[]);
        check("@ ada", &[]);
        check("@ada\nl.", &["ada"]);
    }
}
