//! Search: the words of a query, and the folded form of texts that they are compared with.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;

/// The folded words of a search query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Largest number of words of a query; more are ignored.
    pub const MAX: usize = 16;

    /// Splits a typed query at white space, and folds its words.
    #[must_use]
    pub fn parse(typed: &str) -> Self {
        Self(folded(typed).split_whitespace().take(Self::MAX).map(ToOwned::to_owned).collect())
    }

    /// Tells whether the query has no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether `contains` holds for every word.
    pub fn all_in(&self, contains: impl Fn(&str) -> bool) -> bool {
        self.0.iter().all(|word| contains(word))
    }
}

/// The form of a text that searches compare: NFKC, Unicode's full case folding, and NFKC again, so
/// that texts which look alike compare equal (Unicode, section 3.13, D145 and D146).
#[must_use]
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let composed = nfkc.normalize(text);
    let folded = CaseMapper::new().fold_string(&composed);
    nfkc.normalize(&folded).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, text: &str) {
        let text = folded(text);
        assert!(Words::parse(words).all_in(|word| text.contains(word)), "{words:?} in {text:?}");
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        check("FULL moon", "a ｆｕｌｌ Moon");
        check("cafe\u{301}", "Café");
        check("café", "CAFE\u{301}");
        check("strasse", "Hauptstraße 7");
        check("STRASSE", "Hauptstraße 7");
        check("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ");
        assert!(!Words::parse("moon sun").all_in(|word| "full moon".contains(word)));
    }
}
