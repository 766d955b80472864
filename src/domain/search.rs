//! Search: the words of a query, and the folded form of texts that they are compared with.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use icu_properties::props::DefaultIgnorableCodePoint;
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};

const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();
const IGNORABLE: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<DefaultIgnorableCodePoint>();

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

/// The form of a text that searches compare: that of compatibility caseless matching (Unicode,
/// section 3.13, D146: NFKC and full case folding), without the characters that fonts are asked to
/// ignore, as `NFKC_Casefold` leaves them out (joiners, variation selectors, soft hyphens).
///
/// The letters of Turkish without and with a dot are `i`, too: folding takes `I` for the one, and
/// makes two characters of `İ`.
#[must_use]
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    let composed = NFKC.normalize(text);
    let seen: String = composed.chars().filter(|c| !IGNORABLE.contains(*c)).collect();
    let folded = CASE.fold_string(&seen);
    NFKC.normalize(&folded).replace("i\u{307}", "i").replace('ı', "i").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(words: &str, text: &str) -> bool {
        let text = folded(text);
        Words::parse(words).all_in(|word| text.contains(word))
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        for (words, text) in [
            // Composed and decomposed.
            ("café", "CAFE\u{301}"),
            ("cafe\u{301}", "Café"),
            ("viê\u{323}t", "Việt"),
            ("한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"),
            ("\u{1112}\u{1161}\u{11AB}", "한글"),
            ("か\u{3099}", "ここが"),
            ("आज़ाद", "आज\u{93C}ाद"),
            // Widths and compatibility forms.
            ("FULL moon", "a ｆｕｌｌ Moon"),
            ("full", "ＦＵＬＬ"),
            ("ＦＵＬＬ", "full"),
            ("ガイド", "ｶﾞｲﾄﾞ"),
            ("ｶﾞ", "ガ"),
            ("fi", "oﬃce ﬁle"),
            ("キロ", "5㌔"),
            ("x2", "x²"),
            ("ok", "🆗ｏｋ"),
            ("1a", "①ª"),
            // Case.
            ("strasse", "Hauptstraße 7"),
            ("STRASSE", "Hauptstraße 7"),
            ("Straße", "strasse"),
            ("STRAẞE", "Straße"),
            ("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("οδος", "ΟΔΟΣ"),
            ("οδοσ", "η οδός και οδος"),
            ("МОСКВА", "Москва"),
            ("ꭰꮒ", "ᎠᏂ"),
            ("𞤢𞤣", "𞤀𞤣"),
            ("თბილისი", "ᲗᲑᲘᲚᲘᲡᲘ"),
            ("եւ", "և"),
            ("istanbul", "İstanbul"),
            ("İSTANBUL", "istanbul"),
            ("ısparta", "ISPARTA"),
            ("ǆep", "ǅep"),
            // Parts of words, in scripts without spaces between them.
            ("東京", "東京都庁"),
            ("京都", "東京都庁"),
            ("庁", "東京都庁"),
            ("天气", "今天天气很好"),
            ("กรุง", "อยู่กรุงเทพ"),
            ("한국", "대한국민"),
            ("東京　庁", "東京都庁"),
            // What is not seen.
            ("❤\u{FE0F}", "❤"),
            ("cooperate", "co\u{AD}operate"),
            ("میخواهم", "می\u{200C}خواهم"),
            ("می\u{200C}خواهم", "میخواهم"),
            ("hello\u{200B}", "\u{200E}hello"),
            // File names, as one system and another write them.
            ("übersicht", "U\u{308}bersicht.pdf"),
            ("U\u{308}BERSICHT", "Übersicht.pdf"),
        ] {
            assert!(finds(words, text), "{words:?} in {text:?}");
        }
    }

    #[test]
    fn other_words_are_not_found() {
        for (words, text) in [
            ("moon sun", "full moon"),
            ("かな", "カナ"),
            ("カナ", "かな"),
            ("か", "が"),
            ("ハ", "パ"),
            ("東京", "京東"),
            ("하", "한"),
            ("cafe", "café"),
            ("strase", "straße"),
            ("и", "й"),
            ("אב", "בא"),
        ] {
            assert!(!finds(words, text), "{words:?} in {text:?}");
        }
        for nothing in ["", " \u{3000}", "\u{200B}", "\u{FE0F} \u{AD}"] {
            assert!(Words::parse(nothing).is_empty(), "{nothing:?}");
        }
    }
}
