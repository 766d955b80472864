//! The names that stand after `@` and `#`.

use super::script::Grapheme;
use crate::domain::ids::UserId;
use crate::domain::names::{ChannelName, DisplayName};

/// A lookup of the users and channels that texts can mention.
pub trait Directory {
    /// The user who holds a name of this [compared form](DisplayName::compared).
    fn user(&self, compared: &str) -> Option<UserId>;
    /// Tells whether there is a public channel of exactly this name.
    fn has_channel(&self, name: &str) -> bool;
}

/// The name after `@` that means everybody who has the channel open.
const HERE: &str = "here";

/// The user or users who are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    User(UserId),
    Here,
}

/// The compared forms of a text's graphemes, each made when it is first needed: many windows may
/// overlap.
pub(super) struct Folds(Vec<Option<Box<str>>>);

impl Folds {
    pub(super) fn of(graphemes: &[Grapheme<'_>]) -> Self {
        Self(vec![None; graphemes.len()])
    }

    fn get(&mut self, at: usize, grapheme: Grapheme<'_>) -> &str {
        self.0[at].get_or_insert_with(|| DisplayName::fold_part(grapheme.text).into())
    }
}

/// The longest name of a user, or `here`, that the graphemes from `first` on begin with: the number of the
/// grapheme after it, and who is named. `end` is the byte that it cannot go beyond.
pub(super) fn longest_user(
    graphemes: &[Grapheme<'_>],
    folds: &mut Folds,
    first: usize,
    end: usize,
    directory: &dyn Directory,
) -> Option<(usize, Named)> {
    let mut longest = None;
    let mut name = String::new();
    let (mut length, mut space) = (0, false);
    for (at, grapheme) in graphemes.iter().enumerate().skip(first) {
        if grapheme.end() > end || grapheme.text.starts_with(char::is_control) {
            break;
        }
        // No name begins with a sign: a row of them asks for nothing.
        if name.is_empty() && ["@", "＠", "#", "＃"].contains(&grapheme.text) {
            break;
        }
        let before = name.len();
        for c in folds.get(at, *grapheme).chars() {
            // Spaces of any kind are one, as in names (RFC 8266, section 2.1).
            if DisplayName::is_space(c) {
                space = true;
                continue;
            }
            if std::mem::take(&mut space) {
                name.push(' ');
            }
            name.push(c);
        }
        if name.len() == before {
            if name.is_empty() {
                break;
            }
            continue;
        }
        if name.starts_with(' ') {
            break;
        }
        length += 1;
        if length > DisplayName::MAX_CHARS {
            break;
        }
        if is_end(graphemes, at) {
            let here = (name == HERE).then_some(Named::Here);
            let named = here.or_else(|| directory.user(&name).map(Named::User));
            longest = named.map(|named| (at + 1, named)).or(longest);
        }
    }
    longest
}

/// The longest name of a public channel that the graphemes from `first` on begin with: the number
/// of the grapheme after it.
pub(super) fn longest_channel(
    graphemes: &[Grapheme<'_>],
    first: usize,
    end: usize,
    directory: &dyn Directory,
) -> Option<usize> {
    let mut longest = None;
    let mut name = String::new();
    let most = first + ChannelName::MAX_CHARS;
    for (at, grapheme) in graphemes.iter().enumerate().take(most).skip(first) {
        let Some(part) = ChannelName::fold_part(grapheme.text) else { break };
        if grapheme.end() > end {
            break;
        }
        name.push_str(&part);
        if is_end(graphemes, at) && directory.has_channel(&name) {
            longest = Some(at + 1);
        }
    }
    longest
}

/// Tells whether a name may end with this grapheme: not within a word.
fn is_end(graphemes: &[Grapheme<'_>], at: usize) -> bool {
    !graphemes[at].in_word || graphemes.get(at + 1).is_none_or(|next| !next.in_word)
}
