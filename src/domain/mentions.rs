//! Who and what a text names: `@` and a display name, `#` and a channel's.

use std::ops::Range;

use icu_properties::props::GeneralCategory;

use crate::domain::ids::UserId;
use crate::domain::names::{ChannelName, DisplayName, general_category};

/// How many `@` and `#` of one text are looked at; the rest name nothing.
pub const MAX_NAMES: usize = 50;

/// Who and what can be named.
pub trait Directory {
    /// Who holds this name.
    fn user(&self, name: &DisplayName) -> Option<UserId>;
    /// Whether there is a public channel of this name.
    fn has_channel(&self, name: &ChannelName) -> bool;
}

/// What a name in a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `@Ada`.
    User(UserId),
    /// `#general`.
    Channel,
}

/// The users and channels that a text names, with where, in order; `left` says how many `@` and
/// `#` are looked at, and then how many more may be.
///
/// A name begins with an `@` or `#` that does not follow a letter or digit (so that mail addresses
/// name nobody), and is the longest right after it that somebody holds or a channel has, compared
/// as names are. It must end where a word does, except in scripts that write without spaces.
pub fn names(text: &str, directory: &dyn Directory, left: &mut usize) -> Vec<(Range<usize>, Name)> {
    let mut found: Vec<(Range<usize>, Name)> = Vec::new();
    for (at, sign) in text.match_indices(['@', '#']) {
        let within = found.last().is_some_and(|(last, _)| at < last.end);
        if within || text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        let Some(fewer) = left.checked_sub(1) else { break };
        *left = fewer;
        let rest = &text[at + 1..];
        let named = if sign == "@" {
            longest(rest, DisplayName::MAX_CHARS, |name| {
                directory.user(&name.parse().ok()?).map(Name::User)
            })
        } else {
            longest(rest, ChannelName::MAX_CHARS, |name| {
                directory.has_channel(&name.parse().ok()?).then_some(Name::Channel)
            })
        };
        found.extend(named.map(|(end, name)| (at..at + 1 + end, name)));
    }
    found
}

/// The longest beginning that is a name, and where it ends.
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

/// Letters without case (`OtherLetter`) are those of scripts in which words may touch.
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
        let named = names(text, &Few, &mut { MAX_NAMES });
        let named = named.iter().map(|(_, name)| match name {
            Name::User(id) => id.as_str(),
            Name::Channel => "#",
        });
        assert_eq!(named.collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn channels_are_found_where_they_are_named() {
        let found = |text: &'static str| -> Vec<&str> {
            let names = names(text, &Few, &mut { MAX_NAMES });
            names.into_iter().map(|(range, _)| &text[range]).collect()
        };
        assert_eq!(found("see #general, #General. and #generals"), ["#general", "#General"]);
        assert_eq!(found("@ada in #general"), ["@ada", "#general"]);
        assert_eq!(found("a#general ##general #"), ["#general"]);
        assert_eq!(names(&"#general ".repeat(60), &Few, &mut { MAX_NAMES }).len(), MAX_NAMES);
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
