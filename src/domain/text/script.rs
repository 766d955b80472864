//! Graphemes, and the scripts whose words are written without spaces between them.

use std::sync::LazyLock;

use icu_properties::props::{GeneralCategoryGroup, Script};
use icu_properties::script::{ScriptWithExtensions, ScriptWithExtensionsBorrowed};
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::names::general_category;

static SCRIPTS: LazyLock<ScriptWithExtensionsBorrowed<'static>> =
    LazyLock::new(ScriptWithExtensions::new);
const LETTERS_AND_DIGITS: GeneralCategoryGroup =
    GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Number);

/// The scripts whose words follow each other without spaces: a word may end after any grapheme.
const WITHOUT_SPACES: [Script; 7] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
];

/// A grapheme cluster (UAX #29) of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grapheme<'t> {
    /// The byte at which it starts.
    pub(super) at: usize,
    /// Its characters.
    pub(super) text: &'t str,
    /// True for a letter or digit of a script that is written with spaces: two of them in a row are
    /// within a word.
    pub(super) in_word: bool,
}

impl Grapheme<'_> {
    /// The byte after it.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The graphemes of a text.
pub(super) fn graphemes(text: &str) -> Vec<Grapheme<'_>> {
    let grapheme = |(at, text)| Grapheme { at, text, in_word: is_in_word(text) };
    text.grapheme_indices(true).map(grapheme).collect()
}

fn is_in_word(grapheme: &str) -> bool {
    let Some(first) = grapheme.chars().next() else { return false };
    if grapheme.len() == 1 {
        return first.is_ascii_alphanumeric();
    }
    let is_letter_or_digit = LETTERS_AND_DIGITS.contains(general_category(first));
    let is_emoji = || grapheme.contains(['\u{FE0F}', '\u{20E3}']);
    let has_no_spaces = || WITHOUT_SPACES.iter().any(|script| SCRIPTS.has_script(first, *script));
    is_letter_or_digit && !is_emoji() && !has_no_spaces()
}
