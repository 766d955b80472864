//! The PRECIS string classes: the characters that a name may contain, and where (RFC 8264, sections
//! 4, 8 and 9; RFC 5892, appendix A).

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, HangulSyllableType,
    JoiningType, Script,
};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

use crate::domain::names::NameError;

type Map<T> = CodePointMapDataBorrowed<'static, T>;

const COMBINING_CLASS: Map<CanonicalCombiningClass> =
    CodePointMapData::<CanonicalCombiningClass>::new();
const GENERAL_CATEGORY: Map<GeneralCategory> = CodePointMapData::<GeneralCategory>::new();
const HANGUL_TYPE: Map<HangulSyllableType> = CodePointMapData::<HangulSyllableType>::new();
const JOINING_TYPE: Map<JoiningType> = CodePointMapData::<JoiningType>::new();
const SCRIPT: Map<Script> = CodePointMapData::<Script>::new();
const DEFAULT_IGNORABLE: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<DefaultIgnorableCodePoint>();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();

/// The character's general category (UAX #44).
pub(crate) fn general_category(c: char) -> GeneralCategory {
    GENERAL_CATEGORY.get(c)
}

/// A string class (RFC 8264, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringClass {
    /// Letters, digits, marks and visible ASCII.
    Identifier,
    /// Everything that can be seen, and spaces.
    Freeform,
}

/// A derived property value (RFC 8264, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DerivedProperty {
    /// Allowed in both classes (`PVALID`).
    Valid,
    /// Allowed in the free-form class alone (`ID_DIS` or `FREE_PVAL`).
    FreeformOnly,
    /// Allowed where its contextual rule says so (`CONTEXTJ`, `CONTEXTO`).
    InContext,
    /// Allowed nowhere (`DISALLOWED`), or not yet (`UNASSIGNED`).
    Disallowed,
}

/// The derived property of a code point, by the algorithm of RFC 8264, section 8, in its order.
fn derived_property(c: char) -> DerivedProperty {
    use GeneralCategory as G;
    if let Some(value) = exception(c) {
        return value; // 9.6; BackwardCompatible, 9.7, is empty
    }
    match general_category(c) {
        G::Unassigned => DerivedProperty::Disallowed, // 9.10, and the noncharacters of 9.13
        _ if matches!(c, '!'..='~') => DerivedProperty::Valid, // ASCII7, 9.11
        _ if matches!(c, '\u{200C}' | '\u{200D}') => DerivedProperty::InContext, // JoinControl, 9.8
        _ if is_old_hangul_jamo(c) => DerivedProperty::Disallowed,
        _ if DEFAULT_IGNORABLE.contains(c) => DerivedProperty::Disallowed, // PrecisIgnorable…, 9.13
        G::Control => DerivedProperty::Disallowed, // 9.12
        _ if has_compat(c) => DerivedProperty::FreeformOnly,
        _ if is_letter_digit(c) => DerivedProperty::Valid,
        // OtherLetterDigits, 9.18
        G::TitlecaseLetter | G::LetterNumber | G::OtherNumber | G::EnclosingMark
        // Spaces, 9.14
        | G::SpaceSeparator
        // Symbols, 9.15
        | G::MathSymbol | G::CurrencySymbol | G::ModifierSymbol | G::OtherSymbol
        // Punctuation, 9.16
        | G::ConnectorPunctuation | G::DashPunctuation | G::OpenPunctuation | G::ClosePunctuation
        | G::InitialPunctuation | G::FinalPunctuation | G::OtherPunctuation => {
            DerivedProperty::FreeformOnly
        }
        _ => DerivedProperty::Disallowed,
    }
}

/// Exceptions (RFC 8264, section 9.6; the sets are those of RFC 5892, section 2.6).
fn exception(c: char) -> Option<DerivedProperty> {
    match c {
        '\u{DF}' | '\u{3C2}' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => {
            Some(DerivedProperty::Valid)
        }
        '\u{B7}' | '\u{375}' | '\u{5F3}' | '\u{5F4}' | '\u{30FB}' => {
            Some(DerivedProperty::InContext)
        }
        c if is_arabic_indic(c) || is_extended_arabic_indic(c) => Some(DerivedProperty::InContext),
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => {
            Some(DerivedProperty::Disallowed)
        }
        _ => None,
    }
}

/// `LetterDigits` (RFC 8264, section 9.1).
pub(in crate::domain::names) fn is_letter_digit(c: char) -> bool {
    use GeneralCategory as G;
    matches!(
        general_category(c),
        G::LowercaseLetter
            | G::UppercaseLetter
            | G::OtherLetter
            | G::DecimalNumber
            | G::ModifierLetter
            | G::NonspacingMark
            | G::SpacingMark
    )
}

/// `OldHangulJamo` (RFC 8264, section 9.9): the conjoining letters.
fn is_old_hangul_jamo(c: char) -> bool {
    use HangulSyllableType as H;
    matches!(HANGUL_TYPE.get(c), H::LeadingJamo | H::VowelJamo | H::TrailingJamo)
}

/// `HasCompat` (RFC 8264, section 9.17): NFKC changes it.
fn has_compat(c: char) -> bool {
    !NFKC.is_normalized(c.encode_utf8(&mut [0; 4]))
}

/// Refuses a text with a character that this class does not allow there.
pub(super) fn check(text: &str, class: StringClass) -> Result<(), NameError> {
    let refused = text.char_indices().find(|&(at, c)| match derived_property(c) {
        DerivedProperty::Valid => false,
        DerivedProperty::FreeformOnly => class != StringClass::Freeform,
        DerivedProperty::InContext => {
            !is_allowed_between(&text[..at], c, &text[at + c.len_utf8()..])
        }
        DerivedProperty::Disallowed => true,
    });
    match refused.map(|(_, c)| c).or_else(|| refused_in_text(text)) {
        Some(refused) => Err(NameError::Forbidden(refused)),
        None => Ok(()),
    }
}

/// The contextual rules about a character's neighbours (RFC 5892, appendix A.1 to A.6).
fn is_allowed_between(before: &str, c: char, after: &str) -> bool {
    let previous = before.chars().next_back();
    let next = after.chars().next();
    let script = |c: Option<char>| c.map(|c| SCRIPT.get(c));
    let is_virama = |c| COMBINING_CLASS.get(c) == CanonicalCombiningClass::Virama;
    match c {
        '\u{200C}' => previous.is_some_and(is_virama) || breaks_cursive(before, after),
        '\u{200D}' => previous.is_some_and(is_virama),
        '\u{B7}' => previous == Some('l') && next == Some('l'),
        '\u{375}' => script(next) == Some(Script::Greek),
        '\u{5F3}' | '\u{5F4}' => script(previous) == Some(Script::Hebrew),
        _ => true, // A.7 to A.9 look at the whole text
    }
}

/// Tells whether a non-joiner here separates letters that would be joined (RFC 5892, appendix A.1).
fn breaks_cursive(before: &str, after: &str) -> bool {
    let joins = |c: &char| JOINING_TYPE.get(*c) != JoiningType::Transparent;
    let joining_type = |c| JOINING_TYPE.get(c);
    let left = before.chars().rev().find(joins).map(joining_type);
    let right = after.chars().find(joins).map(joining_type);
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// The contextual rules about the whole text (RFC 5892, appendix A.7 to A.9): returns a character
/// that they refuse. They run once per text, not per character, so that the cost stays linear.
fn refused_in_text(text: &str) -> Option<char> {
    let digit = text.chars().find(|&c| is_arabic_indic(c));
    let is_dot = |c: &char| *c == '\u{30FB}';
    match digit.filter(|_| text.contains(is_extended_arabic_indic)) {
        Some(digit) => Some(digit),
        None => text.chars().find(is_dot).filter(|_| !text.contains(is_kana_or_han)),
    }
}

fn is_kana_or_han(c: char) -> bool {
    matches!(SCRIPT.get(c), Script::Hiragana | Script::Katakana | Script::Han)
}

fn is_arabic_indic(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}')
}

fn is_extended_arabic_indic(c: char) -> bool {
    matches!(c, '\u{6F0}'..='\u{6F9}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derived_properties_of_the_registry() {
        let derived = |chars: &str, expected| {
            for c in chars.chars() {
                assert_eq!(derived_property(c), expected, "U+{:04X}", u32::from(c));
            }
        };
        derived("!~aZ09ß\u{3C2}\u{6FD}\u{6FE}\u{F0B}〇", DerivedProperty::Valid);
        derived("\u{B7}\u{375}\u{5F3}\u{5F4}・٠٩۰۹\u{200C}\u{200D}", DerivedProperty::InContext);
        derived("\u{640}\u{7FA}\u{302E}\u{3031}\u{303B}", DerivedProperty::Disallowed);
        derived("\0\u{7F}\u{85}\u{AD}\u{34F}\u{1100}\u{1170}\u{A960}", DerivedProperty::Disallowed);
        derived("\u{378}\u{FFFF}\u{E000}\u{2028}\u{FE0F}\u{3164}", DerivedProperty::Disallowed);
        derived("  \u{A0}\u{3000}ﬁⅷ²ᾈⅰ①№€±∞♚🚀“”»‿҈𐍁", DerivedProperty::FreeformOnly);
        derived("éΣ雑한กაᏣꭰ𞤀", DerivedProperty::Valid);
    }

    #[test]
    fn letters_that_came_after_unicode_6_3_are_letters() {
        // Adlam, Osage, Wancho, Toto, Vithkuqi, Kawi, Garay, Kirat Rai, Todhri, Sunuwar.
        for letter in "𞤀𐓘𞋀𞊐𐕰𑼄𐵰𖵀𐗀𑯀".chars() {
            assert_eq!(derived_property(letter), DerivedProperty::Valid, "{letter}");
        }
    }

    #[test]
    fn contextual_rules() {
        for allowed in [
            "क\u{94D}\u{200C}ष", // A.1, after a virama
            "ی\u{200C}خ",        // A.1, between letters that join
            "ی\u{64B}\u{200C}\u{64B}خ",
            "क\u{94D}\u{200D}ष", // A.2
            "l\u{B7}l",          // A.3
            "\u{375}β",          // A.4
            "א\u{5F3}",          // A.5
            "א\u{5F4}ב",         // A.6
            "イ\u{30FB}a",       // A.7
            "a\u{30FB}字",
            "٠٩",  // A.8
            "a۰۹", // A.9
        ] {
            assert_eq!(check(allowed, StringClass::Identifier), Ok(()), "{allowed:?}");
        }
        for (refused, what) in [
            ("\u{200C}", '\u{200C}'),
            ("a\u{200C}b", '\u{200C}'),
            ("د\u{200C}ب", '\u{200C}'), // joins to the right alone
            ("ب\u{200C}", '\u{200C}'),
            ("\u{200D}", '\u{200D}'),
            ("a\u{200D}b", '\u{200D}'),
            ("\u{B7}", '\u{B7}'),
            ("l\u{B7}a", '\u{B7}'),
            ("a\u{B7}l", '\u{B7}'),
            ("β\u{375}", '\u{375}'),
            ("\u{375}a", '\u{375}'),
            ("\u{5F3}א", '\u{5F3}'),
            ("a\u{5F4}", '\u{5F4}'),
            ("a\u{30FB}b", '\u{30FB}'),
            ("۰a٠", '٠'),
            ("٠a۰", '٠'),
        ] {
            assert_eq!(check(refused, StringClass::Identifier), Err(NameError::Forbidden(what)));
        }
    }
}
