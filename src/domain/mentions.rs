//! Who a text names: `@` and a display name.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::domain::ids::UserId;
use crate::domain::names::DisplayName;

/// How many `@` of one text are looked at; the rest name nobody.
pub const MAX_MENTIONS: usize = 50;

/// The users that a text names, each once, in the order of their first mention.
///
/// A mention is an `@` that does not follow a letter or digit (so that mail addresses name
/// nobody), and the longest name right after it that somebody holds, compared as names are. The name
/// must end where a word does, except in scripts that write without spaces.
pub fn mentioned(text: &str, holder: impl Fn(&DisplayName) -> Option<UserId>) -> Vec<UserId> {
    let mut named = Vec::new();
    for (at, _) in text.match_indices('@').take(MAX_MENTIONS) {
        if text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        if let Some(user) = longest_name(&text[at + 1..], &holder)
            && !named.contains(&user)
        {
            named.push(user);
        }
    }
    named
}

fn longest_name(rest: &str, holder: impl Fn(&DisplayName) -> Option<UserId>) -> Option<UserId> {
    let line = rest.lines().next()?;
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let mut ends: Vec<_> = line.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    ends.truncate(DisplayName::MAX_CHARS);
    ends.into_iter().rev().find_map(|end| {
        let (name, after) = line.split_at(end);
        let within_word = name.chars().next_back().is_some_and(char::is_alphanumeric)
            && after.chars().next().is_some_and(continues_word);
        let is_name = !within_word && !name.ends_with(char::is_whitespace);
        if is_name { holder(&name.parse().ok()?) } else { None }
    })
}

/// Letters without case (`OtherLetter`) are those of scripts in which words may touch.
fn continues_word(c: char) -> bool {
    c.is_alphanumeric() && get_general_category(c) != GeneralCategory::OtherLetter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let people = ["ada", "ada l.", "山田", "bob"];
        let named = mentioned(text, |name| {
            let known = people.contains(&name.compared());
            known.then(|| UserId::from(name.compared().to_owned()))
        });
        assert_eq!(named.iter().map(UserId::as_str).collect::<Vec<_>>(), expected, "{text:?}");
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
        check("@bob @bob", &["bob"]);
        check("@adam", &[]);
        check("me@bob", &[]);
        check("@", &[]);
        check("@ ada", &[]);
        check("@ada\nl.", &["ada"]);
    }
}
